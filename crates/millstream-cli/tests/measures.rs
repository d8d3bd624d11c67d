//! What a run costs: its memory beside the size of a file, and its time beside others that do the
//! same work.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "what is measured takes the time of the system")]
#![expect(clippy::print_stderr, reason = "what is measured is said")]

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A desk with `in`, lines of JSON of so many MiB, and a pipeline that keeps one in ten of them.
struct Desk {
    folder: TempDir,
    bytes: u64,
}

impl Desk {
    fn new(mib: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut file = BufWriter::new(File::create(folder.path().join("in")).unwrap());
        let (mut bytes, mut n) = (0, 0_u64);
        while bytes < mib << 20 {
            let line = format!(
                "{{\"n\":{n},\"status\":{},\"path\":\"/orders/{n}\",\"user\":\"somebody\",\"ms\":{}.5}}\n",
                if n % 10 == 0 { 503 } else { 200 },
                n % 97
            );
            file.write_all(line.as_bytes()).unwrap();
            (bytes, n) = (bytes + line.len() as u64, n + 1);
        }
        file.flush().unwrap();
        let desk = Self { folder, bytes };
        let yaml = "source: { file: { path: DIR/in } }
stages: [{ parse: json }, { filter: status >= 500 }]
sink: { file: { path: DIR/out } }
";
        let yaml = yaml.replace("DIR", desk.folder.path().to_str().unwrap());
        fs::write(desk.path("flow.yaml"), yaml).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn millstream(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.arg("run").arg(self.path("flow.yaml")).args(["--no-page", "--quiet"]);
        command
    }
}

/// The most memory that a process had, in KiB; 0 once it is gone.
fn peak_kib(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

/// `MILLSTREAM_FILE_MIB=10240 cargo test --release -p millstream-cli --test measures memory` is the
/// long form.
#[test]
fn memory_does_not_grow_with_the_file() {
    let mib = std::env::var("MILLSTREAM_FILE_MIB").map_or(8, |mib| mib.parse().unwrap());
    let desk = Desk::new(mib);
    let mut child = desk.millstream().stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_kib(&child));
        std::thread::sleep(Duration::from_millis(5));
    }

    assert!(child.wait().unwrap().success());
    let n_kept = BufReader::new(File::open(desk.path("out")).unwrap()).lines().count();
    let n = BufReader::new(File::open(desk.path("in")).unwrap()).lines().count();
    assert_eq!(n_kept, n.div_ceil(10));
    eprintln!("{} MiB, of which a run had at most {peak} KiB in memory", desk.bytes >> 20);
    assert!((1..MOST_KIB).contains(&peak), "{peak} KiB");
}

/// However large the file is.
const MOST_KIB: u64 = 64 << 10;

/// How long something takes.
fn timed(what: impl FnOnce()) -> Duration {
    let start = Instant::now();
    what();
    start.elapsed()
}

/// As somebody would write it by hand: a line, its value, a condition, a line.
fn by_hand(from: &Path, to: &Path) {
    let (mut from, mut to) =
        (BufReader::new(File::open(from).unwrap()), BufWriter::new(File::create(to).unwrap()));
    let mut line = String::new();
    while from.read_line(&mut line).unwrap() > 0 {
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        if value["status"].as_i64().unwrap() >= 500 {
            serde_json::to_writer(&mut to, &value).unwrap();
            to.write_all(b"\n").unwrap();
        }
        line.clear();
    }
    to.flush().unwrap();
}

/// A program that writes what it keeps to the standard output, if it is there.
fn program(name: &str, filter: &[&str], desk: &Desk) -> Option<Duration> {
    let out = File::create(desk.path("out")).unwrap();
    let mut command = Command::new(name);
    let mut child = command.args(filter).arg(desk.path("in")).stdout(out).spawn().ok()?;
    Some(timed(|| assert!(child.wait().unwrap().success())))
}

/// `cargo test --release -p millstream-cli --test measures -- --ignored --nocapture`.
#[test]
#[ignore = "it measures, for a page of the book"]
fn beside_others() {
    let desk = Desk::new(256);
    let mut rows: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut add = |name: &'static str, time: Option<Duration>| {
        let Some(time) = time else { return };
        let seconds = time.as_secs_f64();
        match rows.iter_mut().find(|row| row.0 == name) {
            Some(row) => row.1.push(seconds),
            None => rows.push((name, vec![seconds])),
        }
    };
    // In turns, so that a machine that is busy is so for all of them.
    for _ in 0..3 {
        add("by hand", Some(timed(|| by_hand(&desk.path("in"), &desk.path("by_hand")))));
        add(
            "millstream",
            Some(timed(|| {
                assert!(desk.millstream().stderr(Stdio::null()).status().unwrap().success());
            })),
        );
        let expected = fs::read(desk.path("by_hand")).unwrap();
        assert_eq!(fs::read(desk.path("out")).unwrap().len(), expected.len());
        add("jq", program("jq", &["-c", "select(.status >= 500)"], &desk));
        // It does less: it looks for a text, and makes no value of it.
        add("awk", program("awk", &["/\"status\":5/"], &desk));
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let hand = best(&rows[0].1);
    for (name, times) in &rows {
        let time = best(times);
        let speed = desk.bytes as f64 / time / f64::from(1 << 20);
        eprintln!("{name:12} {time:7.3} s  {speed:7.1} MiB/s  {:5.2}", time / hand);
    }
    let first = (0..20).map(|_| to_the_first_item());
    eprintln!("start to the first item: {:?}", first.min().unwrap());
}

/// From the start of the program to the first byte that it writes.
fn to_the_first_item() -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.yaml");
    let yaml = "source: { generate: { rate: 1000000, count: 1 } }\nsink: { stdout: {} }\n";
    fs::write(&file, yaml).unwrap();
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    let command = command.arg("run").arg(file).args(["--no-page", "--quiet"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    let time = start.elapsed();
    assert!(child.wait().unwrap().success());
    time
}
