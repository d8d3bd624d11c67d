//! Bridges: channels, sinks, readers and writers, iterators and services.

mod blocking;
mod channels;
#[cfg(feature = "codec")]
mod codecs;
#[cfg(feature = "crossbeam")]
mod crossbeam;
mod peers;
mod pours;
#[cfg(feature = "codec")]
mod readers;
#[cfg(feature = "tower")]
mod services;
mod sinks;

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread, which the test drives: what is spawned runs inside of `block_on`.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Lets every task of the runtime that surrounds the call run until it waits.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

/// Polls once, without a waker.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
