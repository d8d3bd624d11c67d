//! Calls to a service, eight at a time, whose answers come in the order of the items.
//!
//! `cargo run --example 06-async-calls`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::time::Duration;

use millstream::{Error, range};

/// A service that takes its time.
async fn price(order: u64) -> Result<u64, Error> {
    tokio::time::sleep(Duration::from_millis(10 - order % 10)).await;
    if order == 1_000 { Err(Error::message("no such order")) } else { Ok(order * 3) }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // No more than 8 calls are in flight, and the range makes no more numbers than that needs.
    let prices = range(0..100).map_async(8, price).flatten_results();

    let prices: Vec<_> = prices.collect().await?;

    println!("100 calls, 8 at a time: {:?} ...", &prices[..5]);
    assert_eq!(prices, (0..100).map(|order| order * 3).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
