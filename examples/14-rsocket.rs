//! Demand over a network: what a client asks for is what a server makes.
//!
//! `cargo run --example 14-rsocket`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;

use millstream::range;
use millstream_rsocket::{Answers, Client, Payload, Responder, Server};

/// Has a million orders, and makes those that are asked for.
struct Shop;

impl Responder for Shop {
    fn request_stream(&self, _request: Payload) -> Answers {
        let orders = range(1..=1_000_000_u64).inspect(|n| println!("server: makes order {n}"));
        orders.map(|n| Payload::from(format!("order {n}"))).boxed()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = Server::new(Shop).listen_tcp("127.0.0.1:0").await?;
    let requester = Client::new().connect_tcp(listener.address()).await?;

    let orders: Vec<_> = requester.request_stream("orders").take(3).collect().await?;

    println!("client: has {} orders, and has canceled", orders.len());
    assert_eq!(orders[2].data, "order 3");
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
