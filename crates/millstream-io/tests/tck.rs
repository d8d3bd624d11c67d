//! Sockets and compression under the TCK.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;

use bytes::Bytes;
use millstream::range;
use millstream_io::{Listener, Socket};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tokio::runtime::Runtime;
use tokio_util::codec::BytesCodec;

const SOCKET: Capabilities = Capabilities::new().max_length(1_000).asynchronous();

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

publisher_tests!(
    what_a_socket_reads,
    |n| {
        let _entered = runtime().enter();
        let (ours, theirs) = tokio::io::duplex(64);
        let (reader, writer) = tokio::io::split(ours);
        let bytes = range(0..n).map(|_| Bytes::from_static(b"x"));
        let written = bytes.write_to(theirs, BytesCodec::new());
        runtime().spawn(written);
        Socket::of(reader, writer, "peer").split(1).0
    },
    SOCKET
);
publisher_tests!(
    connections,
    |n| {
        let (listener, clients) = runtime().block_on(async {
            let listener = Listener::tcp("127.0.0.1:0").await.unwrap();
            let address = listener.address().to_owned();
            let mut clients = Vec::new();
            for _ in 0..n {
                clients.push(Socket::tcp(&address).await.unwrap());
            }
            (listener, clients)
        });
        let _entered = runtime().enter();
        listener.connections().take(n).inspect(move |_| assert!(clients.len() as u64 == n))
    },
    Capabilities::new().max_length(50).asynchronous()
);
#[cfg(feature = "gzip")]
publisher_tests!(
    gunzip,
    |n| {
        use millstream_io::FlowExt as _;
        // Chunks of 8 KiB, at a byte each when they are packed.
        range(0..n).map(|_| Bytes::from_static(&[0; 8_192])).gzip().gunzip()
    },
    SOCKET
);
