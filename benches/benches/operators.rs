//! One operator each, beside streams and channels: the side of Rust of what `benches/jvm` and
//! `benches/go` do in other languages.
//!
//! `cargo xtask bench-report --run` runs the languages in turns, and this once a turn: with
//! `--turn N` it keeps what it measured as that turn's. Alone, it prints it:
//! `cargo bench -p millstream-benches --bench operators`, or with names of subjects for these
//! alone.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use millstream_benches::{
    operators::{Run, Subject, n_items, subjects},
    record::{self, Record},
};

/// For how long each peer of a subject runs, and how often at least and at most.
#[derive(Clone, Copy)]
struct Budget {
    time: Duration,
    least: usize,
    most: usize,
}

/// Nanoseconds that one run took for an item.
fn time(run: Run, n: u64, size: u64) -> f64 {
    let start = Instant::now();
    black_box(run(black_box(n), size));
    start.elapsed().as_nanos() as f64 / n as f64
}

/// The medians of the peers of a subject, which take turns.
fn measure(subject: &Subject, n: u64, size: u64, budget: Budget) -> Vec<f64> {
    let first: f64 = subject.peers.iter().map(|(_, run)| time(*run, n, size)).sum();
    let mean = Duration::from_nanos((first * n as f64) as u64) / subject.peers.len() as u32;
    let n_rounds = budget.time.as_nanos() / mean.as_nanos().max(1);
    let n_rounds = usize::try_from(n_rounds).unwrap_or(1).clamp(budget.least, budget.most);
    let mut all: Vec<Vec<f64>> = subject.peers.iter().map(|_| Vec::new()).collect();
    for _ in 0..n_rounds {
        for ((_, run), times) in subject.peers.iter().zip(&mut all) {
            times.push(time(*run, n, size));
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    all.into_iter().map(median).collect()
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let turn = arguments.iter().position(|argument| argument == "--turn");
    let turn = turn.and_then(|at| arguments.get(at + 1)).cloned();
    let is_named = |name: &str| {
        let mut names = arguments.iter().filter(|argument| !argument.starts_with('-'));
        turn.is_some() || names.clone().next().is_none() || names.any(|named| named == name)
    };
    // Without `--bench` it is run once, to see that it works and that all peers do the same.
    let is_smoke = !has("--bench");
    let budget = match (is_smoke, has("--short")) {
        (true, _) => Budget { time: Duration::ZERO, least: 1, most: 1 },
        (false, true) => Budget { time: Duration::from_millis(20), least: 3, most: 100 },
        (false, false) => Budget { time: Duration::from_millis(300), least: 11, most: 1_000 },
    };
    let (mut times, mut sums) = (Record::new(), Record::new());
    for subject in subjects().iter().filter(|subject| is_named(subject.name)) {
        let n = if is_smoke { 2_000 } else { n_items(subject.name) };
        for &size in subject.sizes {
            let results = subject.peers.iter().map(|(_, run)| run(n, size)).collect::<Vec<_>>();
            assert!(results.iter().all(|sum| *sum == results[0]), "{}: {results:?}", subject.name);
            // As many bits as the number of a record holds, and the other languages give.
            let bits = f64::from(results[0] as u32);
            sums.insert(format!("{} / {size}", subject.name), bits);
            println!("\n{}, {size}: ns an item", subject.name);
            let medians = measure(subject, n, size, budget);
            for ((peer, _), median) in subject.peers.iter().zip(medians) {
                println!("{peer:32} {median:>10.2}");
                times.insert(format!("{} / {peer} / {size}", subject.name), median);
            }
        }
    }
    if let Some(turn) = turn {
        let kept = record::keep(&format!("peers-rust-{turn}"), &times)
            .and_then(|()| record::keep("peers-rust-sums", &sums));
        if let Err(error) = kept {
            println!("not kept: {error}");
        }
    }
}
