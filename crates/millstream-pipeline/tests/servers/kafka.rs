//! Kafka as source and sink, beside its own broker.

use std::time::Duration;

use millstream_pipeline::{Pipeline, Spec, Verdict};
use millstream_testservers as servers;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
};
use tokio::runtime::Runtime;

use crate::{start, wait_until};

/// The broker, with topics of a test's own.
struct Desk {
    server: &'static servers::Kafka,
    name: &'static str,
}

impl Desk {
    /// A topic to read with 3 partitions, and one to write with 1.
    fn new(name: &'static str) -> Option<Self> {
        let desk = Self { server: servers::Kafka::shared()?, name };
        let admin: AdminClient<DefaultClientContext> = desk.client().create().unwrap();
        let of = |topic, partitions| NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let (from, to) = (desk.yaml("FROM"), desk.yaml("TO"));
        let wait = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
        let topics = [of(&from, 3), of(&to, 1)];
        let creating = admin.create_topics(&topics, &wait);
        for created in Runtime::new().unwrap().block_on(creating).unwrap() {
            created.unwrap();
        }
        Some(desk)
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", self.server.address());
        client.set("group.id", format!("{}-group", self.name));
        client
    }

    fn yaml(&self, text: &str) -> String {
        text.replace("AT", &format!("connection: {{ brokers: ['{}'] }}", self.server.address()))
            .replace("FROM", &format!("{}-from", self.name))
            .replace("GROUP", &format!("{}-group", self.name))
            .replace("TO", &format!("{}-to", self.name))
    }

    /// Numbers into the topic that is read, by the sink.
    fn fill(&self, n: u32) {
        let filled = start(&self.yaml(&format!(
            "source: {{ generate: {{ rate: 1000000, count: {n}, item: \"{{'n': n}}\" }} }}
sink: {{ kafka: {{ AT, topic: FROM, key: string(n) }} }}"
        )));
        assert_eq!(filled.wait().unwrap().arrived, u64::from(n));
    }

    /// A pipeline from the topic that is read.
    fn pipeline(&self, rest: &str) -> String {
        self.yaml(&format!(
            "source:\n  kafka: {{ AT, topics: [FROM], group: GROUP, session_timeout: 3s }}\n{rest}"
        ))
    }

    /// How many records a topic has.
    fn n_in(&self, topic: &str, partitions: i32) -> i64 {
        let consumer: BaseConsumer = self.client().create().unwrap();
        let of = |n| consumer.fetch_watermarks(&self.yaml(topic), n, Duration::from_secs(10));
        (0..partitions).map(|n| of(n).unwrap().1).sum()
    }

    /// How many the group has committed.
    fn n_committed(&self) -> i64 {
        let consumer: BaseConsumer = self.client().create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_range(&self.yaml("FROM"), 0, 2);
        let list = consumer.committed_offsets(list, Duration::from_secs(10)).unwrap();
        let of = |offset| if let Offset::Offset(n) = offset { n } else { 0 };
        list.elements().iter().map(|each| of(each.offset())).sum()
    }
}

#[test]
fn what_arrived_or_was_left_out_is_committed_before_the_end() {
    let Some(desk) = Desk::new("all") else { return };
    desk.fill(1_000);
    assert_eq!(desk.n_in("FROM", 3), 1_000);

    let running = start(&desk.pipeline(
        "stages: [{ parse: json }, { filter: n % 4 == 0 }, { queue: q }]
sink: { kafka: { AT, topic: TO, compression: lz4 } }
backpressure: { queues: { q: { size: 50 } } }",
    ));
    let handle = running.handle();
    wait_until("all to be taken", || handle.status().taken == 1_000);
    wait_until("a quarter to arrive", || handle.status().arrived == 250);
    handle.stop();
    running.wait().unwrap();

    assert_eq!((desk.n_in("TO", 1), desk.n_committed()), (250, 1_000));
}

#[test]
fn what_had_not_arrived_is_delivered_again() {
    let Some(desk) = Desk::new("again") else { return };
    desk.fill(40);
    let running = start(&desk.pipeline(
        "stages: [{ queue: q }]
sink: { 'null': { rate: 1/min } }
backpressure: { queues: { q: { size: 80 } } }",
    ));
    let handle = running.handle();
    wait_until("all to be taken", || handle.status().taken == 40);
    let n_arrived = handle.status().arrived;
    handle.abort();
    running.wait().unwrap_err();
    assert!(n_arrived <= 1 && desk.n_committed() <= 1, "{n_arrived}");

    let again = start(&desk.pipeline("sink: { kafka: { AT, topic: TO } }"));
    let handle = again.handle();
    wait_until("the rest to arrive", || handle.status().arrived + n_arrived >= 40);
    handle.stop();
    again.wait().unwrap();

    assert_eq!(desk.n_committed(), 40);
}

#[test]
fn what_is_missing_is_found_before_and_while_it_runs() {
    let Some(desk) = Desk::new("doctor") else { return };
    let findings = |yaml: &str| {
        let found = Pipeline::new(Spec::from_yaml(yaml).unwrap()).diagnose();
        let bad = found.into_iter().filter(|it| it.verdict == Verdict::Fails);
        bad.map(|finding| finding.reason).collect::<Vec<_>>()
    };
    let good = desk.pipeline("sink: { kafka: { AT, topic: TO } }");
    assert_eq!(findings(&good), Vec::<String>::new());
    let wrong = desk.pipeline("sink: { kafka: { AT, topic: TOO } }");
    let found = findings(&wrong);
    assert!(found[0].contains("there is no topic doctor-toO: is it doctor-to?"), "{found:?}");

    let running = start(&desk.yaml(
        "source: { generate: { rate: 10, count: 1 } }
sink: { kafka: { AT, topic: nowhere, ack_timeout: 2s } }",
    ));
    let error = running.wait().unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
