//! More than fits into memory: items wait on the disk, in order, and memory stays as it is.
//!
//! `cargo run --example 11-spill`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;

use millstream::{range, scheduler::Pool};
use millstream_spill::{Config, Durability, FlowExt as _, Spill, codec::U64};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let disk = Pool::named("disk", 1); // its thread is blocked while the disk works
    let config = Config { durability: Durability::Process, ..Config::default() };
    let spill = Spill::at(directory.path()).config(config).processor(U64, 64, &disk)?;
    let monitor = spill.monitor();

    let sum = range(0..50_000_u64)
        .spill(spill) // 64 in memory, the rest on the disk
        .publish_on(&Pool::new(1))
        .fold(0, |sum, n| sum + n)
        .wait()?;

    println!("50,000 items went through a memory of 64: {:?}", monitor.snapshot());
    assert_eq!(sum, 50_000 * 49_999 / 2);
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
