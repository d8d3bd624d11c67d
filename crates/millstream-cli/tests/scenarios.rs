//! The files of `examples/scenarios`, as somebody at a terminal plays them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::PathBuf, process::Command};

use millstream_sim::Scenario;
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/scenarios")
}

/// What comes of a pipeline at the end.
fn play(name: &str, args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_millstream"))
        .arg("simulate")
        .arg(folder().join(name))
        .args(["--format", "json"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    line["moments"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn b02_everything_is_delivered_through_waves() {
    let sink = ["--workers", "8", "--service", "10ms", "--random", "--deadline", "2s"];
    let end = play("b02-delivery.yaml", &[&sink[..], &["--at-least", "0.9999"]].concat());

    assert_eq!((&end["arrived"], &end["dropped"]), (&end["came"], &0.into()));
}

#[test]
fn f02_memory_stays_as_it_is_at_ten_times_the_load() {
    let short = play("f02-memory.yaml", &["--service", "10ms", "--for", "20s"]);
    let long = play("f02-memory.yaml", &["--service", "10ms", "--for", "60s"]);

    assert_eq!(short["peak_bytes"], long["peak_bytes"]);
    assert!(long["peak_bytes"].as_u64().unwrap() <= 16 << 10, "{long}");
    assert!(long["dropped"].as_u64().unwrap() > 50_000, "{long}");
}

#[test]
fn every_file_can_be_played_and_stands_in_the_list() {
    let list = fs::read_to_string(folder().join("README.md")).unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(list.contains(&format!("({name})")), "{name}");
        if !text.contains("\nsource:") {
            Scenario::from_yaml(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
