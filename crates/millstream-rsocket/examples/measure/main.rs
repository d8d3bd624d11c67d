//! Measures this crate beside rsocket-java and beside frames over TCP without any protocol, in one
//! run on loopback: `cargo xtask rsocket --measure`.
//!
//! Peers take turns, and the best round of each counts, so that what else the machine does matters
//! little. Client and server of a peer are in one process.

#![expect(clippy::print_stdout, reason = "it prints tables")]

mod java;
mod memory;
mod ours;
mod raw;

use std::{path::PathBuf, time::Duration};

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
    /// from when each should have begun. `None` where there are no requests.
    async fn respond(&mut self, n: u32, per_second: u32) -> Option<Vec<Duration>>;
}

/// The same for all peers, so that they can take turns.
struct Measured {
    name: &'static str,
    streams: Vec<Duration>,
    latencies: Vec<Duration>,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (size, n_items) in [(100, 200_000), (16 * 1024, 20_000)] {
        for demand in [1, 32, 256, 0] {
            // A round trip for each item takes long.
            let n_items = if demand == 1 { 5000 } else { n_items };
            cases.push(Case { demand, size, n_items });
        }
    }
    cases
}

async fn round(peer: &mut impl Peer, measured: &mut Measured) {
    for (case, best) in cases().into_iter().zip(&mut measured.streams) {
        *best = peer.stream(case).await.min(*best);
    }
    if let Some(latencies) = peer.respond(1000, 1000).await {
        measured.latencies.extend(latencies);
    }
}

fn report(peers: &[Measured]) {
    println!("request-stream, items a second, and in brackets as a share of the first");
    print!("{:>8} {:>8}", "size", "demand");
    peers.iter().for_each(|peer| print!(" {:>22}", peer.name));
    println!();
    for (index, case) in cases().into_iter().enumerate() {
        let demand = if case.demand == 0 { "all".to_owned() } else { case.demand.to_string() };
        print!("{:>8} {demand:>8}", case.size);
        let rate = |peer: &Measured| case.n_items as f64 / peer.streams[index].as_secs_f64();
        for peer in peers {
            print!(" {:>14.0} ({:4.2})", rate(peer), rate(peer) / rate(&peers[0]));
        }
        println!();
    }
    println!("\nrequest-response at 1000 a second, 100 B");
    for peer in peers.iter().filter(|peer| !peer.latencies.is_empty()) {
        let mut latencies = peer.latencies.clone();
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        println!("{:16} p50 {:>10.1?} p99 {:>10.1?}", peer.name, at(0.5), at(0.99));
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let args = Args::parse();
    let (mut ours, mut raw) = (ours::Ours::start().await, raw::Raw::start().await);
    let mut java = args.java.map(java::Java::start);
    let names = [Some(ours.name()), Some(raw.name()), java.as_ref().map(Peer::name)];
    let mut measured: Vec<Measured> = names
        .into_iter()
        .flatten()
        .map(|name| Measured {
            name,
            streams: vec![Duration::MAX; cases().len()],
            latencies: Vec::new(),
        })
        .collect();
    for n in 0..args.rounds {
        round(&mut ours, &mut measured[0]).await;
        round(&mut raw, &mut measured[1]).await;
        if let Some(java) = &mut java {
            round(java, &mut measured[2]).await;
        }
        if n == 0 {
            // The first round warms up.
            measured.iter_mut().for_each(|peer| peer.latencies.clear());
        }
    }
    report(&measured);
    memory::report().await;
}
