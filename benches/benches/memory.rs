//! What a subscription that waits costs: allocations and bytes, of one and of a million.
//!
//! Run with `cargo bench -p millstream-benches --bench memory`. Counts do not depend on the
//! machine's load.

#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
};

use millstream::{Error, Publisher, Subscriber, Subscription, range};
use millstream_benches::{
    depth, keep, map,
    record::{self, Record},
};

/// Counts what this thread allocates and has not freed.
struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static N_BYTES: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator, unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        N_BYTES.set(N_BYTES.get() + layout.size() as u64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        N_BYTES.set(N_BYTES.get() - layout.size() as u64);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Keeps its subscription and asks for nothing, so that the two keep each other.
struct Idle(Option<Arc<dyn Subscription>>);

impl Subscriber<u64> for Idle {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.0 = Some(subscription);
    }

    fn on_next(&mut self, _: u64) {}

    fn on_error(self, _: Error) {}

    fn on_complete(self) {}
}

/// Allocations and bytes of a subscription, when there are `n` of them.
fn measure<P: Publisher<Item = u64>>(n: u64, flow: impl Fn() -> P) -> (f64, f64) {
    let before = (N_ALLOCATIONS.get(), N_BYTES.get());
    for _ in 0..n {
        flow().subscribe(Idle(None));
    }
    let n = n as f64;
    ((N_ALLOCATIONS.get() - before.0) as f64 / n, (N_BYTES.get() - before.1) as f64 / n)
}

fn main() {
    // Without `--bench` it is run once, to see that it works.
    let is_smoke = !std::env::args().any(|argument| argument == "--bench");
    let chain = || range(0..9).map(map).filter(|n| keep(*n));
    let mut record = Record::new();
    println!("{:32} {:>12} {:>12}", "an idle subscription", "allocations", "bytes");
    let mut print = |name: &str, (n_allocations, n_bytes): (f64, f64)| {
        println!("{name:32} {n_allocations:>12.2} {n_bytes:>12.2}");
        record.insert(format!("{name} allocations"), n_allocations);
        record.insert(format!("{name} bytes"), n_bytes);
    };
    print("range.map.filter", measure(1, chain));
    let many = if is_smoke { 1_000 } else { 1_000_000 };
    print("range.map.filter, 1e6 of them", measure(many, chain));
    print("range.map.filter.take", measure(1, || chain().take(3)));
    print("range.map.filter, boxed", measure(1, || chain().boxed()));
    print("20 operators", measure(1, || depth::flow_of_twenty(9)));
    print("20 operators, boxed after each", measure(1, || depth::boxed_flow(9, 20)));
    if !is_smoke && let Err(error) = record::keep("memory", &record) {
        println!("not kept: {error}");
    }
}
