//! One source, several consumers: the source works once, and the slowest sets the pace.
//!
//! `cargo run --example 08-sharing`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::sync::{Arc, Mutex};

use millstream::{Error, range};
use millstream_testkit::Probe;

fn main() -> Result<(), Error> {
    let n_made = Arc::new(Mutex::new(0));
    let made = Arc::clone(&n_made);
    let source = range(0..100_u32).inspect(move |_| *made.lock().expect("nobody panics") += 1);

    // At most four items wait for the slower one.
    let shared = source.share(4);
    let (fast, slow) = (Probe::subscribe_to(shared.clone()), Probe::subscribe_to(shared));
    fast.request(100);
    slow.request(2);
    println!("fast has {} items, slow has {}", fast.items().len(), slow.items().len());
    assert!(fast.items().len() <= 6 && slow.items() == [0, 1]);

    slow.request(100);
    let made = *n_made.lock().expect("nobody panics");
    println!("fast has {}, slow has {}; {made} were made", fast.items().len(), slow.items().len());
    assert_eq!((fast.items().len(), slow.items().len(), made), (100, 100, 100));

    // A cache keeps everything for those who come late.
    let cached = range(0..3_u32).map(|n| n * n).cache(16);
    let twice = cached.clone().concat(cached).collect::<Vec<_>>().wait()?;
    println!("from a cache: {twice:?}");
    assert_eq!(twice, [0, 1, 4, 0, 1, 4]);
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
