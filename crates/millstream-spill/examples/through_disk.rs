//! Sends more through a flow than memory holds, to a consumer that does not begin before all was
//! sent, and says how much memory that took.
//!
//! `cargo run --release -p millstream-spill --example through_disk -- --gib 10 --at-most-mib 64`

use std::{error::Error, fs, path::PathBuf, process::ExitCode, sync::mpsc, time::Instant};

use clap::Parser;
use millstream::{range, scheduler::Pool};
use millstream_spill::{Config, Durability, FlowExt as _, Spill, codec::Bytes};

/// Bytes of an item.
const ITEM: u64 = 1024;

/// Sends more through a flow than memory holds, and says how much memory that took.
#[derive(Debug, Parser)]
struct Args {
    /// How much goes through the disk.
    #[arg(long, default_value_t = 1.0)]
    gib: f64,
    /// Where the queue is; a directory of its own under the system's for temporary files otherwise.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Ends with 1 if the peak was higher.
    #[arg(long)]
    at_most_mib: Option<u64>,
}

#[expect(clippy::disallowed_methods, reason = "how long it takes is for people")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { gib, directory, at_most_mib } = Args::parse();
    if !(gib > 0.0 && gib <= 1024.0) {
        return Err("--gib must be above 0, and at most 1024".into());
    }
    let n_items = (gib * f64::from(1 << 30) / ITEM as f64).ceil() as u64;
    let own = tempfile::tempdir()?;
    let directory = directory.unwrap_or_else(|| own.path().to_owned());
    // Room for all, and for what the records and segments take besides.
    let max_bytes = (n_items * (ITEM + 64) + (256 << 20)).max(1 << 30);
    let config = Config { durability: Durability::Process, max_bytes, ..Config::default() };
    let processor =
        Spill::at(&directory).config(config).processor(Bytes, 1024, &Pool::named("disk", 1))?;
    let monitor = processor.monitor();

    let (sent, all_sent) = mpsc::channel();
    let start = Instant::now();
    let received = range(0..n_items)
        .map(move |n| {
            if n + 1 == n_items {
                // The consumer may be gone.
                sent.send(()).ok();
            }
            item(n)
        })
        .subscribe_on(&Pool::named("source", 1))
        .spill(processor)
        .publish_on(&Pool::named("consumer", 1))
        .fold((0, 0), move |(n, n_wrong), bytes: Vec<u8>| {
            if n == 0 {
                // All but what memory holds is on the disk before the first item is looked at.
                all_sent.recv().ok();
                let at = monitor.snapshot();
                let mib = at.bytes >> 20;
                let time = start.elapsed();
                report(&format!("{n_items} items sent, in {time:.1?}: {mib} MiB on the disk"));
            }
            (n + 1, n_wrong + u64::from(bytes != item(n)))
        })
        .wait()?;

    report(&format!("{} items received, in {:.1?}", received.0, start.elapsed()));
    let peak = peak_mib();
    report(&peak.map_or("peak memory: not known here".into(), |n| format!("peak memory: {n} MiB")));
    let is_good = received == (n_items, 0);
    let fits = at_most_mib.zip(peak).is_none_or(|(most, peak)| peak <= most);
    Ok(if is_good && fits { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An item that no other is like.
fn item(n: u64) -> Vec<u8> {
    n.to_le_bytes().repeat((ITEM / 8) as usize)
}

/// The most memory that the process had at any time, where Linux says so.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()?.div_ceil(1024))
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn report(line: &str) {
    println!("{line}");
}
