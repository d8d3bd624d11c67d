//! The program, as somebody at a terminal sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use millstream::scheduler::Pool;
use millstream_spill::{Spill, codec::Text};

fn millstream(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_millstream")).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn without_arguments_it_says_what_it_can_do() {
    let output = millstream(&[]);

    assert_eq!(output.status.code(), Some(2));
    for command in ["run", "check", "schema", "simulate", "spill", "advise", "top"] {
        assert!(stderr(&output).contains(command), "{command}");
    }
}

#[test]
fn roi_gives_what_the_formula_says() {
    let output = millstream(&[
        "advise",
        "roi",
        "--messages-per-second",
        "100000",
        "--value",
        "0.001",
        "--infra-cost-per-hour",
        "500",
        "--json",
    ]);

    let roi: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let number = |name: &str| roi[name].as_f64().unwrap().round();
    assert_eq!(number("benefit"), 396_240.0);
    assert_eq!(number("percent_of_its_cost"), 33_020.0);
    assert_eq!(number("overhead"), 1_200.0);
}

#[test]
fn capacity_knows_erlang_and_an_overload() {
    let args =
        ["advise", "capacity", "--workers", "16", "--service", "10ms", "--deadline", "100ms"];
    let good = stdout(&millstream(&[&args[..], &["--rate", "1280"]].concat()));
    assert!(good.contains("utilization               0.8"), "{good}");
    assert!(good.contains("calls that wait           0.3049 of all"), "{good}");
    assert!(good.contains("useful queue              144 calls"), "{good}");

    let late = ["advise", "capacity", "--workers", "2", "--service", "1s", "--rate", "1"];
    let late = stdout(&millstream(&[&late[..], &["--deadline", "900ms"]].concat()));
    assert!(late.contains("calls that wait too long  1 of all"), "{late}");

    let overloaded = stdout(&millstream(&[&args[..], &["--rate", "3200"]].concat()));
    assert!(overloaded.contains("without bound"), "{overloaded}");
    assert!(overloaded.contains("workers for 80 %          40"), "{overloaded}");
}

#[test]
fn policy_names_what_fits() {
    let output = millstream(&[
        "advise",
        "policy",
        "--volume",
        "high",
        "--producer",
        "faster",
        "--loss",
        "old",
        "--latency",
        "tolerant",
    ]);

    assert!(stdout(&output).contains("drop-oldest"));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (args, expected) in [
        (["--workers", "0", "--service", "10ms", "--rate", "1"], "--workers"),
        (["--workers", "1", "--service", "10", "--rate", "1"], "10ms, 1.5s or 2m"),
        (["--workers", "1", "--service", "0s", "--rate", "1"], "no time above 0"),
        (["--workers", "1", "--service", "1s", "--rate", "NaN"], "finite"),
        (["--workers", "1", "--service", "1s", "--rate=-1", "--json"], "0 or more"),
    ] {
        let output = millstream(&[&["advise", "capacity"], &args[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
    }
}

/// A queue of three items, closed.
fn queue(directory: &Path) {
    let (sender, receiver) = Spill::at(directory).open(Text, &Pool::new(1)).unwrap();
    for item in ["one", "two\nlines", "three"] {
        sender.send_blocking(item.to_owned()).unwrap();
    }
    drop((sender, receiver));
}

#[test]
fn a_queue_is_listed_verified_and_dumped() {
    let directory = tempfile::tempdir().unwrap();
    queue(directory.path());
    let at = directory.path().to_str().unwrap();

    let listing = stdout(&millstream(&["spill", "ls", at]));
    assert!(listing.starts_with("queue ") && listing.contains("from 0"), "{listing}");
    let verified = millstream(&["spill", "verify", at]);
    assert!(verified.status.success() && stdout(&verified).contains("items       3"));
    let dumped = stdout(&millstream(&["spill", "dump", at]));
    assert_eq!(dumped, "0\tone\n1\ttwo\\nlines\n2\tthree\n");
    let first = stdout(&millstream(&["spill", "dump", at, "--format", "hex", "--limit", "1"]));
    assert_eq!(first, "0\t6f6e65\n");
}

#[test]
fn damage_is_found_and_repaired() {
    let directory = tempfile::tempdir().unwrap();
    queue(directory.path());
    let at = directory.path().to_str().unwrap();
    let listing = stdout(&millstream(&["spill", "ls", at]));
    let segment = listing.lines().nth(2).unwrap().split_whitespace().next().unwrap();
    let path = directory.path().join(segment);
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(5).position(|it| it == b"lines").unwrap();
    bytes[place] ^= 1;
    fs::write(&path, &bytes).unwrap();

    // In the last segment that is a tail which was not written to its end.
    let torn = stdout(&millstream(&["spill", "verify", at]));
    assert!(torn.contains("items       1") && !torn.contains("torn bytes  0"), "{torn}");

    bytes[4] ^= 1;
    fs::write(&path, bytes).unwrap();
    let damaged = millstream(&["spill", "verify", at]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(stderr(&damaged).contains(segment), "{}", stderr(&damaged));

    let repaired = millstream(&["spill", "repair", at]);
    assert!(repaired.status.success(), "{}", stderr(&repaired));
    assert!(stdout(&repaired).contains("put aside"), "{}", stdout(&repaired));
    assert!(millstream(&["spill", "verify", at]).status.success());
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");

    let output = millstream(&["spill", "verify", missing.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no such directory") && !missing.exists());
}

#[test]
fn a_scenario_is_played_and_its_mistakes_are_named() {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/../millstream-sim/scenarios/normal.yaml");
    let once = millstream(&["simulate", scenario, "--seed", "3", "--format", "json"]);
    let again = millstream(&["simulate", scenario, "--seed", "3", "--format", "json"]);
    assert!(once.status.success(), "{}", stderr(&once));
    assert_eq!(stdout(&once), stdout(&again));

    let unknown = millstream(&["simulate", scenario, "--variant", "nosuch"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("there are:"), "{}", stderr(&unknown));

    let missing = millstream(&["simulate", "nowhere.yaml"]);
    assert!(missing.status.code() == Some(2) && stderr(&missing).contains("nowhere.yaml"));
}

#[test]
fn top_shows_a_live_page_in_the_terminal() {
    let pool = Pool::new(1);
    let registry = millstream::Registry::new();
    let flow = millstream::range(0..9).inspect_demand("\u{1b}[31mnumbers", &registry);
    assert_eq!(flow.count().wait().unwrap(), 9);
    let inventory = millstream_observe::Inventory::new("squares", &pool);
    inventory.flow("main", &registry);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let page = millstream_observe::page::Page::serve("127.0.0.1:0", &inventory);
    let page = runtime.block_on(page).unwrap();

    let url = format!("http://{}/", page.address());
    let output = millstream(&["top", &url, "--once", "--width", "60"]);

    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        text.starts_with("squares  1 flows, 0 policies\n\nmain  0/s  The flow has completed\n")
    );
    assert!(text.contains("\u{fffd}[31mnumbers") && !text.contains('\u{1b}'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");

    runtime.block_on(page.shutdown());
    let gone = millstream(&["top", &url, "--once"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(stderr(&gone).starts_with("error: no live page at 127.0.0.1:"), "{}", stderr(&gone));
}

#[test]
fn shells_complete_and_pages_of_the_manual_are_written() {
    for shell in ["bash", "zsh", "fish"] {
        let completions = stdout(&millstream(&["completions", shell]));
        assert!(completions.contains("simulate") && completions.contains("doctor"), "{shell}");
    }
    assert!(stdout(&millstream(&["man"])).contains(".TH millstream 1"));
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    assert!(millstream(&["man", pages.to_str().unwrap()]).status.success());
    let page = fs::read_to_string(pages.join("millstream-run.1")).unwrap();
    assert!(page.contains("drain"), "{page}");
}

#[test]
fn a_pipeline_is_tried_with_recorded_arrivals_and_with_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(
        path("flow.yaml"),
        "source: { file: { path: /nowhere } }
stages: [{ parse: json }, { filter: n >= 0 }, { queue: q }]
sink: { file: { path: /nowhere/out } }
backpressure: { queues: { q: { size: 50, strategy: drop_newest } } }
",
    )
    .unwrap();
    // 200 in the first second and 200 in the tenth, where 100 a second are taken.
    let burst = |start: u32| {
        (0..200)
            .map(move |n| format!("{} {{\"n\":{n}}}\n", f64::from(start) + f64::from(n) / 200.0))
    };
    fs::write(path("trace"), burst(0).chain(burst(10)).collect::<String>()).unwrap();
    let args = ["simulate", &path("flow.yaml"), "--arrivals", &path("trace"), "--service", "10ms"];
    let more =
        ["--deadline", "600ms", "--try", "backpressure.queues.q.size=200", "--format", "json"];
    let run = || millstream(&[&args[..], &more[..]].concat());

    let output = run();

    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), stdout(&run()));
    let lines = stdout(&output);
    let rows: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = |row: usize, name: &str| {
        rows[row]["moments"].as_array().unwrap().last().unwrap()[name].as_u64().unwrap()
    };
    assert_eq!((last(0, "came"), last(0, "arrived") + last(0, "dropped")), (400, 400));
    assert!(last(0, "dropped") > 20 && last(0, "peak_items") == 50, "{lines}");
    // A longer queue drops nothing, and makes more of them late.
    assert_eq!((last(1, "dropped"), last(1, "arrived")), (0, 400));
    assert!(last(1, "in_time") < last(1, "arrived"), "{lines}");

    let poor = millstream(&[&args[..], &["--at-least", "0.99"]].concat());
    assert_eq!(poor.status.code(), Some(1));
    assert!(stdout(&poor).starts_with("variant") && stderr(&poor).contains("and not 0.99"));
    let unknown = millstream(&["simulate", &path("flow.yaml"), "--arrivals", &path("trace")]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("how fast is the sink?"), "{}", stderr(&unknown));
}
