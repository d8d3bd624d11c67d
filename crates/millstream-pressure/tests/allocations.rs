//! What operators allocate: a subscription once, and nothing per item.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use millstream::{Flow, Publisher, range, scheduler::VirtualTime};
use millstream_pressure::{
    Credits, CreditsConfig, FlowExt as _, Queue, QueueConfig, RateConfig, RateLimit,
};

/// Counts what the test's own thread allocates.
struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator, unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Ten times as many items allocate no more.
#[track_caller]
fn assert_none_per_item<P: Publisher>(name: &str, make: impl Fn(u64) -> Flow<P>) {
    let run = |n| {
        let flow = make(n);
        let before = N_ALLOCATIONS.get();
        assert_eq!(flow.count().wait().unwrap(), n);
        N_ALLOCATIONS.get() - before
    };
    run(1_000);
    assert_eq!(run(1_000), run(10_000), "{name}");
}

#[test]
fn no_operator_allocates_per_item() {
    let time = VirtualTime::new();
    let queue = Queue::new("test", QueueConfig { capacity: 64, ..QueueConfig::default() }, &time);
    let queue = queue.unwrap();
    assert_none_per_item("queue", |n| range(0..n).queue(&queue));
    let rate = RateConfig { rate: 1e9, burst: 1 << 40 };
    let limit = RateLimit::new("test", rate, &time).unwrap();
    assert_none_per_item("rate_limit", |n| range(0..n).rate_limit(&limit));
    let credits = Credits::new("test", CreditsConfig::fixed(16), &time).unwrap();
    assert_none_per_item("credits", |n| range(0..n).credits(&credits));
}
