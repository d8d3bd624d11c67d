//! Sockets and compression: demand, ends, and what is wrong with input.

#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(all(feature = "gzip", feature = "zstd"))]
mod compress;
mod sockets;
#[cfg(feature = "tls")]
mod tls;

use std::time::Duration;

/// Waits for what another task does.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not come");
}
