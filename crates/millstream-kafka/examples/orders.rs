//! Orders through a consumer group, each partition in its order and several at a time, and measured
//! beside the client by itself.
//!
//! ```text
//! cargo xtask servers install && cargo xtask servers start
//! cargo run --release -p millstream-kafka --example orders -- --broker 127.0.0.1:19092
//! cargo run --release -p millstream-kafka --example orders -- --own --compare 500000
//! ```
//!
//! `--own` starts a broker of its own.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program that measures time")]

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use clap::Parser;
use futures::{StreamExt as _, stream};
use millstream_kafka::{ConsumerConfig, Kafka, KafkaAck, KafkaConfig};
use millstream_pressure::{Delivery, FlowExt as _};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
    producer::{FutureProducer, FutureRecord},
};

#[derive(Parser)]
struct Args {
    /// Where a broker is.
    #[arg(long, default_value = "127.0.0.1:9092")]
    broker: String,
    /// Starts a broker of its own.
    #[arg(long)]
    own: bool,
    /// Measures with so many records.
    #[arg(long)]
    compare: Option<u64>,
}

#[tokio::main(flavor = "multi_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let server = if args.own { millstream_testservers::Kafka::start() } else { None };
    let broker = server.as_ref().map_or(args.broker, millstream_testservers::Kafka::address);
    let kafka = Kafka::connect(KafkaConfig::at(&broker)).await?;
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &broker).set("linger.ms", "5");
    let admin: AdminClient<DefaultClientContext> = client.create()?;
    // One that exists is used as it is.
    let new = NewTopic::new("orders", 4, TopicReplication::Fixed(1));
    admin.create_topics([&new], &AdminOptions::new()).await?;
    publish(&client, args.compare.unwrap_or(40)).await?;
    match args.compare {
        Some(n) => compare(&kafka, &client, n).await,
        None => orders(&kafka).await,
    }
}

async fn publish(client: &ClientConfig, n: u64) -> Result<(), Box<dyn Error>> {
    let producer: FutureProducer = client.create()?;
    let payload = "x".repeat(128);
    let sending = stream::iter(0..n).map(|n| {
        let (producer, key, payload) = (producer.clone(), (n % 100).to_string(), &payload);
        async move {
            let record = FutureRecord::to("orders").key(&key).payload(payload);
            producer.send(record, Duration::from_secs(30)).await.map_err(|(error, _)| error)
        }
    });
    let mut sending = sending.buffer_unordered(10_000);
    while let Some(sent) = sending.next().await {
        sent?;
    }
    Ok(())
}

async fn orders(kafka: &Kafka) -> Result<(), Box<dyn Error>> {
    let deliveries = kafka.consumer(ConsumerConfig::of("orders", "billing"))?.deliveries();
    let partition =
        |delivery: &Delivery<_, KafkaAck>| delivery.envelope.position.clone().map(|at| at.sequence);
    let work = deliveries.take(40).group_map(partition, |partition| {
        partition.map_async_acked(1, |order, envelope| {
            let at = envelope.position.as_ref().map(ToString::to_string).unwrap_or_default();
            println!("{at}: {} bytes", order.map_or(0, |order| order.len()));
            async { Ok(()) }
        })
    });
    work.for_each(Delivery::ack).await?;
    kafka.all_have_left().await;
    Ok(())
}

/// Consuming `n` records and committing them, beside the client with the same bounds: in turns, and
/// the best of three. The time has joining and leaving the group in it.
async fn compare(kafka: &Kafka, client: &ClientConfig, n: u64) -> Result<(), Box<dyn Error>> {
    let mut best = [f64::MAX; 2];
    for round in 0..3 {
        let (client, group) = (client.clone(), format!("client-{round}"));
        let time = tokio::task::spawn_blocking(move || by_the_client(client, &group, n)).await??;
        best[0] = best[0].min(time);

        let flow = kafka.consumer(ConsumerConfig::of("orders", &format!("flow-{round}")))?;
        let start = Instant::now();
        let done = flow.deliveries().take(n).for_each(|delivery| {
            black_box(&delivery.payload);
            delivery.ack();
        });
        done.await?;
        kafka.all_have_left().await;
        best[1] = best[1].min(start.elapsed().as_secs_f64());
    }
    let rates = best.map(|time| n as f64 / time);
    println!(
        "consume: the client {:.0} a second, millstream {:.0}, ratio {:.2}",
        rates[0],
        rates[1],
        rates[1] / rates[0]
    );
    Ok(())
}

/// The records belong to those who work on them, as in a flow, and are committed every second.
fn by_the_client(mut client: ClientConfig, group: &str, n: u64) -> Result<f64, KafkaError> {
    client
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("queued.max.messages.kbytes", "16384");
    let start = Instant::now();
    let consumer: BaseConsumer = client.create()?;
    consumer.subscribe(&["orders"])?;
    let (mut committed, mut list, mut done) = (Instant::now(), TopicPartitionList::new(), 0);
    while done < n {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
        let message = message?.detach();
        black_box(&message);
        done += 1;
        let next = Offset::Offset(message.offset() + 1);
        if list.set_partition_offset("orders", message.partition(), next).is_err() {
            list.add_partition_offset("orders", message.partition(), next)?;
        }
        if committed.elapsed() > Duration::from_secs(1) {
            consumer.commit(&list, CommitMode::Async)?;
            committed = Instant::now();
        }
    }
    consumer.commit(&list, CommitMode::Sync)?;
    drop(consumer);
    Ok(start.elapsed().as_secs_f64())
}
