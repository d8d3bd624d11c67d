//! The goals, as ratios of peers in one run.
//!
//! Run with `cargo bench -p millstream-benches --bench ratios`. The peers take turns, and the least
//! time of each counts, so that what else the machine does matters little.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use millstream_benches::{chain, flatten, threads};

type Peer<'a> = (&'a str, &'a dyn Fn(u64) -> u64);

/// The least time of each peer for `n` items, in nanoseconds an item.
fn measure(n: u64, n_rounds: u32, peers: &[Peer<'_>]) -> Vec<f64> {
    let mut least = vec![Duration::MAX; peers.len()];
    for _ in 0..n_rounds {
        for ((_, run), least) in peers.iter().zip(&mut least) {
            let start = Instant::now();
            black_box(run(black_box(n)));
            *least = start.elapsed().min(*least);
        }
    }
    least.iter().map(|time| time.as_nanos() as f64 / n as f64).collect()
}

fn print(title: &str, n: u64, peers: &[Peer<'_>], times: &[f64]) {
    println!("\n{title}, {n} items");
    println!("{:24} {:>10} {:>10}", "", "ns/item", "ratio");
    for ((name, _), time) in peers.iter().zip(times) {
        println!("{name:24} {time:>10.2} {:>10.2}", time / times[0]);
    }
}

fn main() {
    // Without `--bench` it is run once, to see that it works.
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let (n, n_rounds) = if is_smoke { (1_000, 1) } else { (1_000_000, 60) };
    let peers: [Peer<'_>; 10] = [
        ("hand-written loop", &chain::by_loop),
        ("millstream", &|n| chain::by_millstream(n, 0)),
        ("millstream, fold", &chain::by_fold),
        ("millstream, request(1)", &|n| chain::by_millstream(n, 1)),
        ("millstream, request(16)", &|n| chain::by_millstream(n, 16)),
        ("millstream, request(256)", &|n| chain::by_millstream(n, 256)),
        ("std iterator", &chain::by_iterator),
        ("futures stream", &chain::by_futures),
        ("tokio-stream", &chain::by_tokio_stream),
        ("rxrust", &chain::by_rxrust),
    ];
    let times = measure(n, n_rounds, &peers);
    print("range, map, filter, sum", n, &peers, &times);
    for (index, batch) in [(3, 1), (4, 16), (5, 256)] {
        let more = times[index] - times[1];
        println!("request({batch}) costs {more:.2} ns an item more than unbounded");
    }

    for len in [1, 1_000] {
        let peers: [Peer<'_>; 4] = [
            ("flatten_unordered", &|n| flatten::by_flatten_unordered(n / len, len)),
            ("millstream flat_map", &|n| flatten::by_flat_map(n / len, len)),
            ("flat_map_sequential", &|n| flatten::by_flat_map_sequential(n / len, len)),
            ("concat_map", &|n| flatten::by_concat_map(n / len, len)),
        ];
        let times = measure(n, n_rounds / 6 + 1, &peers);
        print(&format!("flows of {len}, 256 at a time"), n, &peers, &times);
    }
    let peers: [Peer<'_>; 2] =
        [("futures zip", &flatten::by_zip_of_streams), ("millstream zip", &flatten::by_zip)];
    let times = measure(n, n_rounds / 6 + 1, &peers);
    print("zip", n, &peers, &times);

    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build() else {
        return println!("tokio's runtime did not start");
    };
    let peers: [Peer<'_>; 8] = [
        ("millstream publish_on", &threads::by_publish_on),
        ("rtrb, spinning", &threads::by_rtrb),
        ("crossbeam-channel", &threads::by_crossbeam),
        ("flume", &threads::by_flume),
        ("async-channel", &threads::by_async_channel),
        ("kanal", &threads::by_kanal),
        ("tokio mpsc, threads", &threads::by_tokio),
        ("tokio mpsc, tasks", &|n| threads::by_tokio_tasks(n, &runtime)),
    ];
    let times = measure(n, n_rounds / 6 + 1, &peers);
    print("one producer to one consumer, capacity 256", n, &peers, &times);
}
