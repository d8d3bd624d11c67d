//! Queues, rates and credits between a source and a sink.

use std::time::Duration;

use millstream_pipeline::Pipeline;

use crate::Desk;

/// A source of 2000 items as fast as it can, a queue of 50, and a sink that takes 20,000 a second.
fn with_queue(strategy: &str) -> millstream_pipeline::Status {
    let text = format!(
        "source: {{ generate: {{ rate: 1000000, count: 2000 }} }}
stages: [{{ queue: orders }}]
sink: {{ 'null': {{ rate: 20000 }} }}
backpressure: {{ queues: {{ orders: {{ size: 50, strategy: {strategy} }} }} }}"
    );
    let status = Desk::new().run(&text).unwrap();
    assert_eq!(status.taken, 2_000);
    assert_eq!(status.arrived + status.dropped, 2_000, "{status:?}");
    // The last of fifty waits for two and a half milliseconds at the least.
    assert!(status.latency.max >= Duration::from_micros(2_400), "{status:?}");
    status
}

#[test]
fn a_queue_that_blocks_loses_nothing() {
    assert_eq!(with_queue("block").dropped, 0);
    assert_eq!(with_queue("throttle").dropped, 0);
}

#[test]
fn a_queue_that_drops_does_so_and_counts() {
    for strategy in ["drop_newest", "drop_oldest", "reject", "sample"] {
        let status = with_queue(strategy);
        assert!(status.dropped > 0, "{strategy}: {status:?}");
        assert_eq!(status.waiting, 0);
    }
}

#[test]
fn a_rate_holds() {
    let desk = Desk::new();
    let status = desk
        .run(
            "source: { generate: { rate: 1000000, count: 120 } }
stages: [{ rate: { rate: 200, burst: 20 } }]
sink: { 'null': {} }",
        )
        .unwrap();

    assert_eq!(status.arrived, 120);
    // A hundred of them at two hundred a second.
    assert!(status.elapsed >= Duration::from_millis(480), "{status:?}");
    assert_eq!(status.lost(), 0);
}

#[test]
fn flow_control_of_each_kind_lets_everything_arrive() {
    for kind in ["credit_based", "rate_based", "adaptive"] {
        let desk = Desk::new();
        desk.write("in", &"x\n".repeat(500));
        let status = desk
            .run(&format!(
                "source: {{ file: {{ path: DIR/in }} }}
stages: [{{ sample: {{ one_of: 2 }} }}]
sink: {{ file: {{ path: DIR/out }} }}
flow_control: {{ type: {kind}, initial_credits: 10, min_credits: 1, rate: 100000 }}
adaptive: {{ initial_rate: 100000 }}"
            ))
            .unwrap();

        assert_eq!((status.taken, status.arrived), (500, 250), "{kind}");
    }
}

#[test]
fn what_does_not_fit_into_memory_goes_through_the_disk_and_is_there_after_a_stop() {
    let desk = Desk::new();
    let pipeline = |source: &str, sink: &str| {
        format!(
            "source: {{ {source} }}
stages: [{{ spill: {{ directory: DIR/spill, memory: 0, max_bytes: 1 MiB }} }}]
sink: {{ {sink} }}"
        )
    };
    desk.write("in", &(0..1_000).map(|n| format!("{n}\n")).collect::<String>());
    // A sink that takes next to nothing: what has come waits on the disk.
    let slow = pipeline("file: { path: DIR/in }", "'null': { rate: 1/min }");
    let running = desk.start(&slow);
    let handle = running.handle();
    while handle.status().taken < 1_000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    handle.abort();
    drop(running);

    desk.write("empty", "");
    let fast = pipeline("file: { path: DIR/empty }", "file: { path: DIR/out }");
    // A cancel returns before the disk's thread has closed the folder.
    let opened = (0..2_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(5));
        Pipeline::new(desk.spec(&fast)).start().ok()
    });
    let status = opened.expect("the folder is closed within ten seconds").wait().unwrap();

    let lines: Vec<u64> = desk.read("out").lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(status.arrived as usize, lines.len());
    assert!(lines.is_sorted() && lines.last() == Some(&999), "{lines:?}");
    // A few were on their way to the sink.
    assert!(lines[0] < 400, "{}", lines[0]);
}
