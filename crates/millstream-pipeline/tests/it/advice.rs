//! What an audit and a doctor say.

use std::net::TcpListener;

use millstream_pipeline::{Finding, Pipeline, Spec, Verdict};

use crate::Desk;

fn audit(yaml: &str) -> Vec<Finding> {
    let spec = Spec::from_yaml(yaml).unwrap_or_else(|error| panic!("{error}"));
    Pipeline::new(spec).audit()
}

fn failures(findings: &[Finding]) -> Vec<&str> {
    let failed = findings.iter().filter(|finding| finding.verdict == Verdict::Fails);
    failed.map(|finding| finding.reason.as_str()).collect()
}

const SOUND: &str = "
source: { file: { path: in.jsonl } }
on_error: skip
stages:
  - parse: json
  - filter: n > 0
  - queue: q
sink: { file: { path: out.jsonl } }
backpressure: { queues: { q: { size: 500 } } }
";

#[test]
fn a_sound_pipeline_has_no_failure_and_each_item_an_answer() {
    let findings = audit(SOUND);

    assert_eq!(failures(&findings), [] as [&str; 0]);
    assert!(findings.len() >= 25 && findings.iter().all(|finding| !finding.reason.is_empty()));
    assert!(findings.iter().any(|finding| finding.reason.contains("worst-case memory")));
}

#[test]
fn each_mistake_is_found_and_says_what_to_do() {
    let says = |from: &str, to: &str, part: &str| {
        assert!(SOUND.contains(from), "{from}");
        let findings = audit(&SOUND.replacen(from, to, 1));
        let failed = failures(&findings);
        assert!(failed.len() == 1 && failed[0].contains(part), "{part}: {failed:?}");
    };
    says("size: 500", "size: 500, strategy: drop_newest", "queue q drops");
    says("size: 500", "size: 5000", "set backpressure.queues.q.bytes");
    says("size: 500", "size: 500, low_watermark: 0.75", "flaps between them");
    says("size: 500", "size: 500, high_watermark: 0.95", "called high at 0.95");
    says("on_error: skip", "on_error: fail", "stages[0], stages[1] can do nothing");
    says("source:", "monitoring: { metrics_interval: 5m }\nsource:", "a minute at most");
    let depth = "monitoring: { alert_thresholds: { queue_depth: 0.99 } }\nsource:";
    says("source:", depth, "at most 0.9 leaves time");
    let credits = "flow_control: { initial_credits: 200 }\nsource:";
    says("source:", credits, "never more than 200 are on");
    says(
        "  - queue: q",
        "  - queue: q\n  - spill: { directory: /tmp/x }",
        "which a restart empties",
    );
    says("file: { path: in.jsonl }", "tcp: { listen: '0.0.0.0:9000' }", "anybody who reaches");
    let load = "generate: { rate: 95, item: \"{'n': n}\" }";
    let generated = SOUND
        .replacen("file: { path: in.jsonl }", load, 1)
        .replace("- parse: json", "- rate: { rate: 100 }");
    assert!(failures(&audit(&generated))[0].contains("queues fill at every burst"));
}

#[cfg(feature = "nats")]
#[test]
fn what_a_broker_needs_is_asked() {
    let broker = SOUND
        .replacen("file: { path: in.jsonl }", "nats: { stream: orders, consumer: work }", 1)
        .replacen("on_error: skip", "on_error: fail", 1);
    let findings = audit(&broker);
    assert!(failures(&findings).iter().any(|why| why.contains("delivered again after a restart")));
    let by_hand = findings.iter().filter(|finding| finding.verdict == Verdict::ByHand);
    let items: Vec<_> = by_hand.map(|finding| finding.item).collect();
    assert!(items.contains(&"what is delivered twice does no harm"), "{items:?}");

    let secret = "nats: { connection: { token: abcdef }, stream: orders, consumer: work }";
    let findings = audit(&SOUND.replacen("file: { path: in.jsonl }", secret, 1));
    assert_eq!(failures(&findings).len(), 1);
    assert!(failures(&findings)[0].starts_with("line 2 has a secret in it"));
}

fn diagnose(desk: &Desk, yaml: &str) -> Vec<String> {
    let findings = Pipeline::new(desk.spec(yaml)).diagnose();
    let failed = findings.into_iter().filter(|finding| finding.verdict == Verdict::Fails);
    failed
        .map(|finding| format!("{} {}: {}", finding.group, finding.item, finding.reason))
        .collect()
}

#[test]
fn a_doctor_says_what_is_wrong_and_what_to_do() {
    let desk = Desk::new();
    desk.write("orders.jsonl", "{}\n");
    let good = "source: { file: { path: DIR/orders.jsonl } }
stages: [{ spill: { directory: DIR/new/spill } }]
sink: { file: { path: DIR/out } }";
    assert_eq!(diagnose(&desk, good), [] as [&str; 0]);
    // It has left nothing.
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 1);

    let wrong = good.replace("orders.jsonl", "order.jsonl").replace("DIR/out", "DIR/no/out");
    let wrong = diagnose(&desk, &wrong.replace("DIR/new/spill", "DIR/orders.jsonl"));
    assert!(wrong[0].ends_with("order.jsonl is not there: is it orders.jsonl?"), "{wrong:?}");
    assert!(wrong[1].contains("is a file: name a folder"), "{wrong:?}");
    assert!(wrong[2].contains("/no is not there: `mkdir -p "), "{wrong:?}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let tcp = format!(
        "source: {{ tcp: {{ listen: '{address}' }} }}\nsink: {{ tcp: {{ address: '{address}' }} }}"
    );
    let wrong = diagnose(&desk, &tcp);
    assert!(wrong.len() == 1 && wrong[0].contains("cannot be listened on"), "{wrong:?}");
    drop(taken);
    let wrong = diagnose(&desk, &tcp);
    assert!(wrong.len() == 1 && wrong[0].contains("takes no connection"), "{wrong:?}");
}
