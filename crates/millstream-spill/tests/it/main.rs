//! The queue, one question a test.

mod any_bytes;
mod bad_input;
mod faults;
mod ledger;
mod model;
mod mutations;
mod policies;
mod power;
mod processor;
mod queue;
mod tiers;
mod tools;

use std::sync::LazyLock;

use millstream::scheduler::Pool;
use millstream_spill::{Codec, Config, Durability, Receiver, Sender, codec::U64};

/// The thread that does the disk's work for all tests.
fn disk() -> &'static Pool {
    static DISK: LazyLock<Pool> = LazyLock::new(|| Pool::named("disk", 1));
    &DISK
}

/// Small segments, of five numbers each.
fn small(durability: Durability) -> Config {
    Config { segment_bytes: 32 + 5 * 24, max_bytes: 1 << 20, durability, ..Config::default() }
}

/// What can be received at once.
fn drain<C: Codec>(receiver: &mut Receiver<C>) -> Vec<C::Item> {
    std::iter::from_fn(|| receiver.try_recv().expect("it can be read"))
        .map(|entry| entry.item)
        .collect()
}

fn send_all(sender: &Sender<U64>, items: impl IntoIterator<Item = u64>) {
    sender.send_all_blocking(items).expect("there is room");
}
