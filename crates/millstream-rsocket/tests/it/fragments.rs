//! Payloads in fragments, and together again.

use millstream_rsocket::{
    Payload,
    frame::{Body, Fragments, Frame, MIN_FRAGMENT, Reassembly, TooLarge},
};
use proptest::prelude::*;

use super::frames::{some_frame, some_payload};

/// What a receiver puts together of the frames.
fn reassemble(frames: &[Frame]) -> Payload {
    let mut reassembly = Reassembly::new(usize::MAX);
    for frame in frames {
        let (Body::RequestResponse { payload, .. }
        | Body::RequestFnf { payload, .. }
        | Body::RequestStream { payload, .. }
        | Body::RequestChannel { payload, .. }
        | Body::Payload { payload, .. }) = &frame.body
        else {
            panic!("no fragment: {frame:?}")
        };
        reassembly.push(payload).unwrap();
    }
    reassembly.finish()
}

proptest! {
    #[test]
    fn fragments_are_no_longer_than_asked_and_make_the_payload_again(
        payload in some_payload(), kind in 0..5_u8, complete: bool, max in MIN_FRAGMENT..200
    ) {
        let original = payload.clone();
        let body = match kind {
            0 => Body::RequestResponse { follows: false, payload },
            1 => Body::RequestFnf { follows: false, payload },
            2 => Body::RequestStream { initial_n: 3, follows: false, payload },
            3 => Body::RequestChannel { initial_n: 3, follows: false, complete, payload },
            _ => Body::Payload { follows: false, complete, next: true, payload },
        };
        let whole = Frame::new(9, body);
        let frames: Vec<Frame> = Fragments::of(whole.clone(), max).collect();
        let (last, others) = frames.split_last().unwrap();
        let follows = |frame: &Frame| matches!(
            frame.body,
            Body::RequestResponse { follows: true, .. }
                | Body::RequestFnf { follows: true, .. }
                | Body::RequestStream { follows: true, .. }
                | Body::RequestChannel { follows: true, complete: false, .. }
                | Body::Payload { follows: true, complete: false, next: true, .. }
        );

        prop_assert!(frames.iter().all(|frame| frame.encoded_len() <= max && frame.stream == 9));
        prop_assert!(others.iter().all(follows) && !follows(last));
        prop_assert_eq!(reassemble(&frames), original);
        if let Body::Payload { complete: is_complete, .. } = last.body {
            prop_assert_eq!(is_complete, complete && kind > 2);
        }
        if whole.encoded_len() <= max {
            prop_assert_eq!(&frames, &[whole]);
        }
        // All metadata is before the data.
        let metadata_after_data = frames.iter().skip_while(|frame| !has_data(frame)).skip(1).any(has_metadata);
        prop_assert!(!metadata_after_data);
    }

    #[test]
    fn what_cannot_be_cut_comes_out_as_it_is(frame in some_frame()) {
        let frames: Vec<Frame> = Fragments::of(frame.clone(), usize::MAX).collect();
        prop_assert_eq!(frames, [frame]);
    }
}

fn payload_of(frame: &Frame) -> Option<&Payload> {
    match &frame.body {
        Body::RequestResponse { payload, .. }
        | Body::RequestFnf { payload, .. }
        | Body::RequestStream { payload, .. }
        | Body::RequestChannel { payload, .. }
        | Body::Payload { payload, .. } => Some(payload),
        _ => None,
    }
}

fn has_data(frame: &&Frame) -> bool {
    payload_of(frame).is_some_and(|payload| !payload.data.is_empty())
}

fn has_metadata(frame: &Frame) -> bool {
    payload_of(frame).is_some_and(|payload| payload.metadata.is_some())
}

#[test]
fn a_payload_beyond_the_bound_is_refused_before_it_is_kept() {
    let mut reassembly = Reassembly::new(10);
    reassembly.push(&Payload::from("12345").with_metadata("678")).unwrap();

    assert_eq!(reassembly.push(&Payload::from("9AB")), Err(TooLarge { max: 10 }));
    assert_eq!(reassembly.len(), 8);
    reassembly.push(&Payload::from("9A")).unwrap();
    assert_eq!(reassembly.finish(), Payload::from("123459A").with_metadata("678"));
}
