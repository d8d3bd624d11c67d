//! A broker: what a flow asks for is what JetStream hands out, and each delivery is acknowledged
//! when the work on it is done.
//!
//! `cargo run --example 12-nats`, with a server that it starts by itself where `nats-server` is
//! installed (`cargo xtask servers install`).

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::error::Error;

use millstream::from_iter;
use millstream_nats::{Nats, NatsConfig, Publication, PullConfig, SinkConfig};
use millstream_testservers as servers;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some(server) = servers::Nats::start() else { return Ok(()) };
    let nats = Nats::connect(NatsConfig::at(&server.url())).await?;
    // A stream that keeps all orders, made as any client of NATS makes one.
    let stream = r#"{ "name": "orders", "subjects": ["orders.>"] }"#;
    nats.client().request("$JS.API.STREAM.CREATE.orders", stream.into()).await?;

    let orders = (0..20).map(|n| Publication::new("orders.new", n.to_string()));
    nats.sink(SinkConfig::default())?.run(from_iter(orders)).await?;
    println!("20 orders are stored, each confirmed");

    let deliveries = nats.pull(PullConfig::of("orders", "billing"))?.take(3).collect::<Vec<_>>();
    let deliveries = deliveries.await?;
    for delivery in deliveries {
        println!("order {}", String::from_utf8_lossy(&delivery.payload));
        delivery.ack();
    }
    nats.flush().await?;
    let info = nats.client().request("$JS.API.CONSUMER.INFO.orders.billing", "".into()).await?;
    let info: serde_json::Value = serde_json::from_slice(&info.payload)?;
    println!(
        "3 were asked for; {} wait on the server, {} are not acknowledged",
        info["num_pending"], info["num_ack_pending"]
    );
    assert_eq!((&info["num_pending"], &info["num_ack_pending"]), (&17.into(), &0.into()));
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
