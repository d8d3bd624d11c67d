//! Operators that deal with failures under the TCK.

use std::time::Duration;

use millstream::{Backoff, Error, empty, error, just, range, scheduler::Immediate};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(retry, |n| range(0..n).retry(3));
publisher_tests!(on_error_resume, |n| range(0..n).on_error_resume(|_| empty()));
publisher_tests!(on_error_return, |n| range(0..n).on_error_return(|_| 0));
publisher_tests!(flatten_results, |n| range(0..n).map(Ok::<_, Error>).flatten_results());
publisher_tests!(map_err, |n| range(0..n).map_err(|error| error));
publisher_tests!(on_error_complete, |n| range(0..n).on_error_complete());
publisher_tests!(retry_when, |n| {
    let flaky = just(1).concat(error(Error::message("no")));
    flaky.retry_when_on(&Immediate, |_, _| Some(Duration::ZERO)).take(n)
});
publisher_tests!(
    retry_backoff,
    |n| {
        let flaky = just(1).concat(error(Error::message("no")));
        let backoff = Backoff::new().first(Duration::from_micros(1)).cap(Duration::from_micros(1));
        flaky.retry_backoff_on(&pool(), backoff).take(n)
    },
    Capabilities::new().asynchronous().max_length(1_000)
);
