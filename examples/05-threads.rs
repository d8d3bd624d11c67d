//! A bounded hand-over between threads: the producer is never more than 16 items ahead.
//!
//! `cargo run --example 05-threads`

#![expect(clippy::disallowed_methods, reason = "a slow disk is slow in real time")]
#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use millstream::{Error, range, scheduler::Pool};

fn main() -> Result<(), Error> {
    let (reader, writer) = (Pool::named("reader", 1), Pool::named("writer", 1));
    // How many items have been made and not been written, at the most.
    let ahead = Arc::new(Mutex::new((0_u32, 0_u32)));
    let (made, written) = (Arc::clone(&ahead), ahead);

    let (n, most) = range(0..200_u32)
        .inspect(move |_| {
            let mut ahead = made.lock().expect("nobody panics");
            ahead.0 += 1;
            ahead.1 = ahead.1.max(ahead.0);
        })
        .subscribe_on(&reader)
        .publish_on(&writer)
        .capacity(16)
        .map(move |item| {
            thread::sleep(Duration::from_micros(200)); // a slow disk
            let mut ahead = written.lock().expect("nobody panics");
            ahead.0 -= 1;
            (item, ahead.1)
        })
        .fold((0, 0), |(n, _), (_, most)| (n + 1, most))
        .wait()?;

    println!("{n} items from one thread to another; at most {most} were on their way");
    assert!(n == 200 && most <= 17, "16 that wait, and one in work");
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
