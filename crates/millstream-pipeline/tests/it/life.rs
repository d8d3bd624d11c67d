//! How a pipeline begins, is stopped, and fails.

use std::{fs::OpenOptions, io::Write as _, time::Duration};

use millstream_pipeline::Pipeline;

use crate::Desk;

pub(crate) fn wait_until(mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it did not come to be within ten seconds");
}

#[test]
fn what_cannot_be_opened_is_said_before_anything_runs() {
    let desk = Desk::new();
    let says = |yaml: &str, part: &str| {
        let error = Pipeline::new(desk.spec(yaml)).start().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    says("source: { file: { path: DIR/none } }\nsink: { 'null': {} }", "cannot read ");
    let no_folder = "source: { stdin: {} }\nsink: { file: { path: DIR/no/out } }";
    says(no_folder, "cannot write ");
    desk.write("file", "");
    let spill = "source: { generate: { rate: 1 } }
stages: [{ spill: { directory: DIR/file } }]
sink: { 'null': {} }";
    says(spill, "stages[0] spill: ");
}

#[test]
fn what_a_sink_had_stays_until_everything_is_open() {
    let desk = Desk::new();
    desk.write("out", "of yesterday\n");
    let start = |source: &str, sink: &str| {
        let yaml = format!(
            "source: {{ file: {{ path: {source} }} }}\nsink: {{ file: {{ path: {sink} }} }}"
        );
        Pipeline::new(desk.spec(&yaml)).start().map(|running| running.wait().unwrap())
    };
    assert!(start("DIR/none", "DIR/out").is_err());
    let error = start("DIR/out", "DIR/./out");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("is the source, and would be written over"), "{error}");
    assert_eq!(desk.read("out"), "of yesterday\n");
    desk.write("in", "of today\n");
    start("DIR/in", "DIR/out").unwrap();
    assert_eq!(desk.read("out"), "of today\n");
}

#[test]
fn a_source_that_blocks_keeps_nobody_behind_a_queue_waiting() {
    let desk = Desk::new();
    let fifo = desk.path().join("fifo");
    if !std::process::Command::new("mkfifo").arg(&fifo).status().is_ok_and(|s| s.success()) {
        eprintln!("skipped: there is no mkfifo");
        return;
    }
    let writer = std::thread::spawn(move || {
        let mut fifo = OpenOptions::new().write(true).open(fifo).unwrap();
        fifo.write_all(b"1\n2\n3\n").unwrap();
        fifo
    });
    let running = desk.start(
        "threads: 2
source: { file: { path: DIR/fifo } }
stages: [{ queue: q }]
sink: { 'null': {} }
backpressure: { queues: { q: {} } }",
    );
    let handle = running.handle();

    wait_until(|| handle.status().arrived == 3);

    drop(writer.join().unwrap());
    running.wait().unwrap();
}

#[test]
fn a_full_disk_fails_the_pipeline() {
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("skipped: there is no /dev/full");
        return;
    }
    let desk = Desk::new();
    desk.write("in", "a\nb\n");
    let full = "source: { file: { path: DIR/in } }\nsink: { file: { path: /dev/full } }";

    let error = desk.run(full).unwrap_err();

    assert!(error.starts_with("/dev/full: "), "{error}");
}

#[test]
fn a_stop_lets_what_is_on_its_way_arrive() {
    let desk = Desk::new();
    let running = desk.start(
        "source: { generate: { rate: 20000 } }
stages: [{ queue: q }]
sink: { file: { path: DIR/out } }
backpressure: { queues: { q: { size: 500 } } }",
    );
    let handle = running.handle();
    wait_until(|| handle.status().arrived > 100);
    handle.stop();

    let status = running.wait().unwrap();

    assert!(handle.is_stopping());
    assert_eq!(status.taken, status.arrived);
    assert_eq!(desk.read("out").lines().count() as u64, status.arrived);
}

#[test]
fn what_does_not_arrive_in_time_is_given_up() {
    let mut running = Desk::new().start(
        "source: { generate: { rate: 1000 } }
stages: [{ queue: q }]
sink: { 'null': { rate: 1/min } }
backpressure: { queues: { q: { size: 50 } } }",
    );
    let handle = running.handle();
    wait_until(|| handle.status().waiting >= 30);
    running.drain_within(Duration::from_millis(50));

    let error = running.wait().unwrap_err();

    assert_eq!(error.to_string(), "the flow was not done when its time was up");
}

#[test]
fn a_file_that_grows_and_is_rotated_is_followed() {
    let desk = Desk::new();
    let path = desk.path().join("log");
    desk.write("log", "1\n2\npart");
    let running = desk.start(
        "source: { file: { path: DIR/log, follow: true } }\nsink: { file: { path: DIR/out } }",
    );
    let handle = running.handle();
    let add = |text: &str| {
        let mut file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    wait_until(|| handle.status().arrived == 2);
    add("ial\n3\n");
    wait_until(|| handle.status().arrived == 4);
    std::fs::rename(&path, desk.path().join("log.1")).unwrap();
    add("4\n");
    wait_until(|| handle.status().arrived == 5);
    // Whoever writes the old file has not noticed yet.
    let mut old = OpenOptions::new().append(true).open(desk.path().join("log.1")).unwrap();
    old.write_all(b"late\n").unwrap();
    wait_until(|| handle.status().arrived == 6);
    // Cut, and begun again.
    desk.write("log", "");
    std::thread::sleep(Duration::from_millis(250));
    add("5\n");
    wait_until(|| handle.status().arrived == 7);
    handle.stop();

    running.wait().unwrap();

    assert_eq!(desk.read("out"), "1\n2\npartial\n3\n4\nlate\n5\n");
}

#[test]
fn a_plan_opens_nothing() {
    let desk = Desk::new();
    let spec = desk.spec(
        "name: plan
source: { file: { path: DIR/none } }
stages: [{ queue: q }, { spill: { directory: DIR/spill } }, { filter: a > 1 }]
sink: { file: { path: DIR/out } }
backpressure: { queues: { q: { size: 50, strategy: drop_oldest } } }",
    );

    let text = Pipeline::new(spec).describe();

    assert!(text.contains("filter a > 1") && text.contains("queue q: at most 50 items"), "{text}");
    assert!(text.contains("worst-case memory"), "{text}");
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0);
}

#[test]
fn a_stream_that_is_dropped_stops() {
    let desk = Desk::new();
    let running = desk.start("source: { generate: { rate: 1000 } }\nsink: { 'null': {} }");
    let handle = running.handle();
    wait_until(|| handle.status().arrived > 10);

    drop(running);

    std::thread::sleep(Duration::from_millis(50));
    let arrived = handle.status().arrived;
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(handle.status().arrived, arrived);
}
