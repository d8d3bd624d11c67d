//! `millstream run`, `check` and `schema`, as somebody at a terminal sees them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "files of the system have its time")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

const ENDLESS: &str = "\
name: orders
source: { generate: { rate: 1000 } }
stages: [{ queue: q }]
sink: { 'null': { rate: 900 } }
backpressure: { queues: { q: { size: 100 } } }
";

fn desk(yaml: &str) -> (TempDir, PathBuf) {
    let desk = tempfile::tempdir().unwrap();
    let file = desk.path().join("flow.yaml");
    fs::write(&file, yaml.replace("DIR", desk.path().to_str().unwrap())).unwrap();
    (desk, file)
}

fn command(command: &str, file: &Path, args: &[&str]) -> Command {
    let mut millstream = Command::new(env!("CARGO_BIN_EXE_millstream"));
    millstream.arg(command).arg(file).args(args);
    millstream
}

fn millstream(name: &str, file: &Path, args: &[&str]) -> Output {
    command(name, file, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// A run whose standard error is read as it comes.
struct Run {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Run {
    fn start(file: &Path, args: &[&str]) -> Self {
        let mut child = command("run", file, args).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// The first line in which `part` is.
    fn line_with(&mut self, part: &str) -> String {
        self.lines.find_map(|line| line.ok().filter(|line| line.contains(part))).expect(part)
    }

    fn code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_file_goes_to_another_and_the_run_is_summed_up() {
    let (desk, file) = desk(
        "name: errors
source: { file: { path: DIR/in } }
stages: [{ parse: json }, { filter: status >= 500 }]
sink: { file: { path: DIR/out } }",
    );
    fs::write(desk.path().join("in"), "{\"status\":200}\n{\"status\":503}\n").unwrap();

    let output = millstream("run", &file, &["--no-page"]);

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(fs::read_to_string(desk.path().join("out")).unwrap(), "{\"status\":503}\n");
    let summary = text(&output.stderr);
    assert!(summary.starts_with("errors: 2 taken, 1 arrived in "), "{summary}");
    let quiet = millstream("run", &file, &["--quiet", "--no-page"]);
    assert_eq!((quiet.status.code(), text(&quiet.stderr)), (Some(0), String::new()));
}

#[test]
fn standard_input_goes_to_standard_output_and_a_reader_may_leave() {
    let (_desk, file) = desk("source: { stdin: {} }\nsink: { stdout: {} }");
    let mut run = command("run", &file, &["--quiet"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = run.stdin.take().unwrap();
    let mut output = BufReader::new(run.stdout.take().unwrap());
    input.write_all(b"one\n").unwrap();
    // It comes although there may be more.
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "one\n");
    input.write_all(b"two").unwrap();
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();

    assert_eq!(rest, "two\n");
    assert_eq!(run.wait().unwrap().code(), Some(0));
}

#[test]
fn a_wrong_file_is_said_with_its_place_and_what_was_meant() {
    let (_desk, file) = desk("source: { stdin: {} }\nsnik: { stdout: {} }\n");
    for name in ["run", "check"] {
        let output = millstream(name, &file, &[]);

        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(error.contains("flow.yaml:2:1: unknown field `snik`"), "{error}");
        assert!(error.contains("did you mean `sink`?"), "{error}");
    }
    let missing = millstream("run", Path::new("no/such.yaml"), &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).starts_with("error: no/such.yaml: "));
}

#[test]
fn a_stop_drains_within_its_time_and_says_what_was_left() {
    let (_desk, file) = desk(ENDLESS);
    for signal in ["INT", "TERM"] {
        let mut run = Run::start(&file, &["--set", "monitoring.metrics_interval=100ms"]);
        run.line_with("arrived (");
        run.signal(signal);
        run.line_with("stopping: what is on its way has 10s to arrive");
        run.line_with("orders: ");
        assert_eq!(run.code(), Some(0));
    }
    let slow = [
        "--for",
        "1200ms",
        "--drain",
        "200ms",
        "--set",
        "sink.null.rate=1",
        "--set",
        "monitoring.alert_thresholds.queue_depth=0.5",
    ];
    let output = millstream("run", &file, &slow);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("not all arrived within 200ms: "), "{error}");
    assert!(error.contains("warning: queue q is "), "{error}");
}

#[test]
fn a_change_of_the_file_is_taken_over_and_a_wrong_one_is_not() {
    let (_desk, file) = desk(ENDLESS);
    let mut run = Run::start(
        &file,
        &["--no-page", "--no-watch", "--set", "monitoring.metrics_interval=50ms"],
    );
    run.line_with("arrived (");
    fs::write(&file, ENDLESS.replace("size: 100", "size: 200")).unwrap();
    run.signal("HUP");
    run.line_with("reload: backpressure.queues.q changed");
    fs::write(&file, ENDLESS.replace("size: 100", "size: 0")).unwrap();
    run.signal("HUP");
    let line = run.line_with("reload failed");
    assert!(line.contains("all is as before") && line.contains("flow.yaml:5:"), "{line}");
    run.signal("INT");
    run.line_with("orders: ");
    assert_eq!(run.code(), Some(0));

    // By itself.
    let mut run = Run::start(&file, &["--set", "backpressure.queues.q.size=9"]);
    // It has read the file by now. The time of a change is another one than that of the write
    // before.
    run.line_with("the live page is");
    std::thread::sleep(std::time::Duration::from_millis(50));
    fs::write(&file, ENDLESS.replace("rate: 900", "rate: 950")).unwrap();
    run.line_with("reload: sink.null.rate changed");
    run.signal("INT");
    assert_eq!(run.code(), Some(0));
}

#[test]
fn a_reader_that_leaves_ends_a_run_and_one_that_stands_still_does_not_keep_it() {
    // No pipe holds a line whole.
    let text = "x".repeat(1 << 18);
    let (_desk, file) = desk(&format!(
        "source: {{ generate: {{ rate: 1000, item: \"'{text}'\" }} }}\nsink: {{ stdout: {{}} }}"
    ));
    let start = |args: &[&str]| {
        command("run", &file, args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut run = start(&["--no-page"]);
    drop(run.stdout.take());
    assert_eq!(run.wait().unwrap().code(), Some(0));

    let mut run = start(&["--no-page", "--drain", "200ms"]);
    let mut output = run.stdout.take().unwrap();
    // The first line is being written by now, and stays so.
    output.read_exact(&mut [0]).unwrap();
    signal(&run, "INT");
    assert_eq!(run.wait().unwrap().code(), Some(1));
    drop(output);
}

#[test]
fn a_value_of_a_variable_is_not_shown() {
    let (_desk, file) = desk(&ENDLESS.replace("{ size: 100 }", "\n      size: ${SIZE}"));
    for args in [&["--set", "name=x"][..], &[]] {
        let output = command("check", &file, args).env("SIZE", "hunter2").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(!text(&output.stderr).contains("hunter2"), "{output:?}");
    }
}

#[test]
fn check_prints_what_would_run_and_schema_what_may_stand_in_a_file() {
    let (_desk, file) = desk(ENDLESS);
    let output = millstream("check", &file, &[]);
    let described = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0));
    assert!(described.contains("source       1000/s made up, Steady"), "{described}");
    assert!(described.contains("queue q: at most 100 items"), "{described}");
    assert!(described.contains("worst-case memory: "), "{described}");

    let schema = Command::new(env!("CARGO_BIN_EXE_millstream")).arg("schema").output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(schema["properties"]["backpressure"].is_object());
    let required: Vec<_> = schema["required"].as_array().unwrap().iter().collect();
    assert_eq!(required, ["source", "sink"]);
    // What has a default is not required.
    let of = |name: &str| schema["$defs"][name]["required"].clone();
    for name in ["QueueSpec", "FlowControlSpec", "AdaptiveSpec"] {
        assert_eq!(of(name), serde_json::Value::Null, "{name}");
    }
    assert_eq!(of("WindowSpec"), serde_json::json!(["aggregates"]));
}

#[test]
fn the_demo_shows_each_policy_and_ends_by_itself() {
    let args = ["demo", "--no-page", "--for", "5s"];
    let output = Command::new(env!("CARGO_BIN_EXE_millstream")).args(args).output().unwrap();

    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for policy in ["block", "drop_oldest", "drop_newest", "sample", "reject"] {
        assert!(table.contains(policy), "{table}");
    }
    let total = table.lines().last().unwrap();
    assert!(total.contains(" orders: ") && total.contains(" sold, "), "{table}");
}

#[test]
fn a_run_and_the_demo_have_a_live_page() {
    let (_desk, file) = desk(ENDLESS);
    let page = |line: &str| {
        let (_, address) = line.split_once("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let mut run = Run::start(&file, &[]);
    let line = run.line_with("the live page is http://127.0.0.1:");
    assert!(page(&line).starts_with("HTTP/1.1 200 OK"));
    run.signal("INT");
    run.line_with("orders: ");
    assert_eq!(run.code(), Some(0));

    let mut demo = Command::new(env!("CARGO_BIN_EXE_millstream"));
    let mut demo =
        demo.args(["demo", "--page", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(page(&line).contains("flash sale"), "{line}");
    let kill = Command::new("kill").args(["-s", "INT", &demo.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(0));
}

#[test]
fn lines_of_json_are_for_what_collects_logs() {
    let (_desk, file) = desk(
        "name: orders
source: { generate: { rate: 1000, count: 50 } }
sink: { 'null': {} }",
    );

    let output = millstream("run", &file, &["--no-page", "--log-format", "json"]);

    assert!(output.status.success());
    let said = text(&output.stderr);
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["level"], &last["arrived"]), (&"info".into(), &50.into()));
    assert!(last["message"].as_str().unwrap().contains("50 arrived"), "{said}");
    assert!(last["time"].as_str().unwrap().ends_with('Z') && last["p99_ms"].is_number());

    let missing = millstream("run", Path::new("nowhere.yaml"), &["--log-format", "json"]);
    assert_eq!(missing.status.code(), Some(2));
    let line: serde_json::Value = serde_json::from_str(text(&missing.stderr).trim()).unwrap();
    assert!(line["level"] == "error" && line["message"].as_str().unwrap().contains("nowhere"));
}

#[test]
fn monitoring_has_an_address_of_its_own() {
    let (_desk, file) = desk(ENDLESS);
    let mut run = Run::start(&file, &["--no-page", "--metrics", "127.0.0.1:0"]);
    let line = run.line_with("metrics are at ");
    let address = line.split("http://").nth(1).unwrap().trim_end_matches("/metrics").to_owned();
    let get = |path: &str| {
        let mut socket = std::net::TcpStream::connect(&address).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    };

    assert!(get("/metrics").contains("millstream_stage_delivered_items_total"));
    assert!(get("/livez").starts_with("HTTP/1.1 200"));
    assert!(get("/readyz").starts_with("HTTP/1.1 "));
    // No page, and nothing that browsers can use.
    assert!(get("/").starts_with("HTTP/1.1 404") && get("/events").starts_with("HTTP/1.1 404"));
    run.signal("INT");
    run.signal("INT");
}

#[test]
fn an_audit_and_a_doctor_end_with_what_they_found() {
    let (desk, file) = desk(
        "source: { file: { path: DIR/orders.jsonl } }
stages: [{ queue: q }]
sink: { file: { path: DIR/out } }
backpressure: { queues: { q: { size: 100, strategy: drop_oldest } } }",
    );

    let audit = millstream("audit", &file, &[]);
    assert_eq!(audit.status.code(), Some(1));
    assert!(text(&audit.stdout).contains("loss\n  fails"), "{}", text(&audit.stdout));
    assert!(text(&audit.stderr).contains("queue q drops"), "{}", text(&audit.stderr));
    let accepted = millstream("audit", &file, &["--accept", "queue q drops", "--json"]);
    assert!(accepted.status.success());
    let lines = text(&accepted.stdout);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));

    let doctor = millstream("doctor", &file, &[]);
    assert_eq!(doctor.status.code(), Some(1));
    assert!(text(&doctor.stderr).contains("orders.jsonl is not there"), "{}", text(&doctor.stderr));
    fs::write(desk.path().join("orders.jsonl"), "{}\n").unwrap();
    assert!(millstream("doctor", &file, &[]).status.success());
}

#[test]
fn items_that_are_due_are_made_as_they_are_asked_for() {
    let text = "x".repeat(1 << 18);
    let (_desk, file) = desk(&format!(
        "source: {{ generate: {{ rate: 1000000, count: 4000, item: \"'{text}'\" }} }}
sink: {{ 'null': {{}} }}"
    ));
    let mut run = command("run", &file, &["--no-page", "--quiet"]).spawn().unwrap();
    let status = format!("/proc/{}/status", run.id());
    let mut peak = 0;
    while run.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap());
        peak = peak.max(kib);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }

    assert!(run.wait().unwrap().success());
    // All of them are 1000 MiB; 256 wait for the sink, which takes 256.
    assert!((1..400 << 10).contains(&peak), "{peak} KiB");
}
