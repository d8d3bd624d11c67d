//! JetStream as source and sink.

use millstream_nats::{Nats, NatsConfig, Publication, SinkConfig};
use millstream_pipeline::{Pipeline, Spec};
use millstream_testservers::{self as servers, NatsSetup};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{start, wait_until};

/// A client of a server with the streams `orders` and `results`.
struct Desk {
    server: servers::Nats,
    runtime: Runtime,
    nats: Nats,
}

impl Desk {
    fn new() -> Option<Self> {
        let server = servers::Nats::start()?;
        let runtime = Runtime::new().unwrap();
        let nats = runtime.block_on(Nats::connect(NatsConfig::at(&server.url()))).unwrap();
        let desk = Self { server, runtime, nats };
        for name in ["orders", "results"] {
            let stream = json!({ "name": name, "subjects": [format!("{name}.>")] });
            desk.ask(&format!("STREAM.CREATE.{name}"), &stream);
        }
        Some(desk)
    }

    /// Asks JetStream, which has no error.
    fn ask(&self, what: &str, body: &Value) -> Value {
        let answer = self.answer(what, body);
        assert!(answer.get("error").is_none(), "{what}: {answer}");
        answer
    }

    fn answer(&self, what: &str, body: &Value) -> Value {
        let subject = format!("$JS.API.{what}");
        let asking = self.nats.client().request(subject, body.to_string().into());
        let answer = self.runtime.block_on(asking).unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }

    fn publish(&self, payloads: impl IntoIterator<Item = String> + Send + 'static) {
        let sink = self.nats.sink(SinkConfig::default()).unwrap();
        let iter = payloads.into_iter().collect::<Vec<_>>();
        let messages = iter.into_iter().map(|text| Publication::new("orders.new", text));
        self.runtime.block_on(async { sink.run(millstream::from_iter(messages)).await }).unwrap();
    }

    /// How many messages a stream has.
    fn n_in(&self, stream: &str) -> u64 {
        self.ask(&format!("STREAM.INFO.{stream}"), &json!({}))["state"]["messages"]
            .as_u64()
            .unwrap()
    }

    /// How many of the consumer's messages are unacknowledged, and up to which all are.
    fn acks(&self) -> (u64, u64) {
        // It may not be there yet.
        let info = self.answer("CONSUMER.INFO.orders.work", &json!({}));
        let floor = info["ack_floor"]["stream_seq"].as_u64().unwrap_or_default();
        (info["num_ack_pending"].as_u64().unwrap_or_default(), floor)
    }

    /// A pipeline from `orders`.
    fn pipeline(&self, rest: &str) -> String {
        let url = self.server.url();
        let source = format!(
            "source:\n  nats: {{ connection: {{ servers: [URL] }}, stream: orders, consumer: work }}\n{rest}"
        );
        source.replace("URL", &format!("'{url}'"))
    }
}

#[test]
fn what_arrived_or_was_left_out_is_acknowledged_before_the_end() {
    let Some(desk) = Desk::new() else { return };
    desk.publish((0..1_000).map(|n| json!({ "n": n }).to_string()));
    let running = start(&desk.pipeline(
        "stages: [{ parse: json }, { filter: n % 4 == 0 }, { queue: q }]
sink:
  nats: { connection: { servers: [URL] }, subject: results.of, id: string(n) }
backpressure: { queues: { q: { size: 50 } } }",
    ));
    let handle = running.handle();
    wait_until("all to arrive", || handle.status().arrived == 250);
    wait_until("all to be taken", || handle.status().taken == 1_000);
    handle.stop();

    let status = running.wait().unwrap();

    assert_eq!((status.taken, status.arrived, status.lost()), (1_000, 250, 0));
    assert_eq!(desk.n_in("results"), 250);
    assert_eq!(desk.acks(), (0, 1_000));
}

#[test]
fn what_had_not_arrived_is_delivered_again() {
    let Some(desk) = Desk::new() else { return };
    desk.publish((0..100).map(|n| n.to_string()));
    let slow = start(&desk.pipeline(
        "stages: [{ queue: q }]
sink: { 'null': { rate: 1/min } }
backpressure: { queues: { q: { size: 80 } } }",
    ));
    let handle = slow.handle();
    wait_until("some to be taken", || handle.status().taken > 50);
    handle.abort();
    slow.wait().unwrap_err();
    drop(handle);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");

    let again = start(&desk.pipeline(&format!("sink: {{ file: {{ path: {} }} }}", out.display())));
    let handle = again.handle();
    wait_until("the rest", || desk.acks() == (0, 100));
    handle.stop();
    again.wait().unwrap();

    let text = std::fs::read_to_string(out).unwrap();
    let mut numbers: Vec<u64> = text.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    // One at the most had arrived where it goes nowhere.
    assert!(numbers.len() >= 99, "{numbers:?}");
}

#[test]
fn what_a_queue_drops_and_what_no_stage_can_read_does_not_come_again() {
    let Some(desk) = Desk::new() else { return };
    desk.publish((0..500).map(|n| if n == 0 { "{".to_owned() } else { format!("{{\"n\":{n}}}") }));
    let running = start(&desk.pipeline(
        "on_error: skip
stages: [{ parse: json }, { queue: q }]
sink: { 'null': { rate: 2000 } }
backpressure: { queues: { q: { size: 10, strategy: drop_oldest } } }",
    ));
    let handle = running.handle();

    wait_until("all to be settled", || desk.acks() == (0, 500));
    handle.stop();
    let status = running.wait().unwrap();

    assert_eq!((status.taken, status.skipped), (500, 1));
    assert!(status.dropped > 0 && status.arrived + status.dropped == 499, "{status:?}");
}

#[test]
fn what_is_on_the_disk_is_acknowledged() {
    let Some(desk) = Desk::new() else { return };
    desk.publish((0..200).map(|n| n.to_string()));
    let folder = tempfile::tempdir().unwrap();
    let spill = folder.path().join("spill").display().to_string();
    let running = start(&desk.pipeline(&format!(
        "stages: [{{ spill: {{ directory: {spill}, memory: 0 }} }}]\nsink: {{ 'null': {{ rate: 1/min }} }}",
    )));

    wait_until("all to be stored", || desk.acks() == (0, 200));

    assert!(running.handle().status().arrived < 200);
    running.handle().abort();
}

#[test]
fn what_is_wrong_with_a_server_is_said_without_secrets() {
    let user = Some(("pipeline".to_owned(), "correct horse".to_owned()));
    let setup = NatsSetup { user, ..NatsSetup::default() };
    let Some(server) = servers::Nats::start_with(&setup) else { return };
    let yaml = format!(
        "source:
  nats:
    connection:
      servers: ['{}']
      user: pipeline
      password: ${{PASSWORD}}
    stream: orders
    consumer: work
sink: {{ 'null': {{}} }}",
        server.url()
    );
    let start = |password: &str| {
        let variables = [("PASSWORD".to_owned(), password.to_owned())];
        let spec = Spec::with_variables(&yaml, variables).unwrap();
        assert!(!format!("{spec:?}").contains(password));
        Pipeline::new(spec).start().map_err(|error| error.to_string())
    };

    let refused = start("hunter2").unwrap_err();
    assert!(refused.contains("refuses the credentials"), "{refused}");
    // Connected, but there is no such stream.
    let failed = start("correct horse").unwrap().wait().unwrap_err().to_string();
    assert!(failed.starts_with("nats: ") && failed.contains("orders"), "{failed}");
    assert!(!failed.contains("horse"), "{failed}");
}

#[test]
fn a_sink_outlives_a_restart_of_its_server() {
    let Some(mut desk) = Desk::new() else { return };
    let url = desk.server.url();
    let running = start(&format!(
        "source: {{ generate: {{ rate: 500, count: 1000 }} }}
sink:
  nats: {{ connection: {{ servers: ['{url}'] }}, subject: results.of, id: string(n), ack_timeout: 500ms }}",
    ));
    let handle = running.handle();
    wait_until("a few to arrive", || handle.status().arrived > 100);
    desk.server.kill();
    desk.server.restart();

    let status = running.wait().unwrap();

    assert_eq!(status.arrived, 1_000);
    wait_until("the client", || desk.nats.client().connection_state().to_string() == "connected");
    assert_eq!(desk.n_in("results"), 1_000);
}

#[test]
fn a_doctor_knows_what_jetstream_has() {
    let Some(desk) = Desk::new() else { return };
    desk.publish((0..3).map(|n| n.to_string()));
    let diagnose = |yaml: &str| {
        let findings = Pipeline::new(Spec::from_yaml(yaml).unwrap()).diagnose();
        let shown = findings.into_iter().map(|it| format!("{} {}", it.verdict.name(), it.reason));
        shown.collect::<Vec<_>>().join("\n")
    };
    let yaml =
        desk.pipeline("sink:\n  nats: { connection: { servers: [URL] }, subject: results.of }");

    let good = diagnose(&yaml);
    assert!(good.contains("orders is there: 3 messages"), "{good}");
    assert!(good.contains("work is not there, and will be created"), "{good}");
    assert!(good.contains("results.of is taken by results") && !good.contains("fails"), "{good}");
    let wrong = diagnose(&yaml.replace("stream: orders", "stream: order"));
    assert!(wrong.contains("fails there is no stream order: is it orders?"), "{wrong}");
    let wrong = diagnose(&yaml.replace("results.of", "nowhere"));
    assert!(wrong.contains("fails nowhere is taken by no stream"), "{wrong}");
    desk.ask(
        "CONSUMER.CREATE.orders.work",
        &json!({ "stream_name": "orders", "config": {
            "durable_name": "work", "ack_policy": "explicit", "ack_wait": 7_000_000_000_u64 } }),
    );
    let other = diagnose(&yaml);
    assert!(other.contains("with an ack_wait of 7s, which counts"), "{other}");
}
