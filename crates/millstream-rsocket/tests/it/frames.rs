//! Frames from bytes and to bytes.

use bytes::{Bytes, BytesMut};
use millstream_rsocket::{
    ErrorCode, Payload,
    frame::{Body, DecodeError, EncodeError, Frame, MAX_FRAME, MAX_U31, Resume, Setup},
};
use proptest::{collection::vec, option, prelude::*};

fn some_bytes(max: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

pub(crate) fn some_payload() -> impl Strategy<Value = Payload> {
    (option::of(some_bytes(300)), some_bytes(300))
        .prop_map(|(metadata, data)| Payload { metadata, data })
}

fn some_setup() -> impl Strategy<Value = Setup> {
    let times = (0..=MAX_U31, 0..=MAX_U31);
    let texts = (option::of(some_bytes(70)), some_bytes(255), some_bytes(255));
    (any::<(u16, u16)>(), times, texts, any::<bool>(), some_payload()).prop_map(
        |(version, times, (resume_token, metadata_mime, data_mime), lease, payload)| Setup {
            version,
            keep_alive_ms: times.0,
            max_lifetime_ms: times.1,
            resume_token,
            lease,
            metadata_mime,
            data_mime,
            payload,
        },
    )
}

fn some_request() -> impl Strategy<Value = Body> {
    let rest = (0..=MAX_U31, any::<[bool; 3]>(), some_payload());
    (0..6_u8, rest).prop_map(|(kind, (n, [follows, complete, next], payload))| match kind {
        0 => Body::RequestResponse { follows, payload },
        1 => Body::RequestFnf { follows, payload },
        2 => Body::RequestStream { initial_n: n, follows, payload },
        3 => Body::RequestChannel { initial_n: n, follows, complete, payload },
        4 => Body::Extension { ignore: next, extended_type: n, payload },
        _ => Body::Payload { follows, complete, next, payload },
    })
}

fn some_body() -> impl Strategy<Value = Body> {
    let position = || 0..=i64::MAX as u64;
    prop_oneof![
        some_setup().prop_map(|setup| Body::Setup(Box::new(setup))),
        some_request(),
        (0..=MAX_U31, 0..=MAX_U31, option::of(some_bytes(50))).prop_map(
            |(ttl_ms, n_requests, metadata)| Body::Lease { ttl_ms, n_requests, metadata }
        ),
        (any::<bool>(), position(), some_bytes(50))
            .prop_map(|(respond, position, data)| Body::KeepAlive { respond, position, data }),
        (0..=MAX_U31).prop_map(Body::RequestN),
        Just(Body::Cancel),
        (any::<u32>(), some_bytes(50))
            .prop_map(|(code, data)| Body::Error { code: ErrorCode(code), data }),
        some_bytes(50).prop_map(Body::MetadataPush),
        (any::<(u16, u16)>(), some_bytes(300), position(), position()).prop_map(
            |(version, token, last_received, first_available)| Body::Resume(Resume {
                version,
                token,
                last_received,
                first_available,
            })
        ),
        position().prop_map(|position| Body::ResumeOk { position }),
        (0x0F..0x3F_u8).prop_map(|frame_type| Body::Unknown { frame_type }),
    ]
}

pub(crate) fn some_frame() -> impl Strategy<Value = Frame> {
    (0..=MAX_U31, some_body()).prop_map(|(stream, body)| Frame { stream, body })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(frame in some_frame()) {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes).unwrap();
        prop_assert_eq!(bytes.len(), frame.encoded_len());
        prop_assert_eq!(Frame::decode(bytes.freeze()).unwrap(), frame);
    }

    #[test]
    fn arbitrary_bytes_decode_to_what_encodes_again(bytes in vec(any::<u8>(), 0..200)) {
        let Ok(frame) = Frame::decode(Bytes::from(bytes)) else { return Ok(()) };
        // Bytes that mean nothing are dropped, and no more than they are kept.
        prop_assert_eq!(Frame::decode(frame.to_bytes()).unwrap(), frame);
    }

    #[test]
    fn frames_with_a_byte_changed_or_cut_off_do_not_panic(
        frame in some_frame(), at in any::<prop::sample::Index>(), byte: u8, cut: bool
    ) {
        let mut bytes = frame.to_bytes().to_vec();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Ok(frame) = Frame::decode(Bytes::from(bytes)) {
            prop_assert_eq!(Frame::decode(frame.to_bytes()).unwrap(), frame);
        }
    }
}

fn decode(bytes: &'static [u8]) -> Result<Frame, DecodeError> {
    Frame::decode(Bytes::from_static(bytes))
}

#[test]
fn what_no_frame_may_be_is_refused() {
    let cases: [(&'static [u8], DecodeError); 7] = [
        (b"", DecodeError::Truncated),
        (b"\0\0\0\x01\x28", DecodeError::Truncated),
        // A stream with the reserved bit.
        (b"\x80\0\0\x01\x28\x20", DecodeError::Reserved),
        // REQUEST_N of a negative number.
        (b"\0\0\0\x01\x20\0\xff\xff\xff\xff", DecodeError::Reserved),
        // A payload with 16 million bytes of metadata, of which none is there.
        (b"\0\0\0\x01\x29\x20\xff\xff\xff", DecodeError::MetadataTooLong),
        // Type 0x1E, not to be ignored.
        (b"\0\0\0\x01\x78\0", DecodeError::UnknownType(0x1E)),
        // Type 0, which is reserved.
        (b"\0\0\0\x01\0\0", DecodeError::UnknownType(0)),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(bytes), Err(error), "{bytes:?}");
    }
    let long = Bytes::from(vec![0; MAX_FRAME + 1]);
    assert_eq!(Frame::decode(long), Err(DecodeError::TooLong));
}

#[test]
fn a_frame_of_a_type_that_nobody_knows_may_say_that_it_is_ignored() {
    let frame = decode(b"\0\0\0\x01\x7a\0whatever").unwrap();

    assert_eq!(frame, Frame::new(1, Body::Unknown { frame_type: 0x1E }));
}

#[test]
fn flags_that_a_type_does_not_have_are_ignored() {
    assert_eq!(decode(b"\0\0\0\x01\x25\xff").unwrap(), Frame::new(1, Body::Cancel));
}

#[test]
fn what_does_not_fit_into_its_field_is_refused_and_nothing_is_written() {
    let cases = [
        (Frame::new(MAX_U31 + 1, Body::Cancel), EncodeError::NumberTooLarge),
        (Frame::new(1, Body::RequestN(MAX_U31 + 1)), EncodeError::NumberTooLarge),
        (Frame::new(0, Body::ResumeOk { position: u64::MAX }), EncodeError::NumberTooLarge),
        (Frame::new(0, Body::MetadataPush(vec![0; MAX_FRAME].into())), EncodeError::TooLong),
        (
            Frame::new(
                0,
                Body::Resume(Resume {
                    version: (1, 0),
                    token: vec![0; 0x1_0000].into(),
                    last_received: 0,
                    first_available: 0,
                }),
            ),
            EncodeError::TextTooLong,
        ),
    ];
    for (frame, error) in cases {
        let mut bytes = BytesMut::new();
        assert_eq!(frame.encode(&mut bytes), Err(error));
        assert!(bytes.is_empty());
    }
}

#[test]
fn payloads_are_slices_of_what_was_decoded() {
    let payload = Payload::from(vec![7; 5000]).with_metadata(vec![8; 100]);
    let bytes = Frame::new(1, Body::RequestFnf { follows: false, payload }).to_bytes();
    let range = bytes.as_ptr_range();

    let Body::RequestFnf { payload, .. } = Frame::decode(bytes).unwrap().body else { panic!() };

    assert!(range.contains(&payload.data.as_ptr()));
    assert!(range.contains(&payload.metadata.unwrap().as_ptr()));
}
