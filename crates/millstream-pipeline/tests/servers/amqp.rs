//! RabbitMQ as source and sink.

use millstream_amqp::{Amqp, AmqpConfig, Exchange, ExchangeKind, Queue};
use millstream_pipeline::{Pipeline, Spec};
use millstream_testservers as servers;
use tokio::runtime::Runtime;

use crate::{start, wait_until};

/// A broker for all tests, and queues of a test's own.
struct Desk {
    server: &'static servers::Rabbit,
    runtime: Runtime,
    amqp: Amqp,
    name: &'static str,
}

impl Desk {
    /// `NAME-from` and `NAME-to` are there, and the fanout `NAME-all`, from which both get
    /// everything.
    fn new(name: &'static str) -> Option<Self> {
        let server = servers::Rabbit::shared(&servers::RabbitSetup::default())?;
        let runtime = Runtime::new().unwrap();
        let mut config = AmqpConfig::at(&server.url());
        config.connect_timeout = std::time::Duration::from_secs(30);
        let queue = |end: &str| Queue::classic(&format!("{name}-{end}"));
        config.topology.queues = vec![queue("from"), queue("to")];
        let exchange = Exchange { name: format!("{name}-all"), kind: ExchangeKind::Fanout };
        let binding = |end: &str| millstream_amqp::Binding {
            queue: format!("{name}-{end}"),
            exchange: exchange.name.clone(),
            ..Default::default()
        };
        config.topology.bindings = vec![binding("from"), binding("to")];
        config.topology.exchanges = vec![exchange];
        let amqp = runtime.block_on(Amqp::connect(config)).unwrap();
        Some(Self { server, runtime, amqp, name })
    }

    /// `AT` is a connection, and `FROM`, `TO` and `ALL` are names.
    fn yaml(&self, text: &str) -> String {
        let (url, name) = (self.server.url(), self.name);
        let connection = format!("connection: {{ server: '{url}', connect_timeout: 30s }}");
        text.replace("AT", &connection)
            .replace("FROM", &format!("{name}-from"))
            .replace("TO", &format!("{name}-to"))
            .replace("ALL", &format!("{name}-all"))
    }

    /// How many messages wait in a queue, if it is there.
    fn waiting(&self, queue: &str) -> Option<u32> {
        let queue = self.yaml(queue);
        let state = self.runtime.block_on(self.amqp.queue(&queue)).unwrap();
        state.map(|state| state.messages)
    }

    fn fill(&self, n: u32) {
        let filled = start(&self.yaml(&format!(
            "source: {{ generate: {{ rate: 1000000, count: {n}, item: \"{{'n': n}}\" }} }}
sink: {{ amqp: {{ AT, queue: FROM, id: string(n) }} }}"
        )));
        assert_eq!(filled.wait().unwrap().arrived, u64::from(n));
        assert_eq!(self.waiting("FROM"), Some(n));
    }
}

#[test]
fn what_arrived_or_was_left_out_is_acknowledged_before_the_end() {
    let Some(desk) = Desk::new("arrived") else { return };
    desk.fill(1_000);
    let running = start(&desk.yaml(
        "source: { amqp: { AT, queue: FROM } }
stages: [{ parse: json }, { filter: n % 4 == 0 }, { queue: q }]
sink: { amqp: { AT, queue: TO, in_flight: 20 } }
backpressure: { queues: { q: { size: 50 } } }",
    ));
    let handle = running.handle();
    wait_until("all to be taken", || handle.status().taken == 1_000);
    wait_until("a quarter to arrive", || handle.status().arrived == 250);
    handle.stop();

    let status = running.wait().unwrap();

    assert_eq!((status.taken, status.arrived, status.lost()), (1_000, 250, 0));
    // Its consumer is gone: what was not acknowledged would wait again.
    wait_until("the consumer to go", || desk.waiting("FROM") == Some(0));
    assert_eq!(desk.waiting("TO"), Some(250));
}

#[test]
fn what_had_not_arrived_waits_again_and_no_more_is_held_than_is_allowed() {
    let Some(desk) = Desk::new("again") else { return };
    desk.fill(100);
    let running = start(&desk.yaml(
        "source: { amqp: { AT, queue: FROM, max_unacknowledged: 40 } }
stages: [{ queue: q }]
sink: { 'null': { rate: 1/min } }
backpressure: { queues: { q: { size: 80 } } }",
    ));
    let handle = running.handle();
    wait_until("as many as are allowed", || handle.status().taken >= 40);
    let n_held = 100 - desk.waiting("FROM").unwrap();
    let n_arrived = u32::try_from(handle.status().arrived).unwrap();
    assert!((1..=41).contains(&n_held), "{n_held}");
    handle.abort();
    running.wait().unwrap_err();

    wait_until("the rest", || desk.waiting("FROM").is_some_and(|n| n >= 99 - n_arrived));
}

#[test]
fn what_no_stage_can_read_does_not_come_again() {
    let Some(desk) = Desk::new("unread") else { return };
    let filled = start(&desk.yaml(
        "source: { generate: { rate: 1000000, count: 50, item: \"n == 7 ? '{' : '{}'\" } }
sink: { amqp: { AT, queue: FROM } }",
    ));
    filled.wait().unwrap();
    let running = start(&desk.yaml(
        "source: { amqp: { AT, queue: FROM } }
on_error: skip
stages: [{ parse: json }]
sink: { 'null': {} }",
    ));
    let handle = running.handle();
    wait_until("all", || handle.status().arrived == 49 && handle.status().skipped == 1);
    handle.stop();
    running.wait().unwrap();

    wait_until("the consumer to go", || desk.waiting("FROM") == Some(0));
}

#[test]
fn an_exchange_routes_and_a_queue_is_declared() {
    let Some(desk) = Desk::new("routes") else { return };
    let all = start(&desk.yaml(
        "source: { generate: { rate: 1000000, count: 10 } }
sink: { amqp: { AT, exchange: ALL, key: string(n) } }",
    ));
    assert_eq!(all.wait().unwrap().arrived, 10);
    assert_eq!((desk.waiting("FROM"), desk.waiting("TO")), (Some(10), Some(10)));

    assert_eq!(desk.waiting("routes-new"), None);
    let new = start(&desk.yaml(
        "source: { generate: { rate: 1000000, count: 3 } }
sink: { amqp: { AT, queue: routes-new, declare: classic } }",
    ));
    assert_eq!(new.wait().unwrap().arrived, 3);
    assert_eq!(desk.waiting("routes-new"), Some(3));

    let nowhere = start(&desk.yaml(
        "source: { generate: { rate: 1000000, count: 3 } }
sink: { amqp: { AT, queue: routes-nowhere } }",
    ));
    let error = nowhere.wait().unwrap_err().to_string();
    assert!(error.contains("routes-nowhere") && error.contains("taken by no queue"), "{error}");
}

#[test]
fn a_doctor_knows_what_the_broker_has() {
    let Some(desk) = Desk::new("doctor") else { return };
    desk.fill(3);
    let diagnose = |yaml: &str| {
        let findings = Pipeline::new(Spec::from_yaml(&desk.yaml(yaml)).unwrap()).diagnose();
        let shown = findings.into_iter().map(|it| format!("{} {}", it.verdict.name(), it.reason));
        shown.collect::<Vec<_>>().join("\n")
    };

    let good =
        diagnose("source: { amqp: { AT, queue: FROM } }\nsink: { amqp: { AT, exchange: ALL } }");
    assert!(good.contains("doctor-from is there: 3 messages, 0 consumers"), "{good}");
    assert!(good.contains("doctor-all is there") && !good.contains("fails"), "{good}");
    let new = diagnose(
        "source: { amqp: { AT, queue: new, declare: quorum } }
sink: { amqp: { AT, queue: missing } }",
    );
    assert!(new.contains("holds new is not there, and will be created"), "{new}");
    assert!(new.contains("fails there is no queue missing"), "{new}");
    // It was only asked for.
    assert_eq!(desk.waiting("new"), None);
    let wrong = diagnose("source: { stdin: {} }\nsink: { amqp: { AT, exchange: missing } }");
    assert!(wrong.contains("fails there is no exchange missing"), "{wrong}");
}

#[test]
fn what_is_wrong_with_a_broker_is_said_without_secrets() {
    let Some(desk) = Desk::new("secret") else { return };
    let yaml = format!(
        "source: {{ stdin: {{}} }}
sink:
  amqp:
    connection:
      server: '{}'
      user: pipeline
      password: ${{PASSWORD}}
      connect_timeout: 30s
    queue: orders",
        desk.server.url()
    );
    let variables = [("PASSWORD".to_owned(), "correct horse".to_owned())];
    let spec = Spec::with_variables(&yaml, variables).unwrap();
    assert!(!format!("{spec:?}").contains("horse"));

    let refused = Pipeline::new(spec).start().map_err(|error| error.to_string()).unwrap_err();

    assert!(refused.contains("refuses the credentials"), "{refused}");
    assert!(!refused.contains("horse"), "{refused}");
}
