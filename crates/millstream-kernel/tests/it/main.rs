//! Tests of the kernel's parts, one file each, with `std`'s atomics and real threads.
//!
//! What threads can do to each other is explored by the models in `tests/loom`; here are the parts'
//! answers to one thread, queues beside `VecDeque`, and a few hundred milliseconds of stress.

#![cfg(not(any(millstream_loom, millstream_shuttle)))]

mod accumulator;
mod allowance;
mod arbiter;
mod bells;
mod breaker;
mod broadcast;
mod cap;
mod capacity;
mod deferred;
mod drops;
mod gate;
mod gate_ahead;
mod gate_on_worker;
mod gate_panics;
mod gauge;
mod gcra;
mod guard;
mod mpsc;
mod oneshot;
mod pending;
mod permits;
mod prefetch;
mod ready_set;
mod recorder;
mod scripts;
mod semaphore;
mod serial;
mod sharing;
mod slot;
mod spsc;
mod stress;
mod subscriber_slot;
mod support;
mod upstream;
