//! A process that has effects once is killed at random instants, and each effect is counted.

#![cfg(feature = "dedup")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{DedupConfig, Position};
use millstream_spill::{
    codec::U64,
    dedup::{
        DiskDedup,
        redb::{ReadableDatabase as _, ReadableTable as _, TableDefinition},
    },
};

const EFFECTS: TableDefinition<'_, u64, u64> = TableDefinition::new("effects");

fn open(path: &Path, time: &VirtualTime) -> DiskDedup<U64> {
    let config = DedupConfig { capacity: 1 << 20, ..DedupConfig::default() };
    DiskDedup::open("test", path, U64, config, time).unwrap()
}

const DIRECTORY: &str = "MILLSTREAM_DEDUP_KILL9";

/// How many records there are in the log that the child reads, some of them twice.
const RECORDS: u64 = 100_000;

/// The key of a record: each third is a duplicate of one before.
const fn key_at(offset: u64) -> u64 {
    if offset % 3 == 2 { offset / 2 } else { offset }
}

/// Reads a log from the position where it stood, adds 1 to the effect of each key, and is killed.
fn child(directory: &Path) -> ! {
    let time = VirtualTime::new();
    let store = open(&directory.join("keys"), &time);
    let start = store.position("log").unwrap().map_or(0, |position| position.offset);
    // A broker delivers a few again that it had been told about.
    for offset in start.saturating_sub(5)..RECORDS {
        let key = key_at(offset);
        store
            .transact(|once| {
                if once.is_new(&key)? {
                    let mut effects = once.transaction().open_table(EFFECTS)?;
                    let before = effects.get(key)?.map_or(0, |n| n.value());
                    effects.insert(key, before + 1)?;
                }
                let sequence = "log".into();
                once.set_position(&Position { sequence, offset: offset + 1, minor: 0 })
            })
            .unwrap();
        io::stdout().write_all(format!("d {offset}\n").as_bytes()).unwrap();
    }
    unreachable!("it is killed before")
}

#[test]
fn effects_happen_once_over_kills_at_random_instants() {
    if let Some(directory) = env::var_os(DIRECTORY) {
        child(Path::new(&directory));
    }
    let n_rounds = env::var("KILL9_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(8_u64);
    let directory = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(n_rounds);
    let told = AtomicU64::new(0);
    for round in 0..n_rounds {
        let test = "effects_happen_once_over_kills_at_random_instants";
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let keep = |line: io::Result<String>| {
            let line = line.unwrap();
            let offset = line.strip_prefix("d ").and_then(|n| n.parse::<u64>().ok());
            told.fetch_max(offset.map_or(0, |offset| offset + 1), Ordering::Relaxed);
        };
        lines.by_ref().take(random.usize(1..60)).for_each(keep);
        child.kill().unwrap(); // SIGKILL
        lines.for_each(keep);
        child.wait().unwrap();

        // Every effect that was promised is there, each once, and none that was not due.
        let store = open(&directory.path().join("keys"), &VirtualTime::new());
        let position = store.position("log").unwrap().map_or(0, |position| position.offset);
        let told = told.load(Ordering::Relaxed);
        assert!(position >= told, "round {round}: {told} were promised, {position} are there");
        if position == 0 {
            continue;
        }
        let effects = store.database().begin_read().unwrap().open_table(EFFECTS).unwrap();
        let found: BTreeMap<u64, u64> = effects
            .iter()
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|(k, n)| (k.value(), n.value()))
            .collect();
        let expected: BTreeMap<u64, u64> =
            (0..position).map(|offset| (key_at(offset), 1)).collect();
        assert_eq!(found, expected, "round {round}");
    }
    assert!(told.load(Ordering::Relaxed) > 0, "something was promised");
}
