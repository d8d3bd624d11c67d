//! Whether correct publishers are ever failed on a machine that has eight times too much to do.
//!
//! Run it with `cargo run --release -p reactive-streams-tck --example overload -- 1000`: so many
//! runs of the whole suite over the reference publishers, several at a time, beside eight busy
//! threads for each core. It exits with 1 if a verdict was a failure.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]
#![expect(clippy::disallowed_methods, reason = "it makes threads that are in the way")]

use std::{
    hint::black_box,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use reactive_streams_tck::{
    Capabilities, Overrides, Sharing, Subject, Verdict,
    reference::{iterate, multicast, on_thread, on_turns, range},
};

/// How many runs go on at a time: most of a run on threads is waiting.
const AT_ONCE: usize = 16;

fn subjects() -> Vec<Subject> {
    let all = Capabilities::new();
    vec![
        Subject::cloneable("range", all, range),
        Subject::cloneable("iterate", all, |n| iterate(0..n)),
        Subject::cloneable("multicast", all.sharing(Sharing::Multicast), |n| multicast(0..n)),
        Subject::on_turns("on_turns", all, |n, turns| on_turns(range(n), turns)),
        Subject::of("on_thread", all.asynchronous(), |n| on_thread(range(n))),
    ]
}

fn main() -> ExitCode {
    let n_runs = match std::env::args().nth(1).map_or(Ok(1_000), |text| text.parse::<usize>()) {
        Ok(n) if n > 0 => n,
        _ => {
            println!("usage: overload [RUNS], where RUNS is a number from 1 on");
            return ExitCode::from(2);
        }
    };
    // They end with the process.
    let n_busy = 8 * thread::available_parallelism().map_or(2, usize::from);
    for seed in 0..n_busy as u64 {
        thread::spawn(move || {
            let mut n = seed;
            loop {
                n = black_box(n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(7));
            }
        });
    }
    let subjects = subjects();
    let left = Arc::new(Mutex::new((0..n_runs).rev().collect::<Vec<_>>()));
    let failures = Mutex::new(Vec::new());
    let n_inconclusive = Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let run = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(run) = run else { return };
                    let subject = &subjects[run % subjects.len()];
                    for check in subject.checks() {
                        let outcome = subject.run(check.name, Overrides::default());
                        if outcome.verdict.is_failure() {
                            let mut failures =
                                failures.lock().unwrap_or_else(PoisonError::into_inner);
                            failures.push(outcome.message());
                        }
                        if let Verdict::Inconclusive(_) = outcome.verdict {
                            *n_inconclusive.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    let n_inconclusive = n_inconclusive.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(first) = failures.first() {
        println!("{first}\n");
    }
    println!(
        "{n_runs} runs beside {n_busy} busy threads: {} false failures, {n_inconclusive} inconclusive",
        failures.len()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
