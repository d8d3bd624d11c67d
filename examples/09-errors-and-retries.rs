//! An error ends a flow. What comes then is said: another flow, another attempt, a value.
//!
//! `cargo run --example 09-errors-and-retries`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{Backoff, Error, ErrorKind, defer, from_iter, range};

fn main() -> Result<(), Error> {
    // A source that fails twice, and is subscribed to again after a pause with jitter.
    let attempts = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&attempts);
    let flaky = defer(move || {
        let mut attempt = counted.lock().expect("nobody panics");
        *attempt += 1;
        let is_down = *attempt < 3;
        range(0..3_u32).handle(move |n| match n {
            1 if is_down => millstream::Handled::Fail(Error::new(ErrorKind::Disconnected, "down")),
            n => millstream::Handled::Pass(n),
        })
    });
    let backoff = Backoff::new().first(Duration::from_millis(5)).max_retries(5);
    let items: Vec<_> = flaky.retry_backoff(backoff).collect().wait()?;
    println!("{items:?} after {} attempts", attempts.lock().expect("nobody panics"));
    assert_eq!(items, [0, 0, 0, 1, 2]);

    // Items that are results fail the flow, or are sorted out.
    let lines = ["1", "two", "3"];
    let strict = from_iter(lines)
        .map(|line| {
            line.parse::<u32>()
                .map_err(|error| Error::with_source(ErrorKind::InvalidData, line, error))
        })
        .flatten_results()
        .on_error_resume(|error| {
            println!("stopped early: {error}");
            millstream::just(0)
        });
    let strict: Vec<_> = strict.collect().wait()?;
    let lenient: Vec<u32> =
        from_iter(lines).filter_map(|line| line.parse::<u32>().ok()).collect().wait()?;
    println!("strict {strict:?}, lenient {lenient:?}");
    assert_eq!((strict, lenient), (vec![1, 0], vec![1, 3]));
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
