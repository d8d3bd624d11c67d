//! A child process is killed at random instants, and what it was promised is looked for.
//!
//! The child is this test executable again, told by an environment variable. It prints each promise
//! in a line of its own, when the queue has made it; the parent reads some lines, which number is
//! random, and kills it. Set `KILL9_ROUNDS` for more rounds, or run `cargo xtask kill9 --rounds N`.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use millstream::scheduler::Pool;
use millstream_spill::{Config, Durability, Spill, SpillError, codec::U64};

const DIRECTORY: &str = "MILLSTREAM_SPILL_KILL9";
const DURABILITY: &str = "MILLSTREAM_SPILL_DURABILITY";
const DURABILITIES: [(&str, Durability); 3] = [
    ("process", Durability::Process),
    ("group", Durability::Group(16, Duration::from_micros(200))),
    ("each", Durability::Each),
];

fn config(durability: Durability) -> Config {
    // Small segments, so that kills also meet the change from one to the next.
    Config { segment_bytes: 1000, max_bytes: 1 << 20, durability, ..Config::default() }
}

/// What the child says: `s` an item is safe, `t` it is going to acknowledge items up to this one,
/// `a` it has.
fn child(directory: &Path, durability: Durability) -> ! {
    let disk = Pool::named("disk", 1);
    let spill = Spill::at(directory).config(config(durability));
    let (sender, mut receiver) = spill.open(U64, &disk).expect("the one before is dead");
    let say = |what: char, n: u64| {
        // One write: a line is said whole or not at all.
        io::stdout().write_all(format!("{what} {n}\n").as_bytes()).expect("the parent reads");
    };
    let mut next = receiver.recovered().cursor + receiver.recovered().items;
    let mut last = None;
    for step in 0.. {
        if step % 5 == 3 {
            let many = next..next + 7;
            sender.send_all_blocking(many.clone()).expect("there is room");
            many.for_each(|n| say('s', n));
            next += 7;
        } else {
            sender.send_blocking(next).expect("there is room");
            say('s', next);
            next += 1;
        }
        for _ in 0..3 {
            if let Some(entry) = receiver.try_recv().expect("it is sound") {
                assert_eq!(entry.item, entry.sequence, "no item is invented");
                last = Some(entry.sequence);
            }
        }
        if step % 4 == 1
            && let Some(last) = last
        {
            say('t', last);
            receiver.acknowledge_blocking(last).expect("it can be written");
            say('a', last);
        }
    }
    unreachable!("it is killed before")
}

/// What was promised in all rounds so far.
#[derive(Default)]
struct Promises {
    /// Items before it are safe.
    safe: u64,
    /// Items before it are acknowledged, and perhaps those before `tried`.
    acknowledged: u64,
    tried: u64,
}

#[test]
fn what_was_promised_survives_kills_at_random_instants() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        let name = env::var(DURABILITY).expect("the parent says which");
        let durability = DURABILITIES.into_iter().find(|(own, _)| *own == name);
        child(Path::new(&directory), durability.expect("the parent knows them").1);
    }
    let n_rounds = env::var("KILL9_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(50_u64);
    for (name, durability) in DURABILITIES {
        let directory = tempfile::tempdir().expect("a directory");
        let mut random = fastrand::Rng::with_seed(n_rounds);
        let mut promises = Promises::default();
        // The rounds are shared out among the durabilities.
        for round in 0..n_rounds.div_ceil(DURABILITIES.len() as u64) {
            run_and_kill(directory.path(), name, random.usize(0..200), &mut promises);
            check(directory.path(), durability, &promises, &format!("{name}, round {round}"));
        }
        assert!(promises.safe > 0 && promises.acknowledged > 0, "{name}: something was promised");
    }
}

fn run_and_kill(directory: &Path, durability: &str, n_lines: usize, promises: &mut Promises) {
    let test = "what_was_promised_survives_kills_at_random_instants";
    let mut child = Command::new(env::current_exe().expect("it runs"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(DURABILITY, durability)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started again");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let keep = |line: io::Result<String>, promises: &mut Promises| {
        let line = line.expect("it is text");
        // The harness says something too.
        let Some((what, n)) = line.split_once(' ') else { return };
        let Ok(n) = n.parse::<u64>() else { return };
        match what {
            "s" => promises.safe = n + 1,
            "t" => promises.tried = n + 1,
            "a" => promises.acknowledged = n + 1,
            _ => {}
        }
    };
    let before = promises.safe;
    lines.by_ref().take(n_lines).for_each(|line| keep(line, promises));
    if promises.safe > before {
        // It has the directory open: nobody else can.
        let disk = Pool::named("disk", 1);
        let opened = Spill::at(directory).open(U64, &disk);
        assert!(matches!(opened, Err(SpillError::Locked)), "two processes on one directory");
    }
    // SIGKILL.
    child.kill().expect("it is ours");
    // What it had said before it died counts too.
    lines.for_each(|line| keep(line, promises));
    child.wait().expect("it is ours");
}

/// Everything that was promised is there, in order, and nothing that was not sent.
fn check(directory: &Path, durability: Durability, promises: &Promises, round: &str) {
    let disk = Pool::named("disk", 1);
    let spill = Spill::at(directory).config(config(durability));
    let (sender, mut receiver) = spill.open(U64, &disk).expect("a kill damages nothing");
    let recovered = sender.recovered();
    assert!(recovered.cursor >= promises.acknowledged, "{round}: acknowledged items come again");
    assert!(recovered.cursor <= promises.tried, "{round}: the cursor is ahead");
    let end = recovered.cursor + recovered.items;
    assert!(end >= promises.safe, "{round}: {} is safe, and {end} is the next", promises.safe);
    for expected in recovered.cursor..end {
        let entry = receiver.try_recv().expect("it is sound").expect("it was counted");
        assert_eq!((entry.sequence, entry.item), (expected, expected), "{round}");
    }
    assert!(receiver.try_recv().expect("it is sound").is_none(), "{round}");
}
