//! Lanes, of which some come first.

use millstream_pipeline::{Pipeline, Spec};

use crate::{Desk, life::wait_until};

/// Of each ten items one is urgent; the rate behind the lanes changes by a reload.
fn yaml(rate: &str) -> String {
    format!(
        "source: {{ generate: {{ rate: 1000000, count: 1000 }} }}
stages:
  - lanes:
      by: \"n % 10 == 0 ? 'urgent' : 'batch'\"
      lanes: {{ urgent: {{ strict: true }}, batch: {{}} }}
      floor: 0
  - rate: {{ rate: {rate}, burst: 1 }}
  - map: n
sink: {{ file: {{ path: DIR/out }} }}
backpressure: {{ queues: {{ urgent: {{ size: 1000 }}, batch: {{ size: 1000 }} }} }}"
    )
}

#[test]
fn what_is_urgent_does_not_wait_behind_what_is_not() {
    let desk = Desk::new();
    let running = desk.start(&yaml("1/min"));
    let handle = running.handle();
    // All are in their lanes, but for those that were taken already.
    wait_until(|| handle.status().waiting >= 996);
    let n_ahead = usize::try_from(1_000 - handle.status().waiting).unwrap();
    assert!(n_ahead <= 4, "{n_ahead}");

    handle.reload(desk.spec(&yaml("1000000"))).unwrap();
    let status = running.wait().unwrap();

    assert_eq!((status.arrived, status.lost()), (1_000, 0));
    let numbers: Vec<u64> = desk.read("out").lines().map(|line| line.parse().unwrap()).collect();
    let (first, rest) = numbers[n_ahead..].split_at(100 - n_ahead);
    assert!(first.iter().all(|n| n % 10 == 0), "{first:?}");
    let n_urgent = rest.iter().filter(|n| *n % 10 == 0).count();
    assert!(n_urgent <= n_ahead, "{n_urgent}");
    // In their order.
    assert!(first.is_sorted() && rest[n_ahead..].is_sorted());
}

#[test]
fn a_full_lane_waits_or_drops_as_its_queue_says() {
    let desk = Desk::new();
    let with = |strategy: &str| {
        // Slower than items come.
        let yaml = yaml("2000");
        let batch = format!("batch: {{ size: 5, strategy: {strategy} }}");
        desk.run(&yaml.replace("batch: { size: 1000 }", &batch)).unwrap()
    };

    assert_eq!(with("block").arrived, 1_000);
    let dropped = with("drop_newest");
    assert_eq!(dropped.arrived + dropped.dropped, 1_000);
    let refused = with("reject");
    assert_eq!(refused.arrived + refused.dropped, 1_000);
    assert_eq!(refused.skipped, 0);
    assert!(dropped.dropped > 0 && refused.dropped > 0, "{} {}", dropped.dropped, refused.dropped);
}

#[test]
fn an_item_of_no_lane_fails_is_skipped_or_goes_to_the_other() {
    let desk = Desk::new();
    let yaml = yaml("1000000").replace("'batch'\"", "'bulk'\"");

    let error = desk.run(&yaml).unwrap_err();
    assert!(error.contains("stages[0] lanes") && error.contains("the name of no lane"), "{error}");
    let status = desk.run(&format!("on_error: skip\n{yaml}")).unwrap();
    assert_eq!((status.arrived, status.skipped), (100, 900));
    let status = desk.run(&yaml.replace("floor: 0", "floor: 0\n      other: batch")).unwrap();
    assert_eq!(status.arrived, 1_000);
}

#[test]
fn a_failure_comes_after_what_was_there_before() {
    let desk = Desk::new();
    desk.write("in", "1\n2\n3\n{\n");
    let error = desk
        .run(
            "source: { file: { path: DIR/in } }
stages: [{ parse: json }, { lanes: { by: \"'all'\", lanes: { all: {} } } }]
sink: { file: { path: DIR/out } }
backpressure: { queues: { all: {} } }",
        )
        .unwrap_err();
    assert!(error.contains("stages[0] parse"), "{error}");
    assert_eq!(desk.read("out"), "1\n2\n3\n");
}

#[test]
fn weights_and_queues_change_while_it_runs_and_lanes_do_not() {
    let desk = Desk::new();
    let running = desk.start(&yaml("10/min"));
    let handle = running.handle();
    let weight = yaml("10/min").replace("batch: {}", "batch: { weight: 5 }");
    let changed = handle.reload(desk.spec(&weight)).unwrap();
    assert_eq!(changed, ["stages[0].lanes"]);
    let size = weight.replace("batch: { size: 1000 }", "batch: { size: 2000 }");
    assert_eq!(handle.reload(desk.spec(&size)).unwrap(), ["backpressure.queues.batch"]);
    let by = size.replace("n % 10", "n % 5");
    let refused = handle.reload(desk.spec(&by)).unwrap_err();
    assert_eq!(refused.fixed, ["stages[0]"]);
    handle.abort();
    running.wait().unwrap_err();
}

#[test]
fn lanes_are_checked_described_and_audited() {
    let wrong = |from: &str, to: &str, part: &str| {
        let yaml = yaml("1").replace("DIR/", "");
        assert!(yaml.contains(from), "{from}");
        let error = Spec::from_yaml(&yaml.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
    };
    wrong("batch: {} }", "bathc: {} }", "there is no queue `bathc`");
    wrong("batch: {} }", "batch: { weight: 0 } }", "weight");
    wrong("floor: 0", "floor: 0\n      other: none", "`other` is `none`, and no lane");
    wrong("floor: 0", "floor: 0\n  - queue: batch", "the queue `batch` is a stage already");
    wrong("lanes: { urgent: { strict: true }, batch: {} }", "lanes: {}", "from 1 to 256 lanes");

    let pipeline = Pipeline::new(Spec::from_yaml(&yaml("1")).unwrap());
    let text = pipeline.describe();
    assert!(text.contains("batch with 1, urgent first"), "{text}");
    let findings = pipeline.audit();
    assert!(findings.iter().any(|finding| finding.reason.contains("wait in lanes")));
}
