//! Frames as a peer writes them that uses no library.

use bytes::{BufMut, BytesMut};
use millstream_rsocket::{
    Payload,
    frame::{Body, Frame, Setup},
    proto::Config,
};

/// A frame behind its length.
pub(crate) fn framed(frame: &Frame) -> BytesMut {
    let mut bytes = BytesMut::new();
    bytes.put_uint(frame.encoded_len() as u64, 3);
    frame.encode(&mut bytes).unwrap();
    bytes
}

pub(crate) fn opening() -> Frame {
    Frame::new(0, Body::Setup(Box::new(Setup::from(&Config::default()))))
}

pub(crate) fn stream(id: u32, initial_n: u32) -> Frame {
    let payload = Payload::from("never");
    Frame::new(id, Body::RequestStream { initial_n, follows: false, payload })
}
