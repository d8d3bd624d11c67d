//! Operators that deal with failures under the TCK.

use millstream::{Error, empty, range};
use reactive_streams_tck::publisher_tests;

publisher_tests!(retry, |n| range(0..n).retry(3));
publisher_tests!(on_error_resume, |n| range(0..n).on_error_resume(|_| empty()));
publisher_tests!(on_error_return, |n| range(0..n).on_error_return(|_| 0));
publisher_tests!(flatten_results, |n| range(0..n).map(Ok::<_, Error>).flatten_results());
publisher_tests!(map_err, |n| range(0..n).map_err(|error| error));
publisher_tests!(on_error_complete, |n| range(0..n).on_error_complete());
