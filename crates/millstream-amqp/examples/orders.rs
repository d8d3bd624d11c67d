//! Orders through a quorum queue: published with ids, worked on 8 at a time, and measured beside
//! the client by itself.
//!
//! ```text
//! cargo xtask servers start
//! cargo run --release -p millstream-amqp --example orders -- --url amqp://127.0.0.1:15672
//! cargo run --release -p millstream-amqp --example orders -- --own --compare 50000
//! ```
//!
//! `--own` starts a broker of its own, which needs `cargo xtask servers install`.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures time")]

use std::{error::Error, time::Instant};

use clap::Parser;
use futures::StreamExt as _;
use lapin::{
    BasicProperties, Channel,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions,
    },
    types::FieldTable,
};
use millstream_amqp::{Amqp, AmqpConfig, ConsumeConfig, Publication, Queue, SinkConfig};
use millstream_pressure::FlowExt as _;

#[derive(Parser)]
struct Args {
    /// Where the broker is.
    #[arg(long, default_value = "amqp://127.0.0.1:5672")]
    url: String,
    /// Starts a broker of its own.
    #[arg(long)]
    own: bool,
    /// Measures with so many messages.
    #[arg(long)]
    compare: Option<u64>,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let server = if args.own { millstream_testservers::Rabbit::start() } else { None };
    let url = server.as_ref().map_or(args.url, millstream_testservers::Rabbit::url);
    let mut config = AmqpConfig::at(&url);
    config.topology.queues = vec![Queue::quorum("orders"), Queue::classic("measured")];
    let amqp = Amqp::connect(config).await?;
    match args.compare {
        Some(n) => compare(&amqp, &url, n).await,
        None => orders(&amqp).await,
    }
}

async fn orders(amqp: &Amqp) -> Result<(), Box<dyn Error>> {
    let orders = millstream::range(1..=20_u64)
        .map(|n| Publication::to_queue("orders", n.to_string()).with_id(format!("order-{n}")));
    amqp.sink(SinkConfig::default())?.run(orders).await?;
    let done = amqp.consume(ConsumeConfig::of("orders"))?.take(20);
    done.for_each_acked(8, |order, envelope| {
        println!("order {order:?}, attempt {}", envelope.attempt);
        async { Ok(()) }
    })
    .await?;
    amqp.flush().await?;
    Ok(())
}

const BOUND: u16 = 1_000;

/// Publishing and consuming `n` messages, beside the client with the same bounds: in turns, and the
/// best of three.
async fn compare(amqp: &Amqp, url: &str, n: u64) -> Result<(), Box<dyn Error>> {
    let sink = amqp.sink(SinkConfig { in_flight: BOUND.into(), ..SinkConfig::default() })?;
    let connection = lapin::Connection::connect(url, lapin::ConnectionProperties::default());
    let connection = connection.await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let (mut best, payload) = ([f64::MAX; 4], vec![b'x'; 128]);
    for _ in 0..3 {
        let start = Instant::now();
        let mut confirms =
            futures::stream::iter(0..n).map(|_| publish(&channel, &payload)).buffered(BOUND.into());
        while let Some(confirmed) = confirms.next().await {
            confirmed?;
        }
        drop(confirms);
        best[0] = best[0].min(start.elapsed().as_secs_f64());

        let consuming = connection.create_channel().await?;
        consuming.basic_qos(BOUND, BasicQosOptions::default()).await?;
        let start = Instant::now();
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = consuming.basic_consume("measured".into(), "".into(), options, none);
        let mut messages = consumer.await?.take(usize::try_from(n)?);
        while let Some(message) = messages.next().await {
            message?.ack(BasicAckOptions::default()).await?;
        }
        consuming.close(200, "OK".into()).await?;
        best[1] = best[1].min(start.elapsed().as_secs_f64());

        let start = Instant::now();
        let flow = millstream::range(0..n).map({
            let payload = payload.clone();
            move |_| Publication::to_queue("measured", payload.clone())
        });
        sink.run(flow).await?;
        best[2] = best[2].min(start.elapsed().as_secs_f64());

        let config = ConsumeConfig { max_prefetch: BOUND, ..ConsumeConfig::of("measured") };
        let start = Instant::now();
        amqp.consume(config)?.take(n).for_each(|delivery| delivery.ack()).await?;
        amqp.flush().await?;
        best[3] = best[3].min(start.elapsed().as_secs_f64());
    }
    for (what, times) in [("publish", [best[0], best[2]]), ("consume", [best[1], best[3]])] {
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

async fn publish(channel: &Channel, payload: &[u8]) -> lapin::Result<lapin::Confirmation> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let properties = BasicProperties::default().with_delivery_mode(2);
    let publishing =
        channel.basic_publish("".into(), "measured".into(), options, payload, properties);
    publishing.await?.await
}
