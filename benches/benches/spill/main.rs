//! The durable queue beside a plain file, redb and fjall, in one run.
//!
//! `cargo bench -p millstream-benches --no-default-features --features durable --bench spill`
//! measures records of 256 bytes, beside the time that the plain file takes for them. The peers
//! take turns, and the least time of each counts: what else the machine does, it does to all.
//! `-- --mib 1024` says how much is recovered, `--turns N` how many turns are taken, `--only TEXT`
//! measures what has this text in its title, and `--directory PATH` says where the files are.

mod queues;

use std::{
    fs::{self, File},
    hint::black_box,
    io::Read as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use millstream::scheduler::Pool;
use millstream_spill::{Spill, codec::Bytes};

use queues::{QUEUES, RECORD, Result, config};

/// What is asked for.
struct Settings {
    /// In each direction without syncs; with syncs, groups.
    n_records: u64,
    n_syncs: u64,
    n_turns: u32,
    /// How much is recovered.
    mib: u64,
    only: Option<String>,
    directory: PathBuf,
}

impl Settings {
    fn of_arguments() -> Result<Self> {
        let arguments: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let at = arguments.iter().position(|argument| argument == name)?;
            arguments.get(at + 1)
        };
        let directory = value("--directory").map_or_else(std::env::temp_dir, PathBuf::from);
        let only = value("--only").cloned();
        // Without it, as under `cargo test`, it is run once to see that it works.
        if !arguments.iter().any(|argument| argument == "--bench") {
            let (n_records, n_syncs, n_turns, mib) = (1_000, 3, 1, 1);
            return Ok(Self { n_records, n_syncs, n_turns, mib, only, directory });
        }
        let mib = value("--mib").map_or(Ok(256), |mib| mib.parse())?;
        let n_turns = value("--turns").map_or(Ok(5), |n| n.parse())?;
        Ok(Self { n_records: 400_000, n_syncs: 100, n_turns, mib, only, directory })
    }

    fn skips(&self, title: &str) -> bool {
        self.only.as_ref().is_some_and(|only| !title.contains(only.as_str()))
    }

    fn empty_directory(&self) -> Result<tempfile::TempDir> {
        Ok(tempfile::tempdir_in(&self.directory)?)
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    black_box(work()?);
    Ok(start.elapsed())
}

#[expect(clippy::print_stdout, reason = "it prints a table")]
fn say(line: &str) {
    println!("{line}");
}

/// Appends `n` records, `group` at a time, and takes them again.
fn compare(settings: &Settings, n: u64, group: u64, is_synced: bool) -> Result {
    let kind = if is_synced { "synced" } else { "without sync" };
    let title = format!("{kind}, {n} records, {group} at a time");
    if settings.skips(&title) {
        return Ok(());
    }
    let mut appending = [Duration::MAX; QUEUES.len()];
    let mut taking = [Duration::MAX; QUEUES.len()];
    for _ in 0..settings.n_turns {
        for (at, (_, open)) in QUEUES.iter().enumerate() {
            let directory = settings.empty_directory()?;
            let mut queue = open(directory.path(), is_synced)?;
            let append = || {
                (0..n).step_by(group as usize).try_for_each(|at| {
                    let end = (at + group).min(n);
                    queue.append(at..end)
                })
            };
            appending[at] = timed(append)?.min(appending[at]);
            let take = || {
                let mut n_taken = 0;
                while n_taken < n {
                    match queue.take(group)? {
                        0 => return Err(format!("{n_taken} of {n} came back").into()),
                        more => n_taken += more,
                    }
                }
                Ok(())
            };
            taking[at] = timed(take)?.min(taking[at]);
        }
    }
    say(&format!("\n{title}"));
    say(&format!("{:20}{:>12}{:>8}{:>12}", "", "appended/s", "time", "taken/s"));
    for (at, (name, _)) in QUEUES.iter().enumerate() {
        let rate = |time: Duration| n as f64 / time.as_secs_f64();
        let ratio = appending[at].as_secs_f64() / appending[0].as_secs_f64();
        let (appended, taken) = (rate(appending[at]), rate(taking[at]));
        say(&format!("{name:20}{appended:>12.0}{ratio:>8.2}{taken:>12.0}"));
    }
    Ok(())
}

/// Reads all files of a directory, with a checksum of each.
fn read_all(directory: &Path) -> Result<u32> {
    let mut buffer = vec![0; 256 << 10];
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let mut file = File::open(entry?.path())?;
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            sum = crc32c::crc32c_append(sum, &buffer[..n]);
        }
    }
    Ok(sum)
}

/// Opens a queue in which all waits, beside reading its files.
fn recovery(settings: &Settings) -> Result {
    let title = format!("opening {} MiB", settings.mib);
    if settings.skips(&title) {
        return Ok(());
    }
    let directory = settings.empty_directory()?;
    let n = settings.mib * (1 << 20) / (RECORD as u64 + 16);
    let (_, millstream) = QUEUES[1];
    let mut queue = millstream(directory.path(), false)?;
    (0..n).step_by(1024).try_for_each(|at| queue.append(at..(at + 1024).min(n)))?;
    drop(queue);
    let (mut reading, mut opening) = (Duration::MAX, Duration::MAX);
    for _ in 0..settings.n_turns {
        reading = timed(|| read_all(directory.path()))?.min(reading);
        let disk = Pool::named("disk", 1);
        let open = || {
            let spill = Spill::at(directory.path()).config(config(false));
            let (sender, _receiver) = spill.open(Bytes, &disk)?;
            let items = sender.recovered().items;
            if items == n { Ok(items) } else { Err(format!("{items} instead of {n}").into()) }
        };
        opening = timed(open)?.min(opening);
    }
    let ratio = opening.as_secs_f64() / reading.as_secs_f64();
    say(&format!("\n{title}: {opening:.2?}; reading them: {reading:.2?}; {ratio:.2}"));
    Ok(())
}

fn main() -> Result {
    let settings = Settings::of_arguments()?;
    compare(&settings, settings.n_records / 40, 1, false)?;
    compare(&settings, settings.n_records, 64, false)?;
    compare(&settings, settings.n_records, 1_024, false)?;
    compare(&settings, settings.n_syncs, 1, true)?;
    compare(&settings, settings.n_syncs * 64, 64, true)?;
    compare(&settings, settings.n_syncs * 1_024, 1_024, true)?;
    recovery(&settings)
}
