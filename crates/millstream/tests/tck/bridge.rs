//! Bridges under the TCK.

#[cfg(feature = "tower")]
use std::task::{Context, Poll};

use futures::{FutureExt, SinkExt};
#[cfg(feature = "crossbeam")]
use millstream::bridge::from_crossbeam;
#[cfg(feature = "codec")]
use millstream::bridge::{decode_with, read_bytes, read_frames, read_lines};
use millstream::bridge::{
    from_broadcast, from_broadcast_lossy, from_receiver, from_watch, read_chunks, sink,
};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tokio::sync::{broadcast, mpsc, watch};

/// What is filled before it is subscribed to cannot be of any length.
const FILLED: Capabilities = Capabilities::new().max_length(1_000).asynchronous();

publisher_tests!(
    from_receiver,
    |n| {
        let (sender, receiver) = mpsc::channel(n.max(1) as usize);
        (0..n).for_each(|item| sender.try_send(item).unwrap());
        from_receiver(receiver)
    },
    FILLED
);
publisher_tests!(
    from_broadcast,
    |n| {
        let (sender, receiver) = broadcast::channel(n.max(1) as usize);
        (0..n).for_each(|item| assert!(sender.send(item).is_ok()));
        from_broadcast(receiver)
    },
    FILLED
);
publisher_tests!(
    from_broadcast_lossy,
    |n| {
        let (sender, receiver) = broadcast::channel(n.max(1) as usize);
        (0..n).for_each(|item| assert!(sender.send(item).is_ok()));
        from_broadcast_lossy(receiver, |_| Ok(()))
    },
    FILLED
);
publisher_tests!(
    from_watch,
    |_| from_watch(watch::channel(1).1),
    Capabilities::new().exact_length(1).asynchronous()
);
publisher_tests!(
    sink,
    |n| {
        let (mut sink, flow) = sink(n.max(1) as usize);
        (0..n).for_each(|item| sink.feed(item).now_or_never().unwrap().unwrap());
        sink.close().now_or_never().unwrap().unwrap();
        flow
    },
    FILLED
);
publisher_tests!(
    read_chunks,
    |n| read_chunks(std::io::Cursor::new("x".repeat(n as usize)), 1),
    Capabilities::new().max_length(10_000)
);
#[cfg(feature = "crossbeam")]
publisher_tests!(
    from_crossbeam,
    |n| {
        let (sender, receiver) = crossbeam_channel::bounded(n.max(1) as usize);
        (0..n).for_each(|item| sender.try_send(item).unwrap());
        from_crossbeam(receiver)
    },
    FILLED
);
#[cfg(feature = "codec")]
publisher_tests!(
    read_bytes,
    |n| read_bytes(std::io::Cursor::new("x".repeat(n as usize)), 1),
    FILLED
);
#[cfg(feature = "codec")]
publisher_tests!(
    read_lines,
    |n| read_lines(std::io::Cursor::new("x\n".repeat(n as usize)), 9),
    FILLED
);
#[cfg(feature = "codec")]
publisher_tests!(
    read_frames,
    |n| read_frames(std::io::Cursor::new("\0\0\0\u{1}x".repeat(n as usize)), 9),
    FILLED
);
#[cfg(feature = "codec")]
publisher_tests!(
    decode_with,
    |n| {
        let codec = tokio_util::codec::AnyDelimiterCodec::new(b",".to_vec(), b",".to_vec());
        decode_with(std::io::Cursor::new("x,".repeat(n as usize)), codec, 9)
    },
    FILLED
);
#[cfg(feature = "codec")]
publisher_tests!(
    decode,
    |n| {
        let chunks = millstream::range(0..n).map(|_| "x\n");
        chunks.decode(tokio_util::codec::LinesCodec::new(), 9)
    },
    Capabilities::new().asynchronous()
);
#[cfg(feature = "tower")]
publisher_tests!(
    call_service,
    |n| millstream::range(0..n).call_service(Echo, 3),
    Capabilities::new().asynchronous()
);

/// A service that responds with what it is called with.
#[cfg(feature = "tower")]
#[derive(Clone)]
struct Echo;

#[cfg(feature = "tower")]
impl tower_service::Service<u64> for Echo {
    type Response = u64;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<u64, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, item: u64) -> Self::Future {
        std::future::ready(Ok(item))
    }
}
