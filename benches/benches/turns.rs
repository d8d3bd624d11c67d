//! From threads to threads, by peers that take turns, with the use of the processors beside the
//! time.
//!
//! Run with `cargo bench -p millstream-benches --bench turns`. Where there are more threads than
//! processors, the system decides for milliseconds at a time which of them share one, and that
//! decides the time. Here the peers have one run each, and again, each round another one first.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use millstream_benches::{
    many_to_one, one_to_many,
    record::{self, Record},
    threads,
};

/// What a peer does for so many items.
type Peer<'a> = (&'a str, &'a dyn Fn(u64) -> u64);

/// A run: nanoseconds an item, and how many processors worked.
#[derive(Clone, Copy)]
struct Run {
    time: f64,
    n_processors: f64,
}

/// Runs of a peer that are looked at by themselves: a name, and how many processors they kept busy
/// on average, at least and at most. Threads that sleep in turn keep one busy wherever they are.
const PARTS: [(&str, f64, f64); 2] = [("one processor", 0.0, 1.25), ("more", 1.75, f64::INFINITY)];

/// The runs of a part are few, and say nothing, below this number.
const ENOUGH: usize = 5;

/// What is measured: of which group and size, for how many items, and whether the report says what
/// the runs of each part took.
struct Subject<'a> {
    group: &'a str,
    size: u64,
    n: u64,
    has_parts: bool,
}

/// How many rounds: as many as make so many items for each peer, but no fewer than `least`.
#[derive(Clone, Copy)]
struct Rounds {
    n_items: u64,
    least: u64,
}

impl Rounds {
    fn of(self, n: u64) -> usize {
        (self.n_items / n).clamp(self.least, 300) as usize
    }
}

/// The time of the processors that this process has used.
#[cfg(unix)]
fn processor_time() -> Option<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};

    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let [user, system] = [usage.user_time(), usage.system_time()].map(|time| {
        Duration::new(time.tv_sec().try_into().unwrap_or(0), 0)
            + Duration::from_micros(time.tv_usec().try_into().unwrap_or(0))
    });
    Some(user + system)
}

/// Unknown, so that no run is said to have had one or both.
#[cfg(not(unix))]
fn processor_time() -> Option<Duration> {
    None
}

fn run(n: u64, work: impl FnOnce() -> u64) -> Run {
    let (used, start) = (processor_time(), Instant::now());
    black_box(work());
    let elapsed = start.elapsed();
    let used = processor_time().zip(used).map(|(after, before)| after.saturating_sub(before));
    Run {
        time: elapsed.as_nanos() as f64 / n as f64,
        n_processors: used.map_or(f64::NAN, |used| used.as_secs_f64() / elapsed.as_secs_f64()),
    }
}

/// The time below which a share of `runs` lies.
fn quantile(runs: &[Run], share: f64) -> Option<f64> {
    let mut times: Vec<f64> = runs.iter().map(|run| run.time).collect();
    times.sort_by(f64::total_cmp);
    times.get(((times.len() as f64 - 1.0) * share).round() as usize).copied()
}

/// Has all peers do the same, one after another and again, and notes and prints what that took.
fn take_turns(record: &mut Record, subject: &Subject<'_>, rounds: Rounds, peers: &[Peer<'_>]) {
    let Subject { group, size, n, has_parts } = *subject;
    let n_rounds = rounds.of(n);
    let sums: Vec<u64> = peers.iter().map(|(_, work)| work(n)).collect();
    assert!(sums.iter().all(|sum| *sum == sums[0]), "{group}, {size}: {sums:?}");
    let mut all: Vec<Vec<Run>> = peers.iter().map(|_| Vec::new()).collect();
    for round in 0..n_rounds {
        for index in 0..peers.len() {
            let peer = (index + round) % peers.len();
            all[peer].push(run(n, || peers[peer].1(black_box(n))));
        }
    }
    println!("\n{group}, {size}: {n_rounds} runs each of {n} items, ns an item");
    println!("{:32} {:>8} {:>8} {:>8}  in runs that used", "", "p25", "p50", "p75");
    for ((name, _), runs) in peers.iter().zip(&all) {
        print!("{name:32}");
        for share in [0.25, 0.5, 0.75] {
            print!(" {:>8.1}", quantile(runs, share).unwrap_or(f64::NAN));
        }
        if let Some(median) = quantile(runs, 0.5) {
            record.insert(format!("{group} / {name} / {size}"), median);
        }
        for (part, least, most) in PARTS {
            let is_part = |run: &Run| (least..=most).contains(&run.n_processors);
            let runs: Vec<Run> = runs.iter().copied().filter(is_part).collect();
            if let Some(median) = quantile(&runs, 0.5).filter(|_| runs.len() >= ENOUGH) {
                print!("  {part}: {median:.1} ({} runs)", runs.len());
                if has_parts {
                    record.insert(format!("{group} / {name} / {size}, {part}"), median);
                }
            }
        }
        println!();
    }
}

fn main() {
    // Without `--bench` it is run once or twice, to see that it works.
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    let is_smoke = !has("--bench");
    let rounds = match (is_smoke, has("--quick")) {
        (true, _) => Rounds { n_items: 1, least: 1 },
        (false, true) => Rounds { n_items: 1_000_000, least: 3 },
        (false, false) => Rounds { n_items: 12_000_000, least: 20 },
    };
    let sizes = |sizes: &'static [u64]| sizes.iter().copied().take(if is_smoke { 1 } else { 3 });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    let Ok(runtime) = runtime else { return println!("tokio's runtime did not start") };
    let mut record = Record::new();

    let peers: [Peer<'_>; 11] = [
        ("crossbeam_channel", &threads::by_crossbeam),
        ("flume", &threads::by_flume),
        ("async_channel", &threads::by_async_channel),
        ("kanal", &threads::by_kanal),
        ("rtrb", &threads::by_rtrb),
        ("tokio_mpsc_threads", &threads::by_tokio),
        ("tokio_mpsc_tasks", &|n| threads::by_tokio_tasks(n, &runtime)),
        ("millstream_publish_on", &threads::by_publish_on),
        ("millstream_unicast", &threads::by_unicast),
        ("millstream_unicast_publish_on", &threads::by_unicast_publish_on),
        ("millstream_unicast_signal_on", &threads::by_unicast_signal_on),
    ];
    for size in sizes(&[10_000, 100_000, 1_000_000]) {
        let subject = Subject { group: "one_to_one", size, n: size, has_parts: size == 100_000 };
        take_turns(&mut record, &subject, rounds, &peers);
    }

    for k in sizes(&[2, 4, 8]) {
        use many_to_one as by;
        let peers: [Peer<'_>; 10] = [
            ("crossbeam_channel", &|n| by::by_crossbeam(n, k)),
            ("flume", &|n| by::by_flume(n, k)),
            ("async_channel", &|n| by::by_async_channel(n, k)),
            ("kanal", &|n| by::by_kanal(n, k)),
            ("tokio_mpsc_threads", &|n| by::by_tokio(n, k)),
            ("tokio_mpsc_tasks", &|n| by::by_tokio_tasks(n, k, &runtime)),
            ("millstream_merge", &|n| by::by_merge(n, k)),
            ("millstream_merge_publish_on", &|n| by::by_merge_publish_on(n, k)),
            ("millstream_merge_signal_on", &|n| by::by_merge_signal_on(n, k)),
            ("millstream_merge_tasks", &|n| by::by_merge_tasks(n, k, &runtime)),
        ];
        let n = if is_smoke { 1_000 } else { 200_000 };
        let subject = Subject { group: "many_to_one", size: k, n, has_parts: k == 2 };
        take_turns(&mut record, &subject, rounds, &peers);
    }

    let peers: [Peer<'_>; 7] = [
        ("crossbeam_channels", &one_to_many::by_crossbeam),
        ("tokio_broadcast_threads", &one_to_many::by_broadcast),
        ("tokio_broadcast_tasks", &|n| one_to_many::by_broadcast_tasks(n, &runtime)),
        ("millstream_multicast", &one_to_many::by_multicast),
        ("millstream_multicast_publish_on", &one_to_many::by_multicast_publish_on),
        ("millstream_share", &one_to_many::by_share),
        ("millstream_share_publish_on", &one_to_many::by_share_publish_on),
    ];
    // Each item goes to four.
    let rounds = Rounds { n_items: rounds.n_items / 4, ..rounds };
    for size in sizes(&[10_000, 100_000]) {
        let subject = Subject { group: "one_to_many", size, n: size, has_parts: false };
        take_turns(&mut record, &subject, rounds, &peers);
    }

    if !is_smoke && let Err(error) = record::keep("turns", &record) {
        println!("not kept: {error}");
    }
}
