//! One operator each, beside the libraries of the JVM, streams and channels: the same subjects as
//! in `benches/jvm` and `benches/go`.
//!
//! All peers of a subject do the same for the same items, and what they give is compared.

mod ours;
mod streams;
mod tasks;

use tokio::runtime::Runtime;

use crate::mix;

/// How many items each run of a subject has: so few that most runs are over before the system gives
/// the processor to somebody else, and enough for many groups and flows.
#[must_use]
pub fn n_items(subject: &str) -> u64 {
    if ["group_by", "flows_on_pool"].contains(&subject) { 100_000 } else { 10_000 }
}

/// What a peer does for so many items, at a size of the subject, and what it gives.
pub type Run = fn(u64, u64) -> u64;

/// What peers do, at which sizes.
#[derive(Debug)]
pub struct Subject {
    /// The name, as in the other languages.
    pub name: &'static str,
    /// Its sizes; 1 alone if it has none.
    pub sizes: &'static [u64],
    /// Ours first.
    pub peers: Vec<(&'static str, Run)>,
}

const OURS: &str = "millstream";
const FUTURES: &str = "futures";
const CONCURRENCY: &str = "futures_concurrency";
const TOKIO: &str = "tokio";

/// All of them, in the order of the book's page.
#[must_use]
pub fn subjects() -> Vec<Subject> {
    let subject =
        |name, sizes, peers: &[(&'static str, Run)]| Subject { name, sizes, peers: peers.to_vec() };
    vec![
        subject("chain", &[1], &[(OURS, ours::chain), (FUTURES, streams::chain)]),
        subject("share", &[1, 2, 4, 16], &[(OURS, ours::share)]),
        subject("hub", &[1, 4], &[(OURS, ours::hub)]),
        subject("hub_direct", &[1, 4], &[(OURS, ours::hub)]),
        subject("flat_map", &[1], &[(OURS, ours::flat_map), (FUTURES, streams::flat_map)]),
        subject(
            "flat_map_of_two",
            &[1],
            &[(OURS, ours::flat_map_of_two), (FUTURES, streams::flat_map_of_two)],
        ),
        subject("concat_map", &[1], &[(OURS, ours::concat_map), (FUTURES, streams::concat_map)]),
        subject(
            "concat_map_of_two",
            &[1],
            &[(OURS, ours::concat_map_of_two), (FUTURES, streams::concat_map_of_two)],
        ),
        subject("flat_map_iter", &[1], &[(OURS, ours::flat_map_iter)]),
        subject("on_backpressure_buffer", &[1], &[(OURS, ours::on_backpressure_buffer)]),
        subject("limit_rate", &[1], &[(OURS, ours::limit_rate)]),
        subject("window", &[1], &[(OURS, ours::window)]),
        subject("group_by", &[1_000, 10_000], &[(OURS, crate::group_by::by_group_map)]),
        subject(
            "zip",
            &[1],
            &[(OURS, ours::zip), (FUTURES, streams::zip), (CONCURRENCY, streams::zip_concurrent)],
        ),
        subject(
            "merge",
            &[1],
            &[
                (OURS, ours::merge),
                (FUTURES, streams::merge),
                (CONCURRENCY, streams::merge_concurrent),
            ],
        ),
        subject("combine_latest", &[1], &[(OURS, ours::combine_latest)]),
        subject("publish_on", &[1, 4, 16], &[(OURS, ours::publish_on), (TOKIO, tasks::hops)]),
        subject("parallel_map", &[8], &[(OURS, ours::parallel_map), (TOKIO, tasks::buffered)]),
        subject("flows_on_pool", &[1], &[(OURS, ours::flows_on_pool), (TOKIO, tasks::many)]),
    ]
}

/// What a worker does for an item: about a quarter of a microsecond.
fn work(n: u64) -> u64 {
    (0..100).fold(n, |n, _| mix(n))
}

/// A runtime with as many threads as our pool.
fn runtime() -> Option<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().ok()
}
