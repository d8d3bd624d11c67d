//! TLS and WebSocket carry what TCP carries, and contain peers that do not speak them.

#[cfg(feature = "tls")]
mod certificate;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "websocket")]
mod websocket;

use millstream::range;
use millstream_rsocket::{Payload, Requester};

use crate::flows::{number, numbers};

/// Plays what a transport could get wrong: order, length, fragments, both directions, and an end.
async fn play(requester: &Requester) {
    let large: Vec<u8> = (0..300_000_usize).map(|n| (n % 251) as u8).collect();
    let large = Payload::from(large).with_metadata("beside".repeat(5000));
    let echoed = requester.request_response(large.clone()).first().await.unwrap();
    assert!(echoed == Some(large));

    let items = requester.request_stream("20000").collect::<Vec<_>>().await.unwrap();
    assert_eq!(numbers(&items), (0..20_000).collect::<Vec<_>>());
    let large = requester.request_stream("large").collect::<Vec<_>>().await.unwrap();
    assert_eq!(large.iter().map(Payload::len).sum::<usize>(), 64 * 100_000);
    assert_eq!(requester.request_stream("all").take(3).count().await.unwrap(), 3);

    let channel = requester.request_channel(range(0..1000).map(number));
    assert_eq!(numbers(&channel.collect::<Vec<_>>().await.unwrap()).len(), 1000);
    assert!(requester.request_response("fail").first().await.is_err());
    requester.close();
    requester.closed().await;
}
