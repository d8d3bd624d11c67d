//! Orders through JetStream: published with ids, worked on 8 at a time, and measured beside the
//! client by itself.
//!
//! ```text
//! nats-server -js &
//! cargo run --release -p millstream-nats --example orders -- --url nats://127.0.0.1:4222
//! cargo run --release -p millstream-nats --example orders -- --own --compare 200000
//! ```
//!
//! `--own` starts a server of its own, which needs `cargo xtask servers install`.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures time")]

use std::{error::Error, time::Instant};

use async_nats::jetstream::{self, consumer::pull, stream};
use clap::Parser;
use futures::StreamExt as _;
use millstream_nats::{Nats, NatsConfig, Publication, PullConfig, SinkConfig};
use millstream_pressure::FlowExt as _;

#[derive(Parser)]
struct Args {
    /// Where the server is.
    #[arg(long, default_value = "nats://127.0.0.1:4222")]
    url: String,
    /// Starts a server of its own.
    #[arg(long)]
    own: bool,
    /// Measures with so many messages.
    #[arg(long)]
    compare: Option<u64>,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let server = if args.own { millstream_testservers::Nats::start() } else { None };
    let url = server.as_ref().map_or(args.url, millstream_testservers::Nats::url);
    let nats = Nats::connect(NatsConfig::at(&url)).await?;
    let context = jetstream::new(nats.client().clone());
    let config = stream::Config {
        name: "orders".to_owned(),
        subjects: vec!["orders.>".to_owned()],
        ..stream::Config::default()
    };
    context.get_or_create_stream(config).await?;
    match args.compare {
        Some(n) => compare(&nats, &context, n).await,
        None => orders(&nats).await,
    }
}

async fn orders(nats: &Nats) -> Result<(), Box<dyn Error>> {
    let orders = millstream::range(1..=20_u64)
        .map(|n| Publication::new("orders.new", n.to_string()).with_id(format!("order-{n}")));
    nats.sink(SinkConfig::default())?.run(orders).await?;
    let done = nats.pull(PullConfig::of("orders", "billing"))?.take(20);
    done.for_each_acked(8, |order, envelope| {
        println!("order {order:?}, attempt {}", envelope.attempt);
        async { Ok(()) }
    })
    .await?;
    Ok(())
}

/// Publishing and consuming `n` messages, beside the client with the same bounds: in turns, and the
/// best of three.
async fn compare(nats: &Nats, context: &jetstream::Context, n: u64) -> Result<(), Box<dyn Error>> {
    let sink = nats.sink(SinkConfig { in_flight: 1_000, ..SinkConfig::default() })?;
    let stream = context.get_stream("orders").await?;
    let (mut best, payload) = ([f64::MAX; 4], vec![b'x'; 128]);
    for round in 0..3 {
        stream.purge().await?;
        let start = Instant::now();
        let bounded = jetstream::context::ContextBuilder::new().max_ack_inflight(1_000);
        let client = bounded.build(nats.client().clone());
        let mut acks = futures::stream::iter(0..n)
            .map(|_| {
                let (client, payload) = (client.clone(), payload.clone());
                async move { client.publish("orders.new", payload.into()).await?.await }
            })
            .buffered(1_000);
        while let Some(ack) = acks.next().await {
            ack?;
        }
        drop(acks);
        best[0] = best[0].min(start.elapsed().as_secs_f64());

        stream.purge().await?;
        let start = Instant::now();
        let flow = millstream::range(0..n).map({
            let payload = payload.clone();
            move |_| Publication::new("orders.new", payload.clone())
        });
        sink.run(flow).await?;
        best[1] = best[1].min(start.elapsed().as_secs_f64());

        let name = format!("client-{round}");
        let consumer = stream
            .create_consumer(pull::Config {
                durable_name: Some(name),
                max_ack_pending: 10_000,
                ..pull::Config::default()
            })
            .await?;
        let start = Instant::now();
        let mut messages = consumer.stream().max_messages_per_batch(1_000).messages().await?;
        for _ in 0..n {
            let Some(message) = messages.next().await else { break };
            message?.ack().await.map_err(|error| error.to_string())?;
        }
        drop(messages);
        nats.client().flush().await?;
        best[2] = best[2].min(start.elapsed().as_secs_f64());

        let config = PullConfig::of("orders", &format!("flow-{round}"));
        let start = Instant::now();
        let done = nats.pull(config)?.take(n).for_each(|delivery| delivery.ack());
        done.await?;
        nats.client().flush().await?;
        best[3] = best[3].min(start.elapsed().as_secs_f64());
    }
    for (what, times) in [("publish", [best[0], best[1]]), ("consume", [best[2], best[3]])] {
        let rates = times.map(|time| n as f64 / time);
        println!(
            "{what}: the client {:.0} a second, millstream {:.0}, ratio {:.2}",
            rates[0],
            rates[1],
            rates[1] / rates[0]
        );
    }
    Ok(())
}
