//! Frames that other implementations publish in their tests, byte for byte.

use bytes::{Bytes, BytesMut};
use millstream_rsocket::{
    ErrorCode, Payload,
    frame::{Body, Frame},
};

/// Frames as the tests of rsocket-java print them, with their length before them, and what they
/// say.
fn published() -> Vec<(&'static str, Frame)> {
    let stream = |payload| Body::RequestStream { initial_n: 1, follows: false, payload };
    vec![
        (
            "000010000000011900000000010000026d6464",
            Frame::new(1, stream(Payload::from("d").with_metadata("md"))),
        ),
        (
            "00000e0000000119000000000100000064",
            Frame::new(1, stream(Payload::from("d").with_metadata(""))),
        ),
        ("00000b0000000118000000000164", Frame::new(1, stream(Payload::from("d")))),
        ("00000b000000012c000000020164", Frame::error(1, ErrorCode::APPLICATION_ERROR, "d")),
        (
            "00000f000000000c80000000000000000064",
            Frame::new(0, Body::KeepAlive { respond: true, position: 0, data: "d".into() }),
        ),
        ("00000a00000001200000000005", Frame::new(1, Body::RequestN(5))),
        (
            // Its test prints a lease with metadata in it.
            "00001000000000090000000000000000006d64",
            Frame::new(0, Body::Lease { ttl_ms: 0, n_requests: 0, metadata: Some("md".into()) }),
        ),
    ]
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn published_frames_decode_and_encode_byte_for_byte() {
    for (hex, frame) in published() {
        let bytes = from_hex(hex);
        let length = usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
        assert_eq!(length, frame.encoded_len(), "{hex}");

        assert_eq!(Frame::decode(Bytes::copy_from_slice(&bytes[3..])).unwrap(), frame, "{hex}");
        let mut encoded = BytesMut::new();
        frame.encode(&mut encoded).unwrap();
        assert_eq!(encoded, bytes[3..], "{hex}");
    }
}
