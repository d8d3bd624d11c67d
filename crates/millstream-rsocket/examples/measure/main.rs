//! Measures this crate beside rsocket-java and beside frames over TCP without any protocol, in one
//! run on loopback: `cargo xtask rsocket --measure`.
//!
//! Peers take turns, and the best round of each counts, so that what else the machine does matters
//! little. Client and server of a peer are in one process.

#![expect(clippy::print_stdout, reason = "it prints tables")]
#![expect(clippy::disallowed_methods, reason = "it measures, and begins requests on time")]

mod java;
mod memory;
mod ours;
mod raw;

use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use clap::Parser;

/// Measures request-stream by demand and size, request-response at a fixed load, and memory.
#[derive(Parser)]
struct Args {
    /// The folder of rsocket-java's peer, which `cargo xtask rsocket` builds; it is left out
    /// without.
    #[arg(long)]
    java: Option<PathBuf>,
    /// How many rounds are played.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
    /// Measures streams of items of so many bytes alone, to look at with a profiler.
    #[arg(long)]
    size: Option<usize>,
    /// Measures streams by this demand alone; 0 is without bound.
    #[arg(long)]
    demand: Option<u32>,
    /// Measures streams of this crate alone.
    #[arg(long)]
    alone: bool,
}

/// A stream that is asked for.
#[derive(Clone, Copy)]
struct Case {
    /// How many items are asked for at a time; 0 is without bound.
    demand: u32,
    size: usize,
    n_items: u64,
}

/// What is measured.
trait Peer {
    fn name(&self) -> &'static str;
    /// How long a stream takes, until its last item.
    async fn stream(&mut self, case: Case) -> Duration;
    /// The latencies of so many requests with 100 B each way, of which so many begin in a second,
    /// from when each should have begun. A thread of its own begins them, in all peers.
    async fn respond(&mut self, n: u32, per_second: u32) -> Vec<Duration>;
}

/// The same for all peers, so that they can take turns.
struct Measured {
    name: &'static str,
    streams: Vec<Duration>,
    latencies: Vec<Duration>,
}

impl Measured {
    fn of(peer: &impl Peer, cases: &[Case]) -> Self {
        let streams = vec![Duration::MAX; cases.len()];
        Self { name: peer.name(), streams, latencies: Vec::new() }
    }
}

/// The streams that are measured, of those that the arguments name.
fn cases(args: &Args) -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, n_items) in [(100, 200_000), (16 * 1024, 20_000)] {
        for demand in [1, 32, 256, 0] {
            // A round trip for each item takes long.
            let n_items = if demand == 1 { 5000 } else { n_items };
            cases.push(Case { demand, size, n_items });
        }
    }
    cases.retain(|case| {
        args.size.is_none_or(|size| size == case.size)
            && args.demand.is_none_or(|demand| demand == case.demand)
    });
    cases
}

async fn round(peer: &mut impl Peer, cases: &[Case], measured: &mut Measured) {
    for (case, best) in cases.iter().zip(&mut measured.streams) {
        *best = peer.stream(*case).await.min(*best);
    }
}

/// Begins so many requests on a thread of its own, of which so many are due in a second: what a
/// runtime's timer adds, which counts in milliseconds, is no latency of a peer.
fn pace(n: u32, per_second: u32, mut begin: impl FnMut(Instant) + Send + 'static) {
    let start = Instant::now();
    thread::spawn(move || {
        for index in 0..n {
            let due = start + Duration::from_secs(1) * index / per_second;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            begin(due);
        }
    });
}

async fn respond(peer: &mut impl Peer, measured: &mut Measured) {
    measured.latencies.extend(peer.respond(1000, 1000).await);
}

fn report(cases: &[Case], peers: &[Measured]) {
    println!("request-stream, items a second, and in brackets as a share of the first");
    print!("{:>8} {:>8}", "size", "demand");
    peers.iter().for_each(|peer| print!(" {:>22}", peer.name));
    println!();
    for (index, case) in cases.iter().enumerate() {
        let demand = if case.demand == 0 { "all".to_owned() } else { case.demand.to_string() };
        print!("{:>8} {demand:>8}", case.size);
        let rate = |peer: &Measured| case.n_items as f64 / peer.streams[index].as_secs_f64();
        for peer in peers {
            print!(" {:>14.0} ({:4.2})", rate(peer), rate(peer) / rate(&peers[0]));
        }
        println!();
    }
    if peers.iter().all(|peer| peer.latencies.is_empty()) {
        return;
    }
    println!("\nrequest-response at 1000 a second, 100 B");
    for peer in peers {
        let mut latencies = peer.latencies.clone();
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        println!("{:16} p50 {:>10.1?} p99 {:>10.1?}", peer.name, at(0.5), at(0.99));
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args = Args::parse();
    let cases = cases(&args);
    let (mut ours, mut raw) = (ours::Ours::start().await, raw::Raw::start().await);
    let mut java = args.java.filter(|_| !args.alone).map(java::Java::start);
    let mut measured = vec![Measured::of(&ours, &cases)];
    if !args.alone {
        measured.push(Measured::of(&raw, &cases));
        measured.extend(java.as_ref().map(|java| Measured::of(java, &cases)));
    }
    for n in 0..args.rounds {
        round(&mut ours, &cases, &mut measured[0]).await;
        if args.alone {
            continue;
        }
        round(&mut raw, &cases, &mut measured[1]).await;
        if let Some(java) = &mut java {
            round(java, &cases, &mut measured[2]).await;
        }
        respond(&mut ours, &mut measured[0]).await;
        respond(&mut raw, &mut measured[1]).await;
        if let Some(java) = &mut java {
            respond(java, &mut measured[2]).await;
        }
        if n == 0 {
            // The first round warms up.
            measured.iter_mut().for_each(|peer| peer.latencies.clear());
        }
    }
    report(&cases, &measured);
    if !args.alone {
        memory::report().await;
    }
}
