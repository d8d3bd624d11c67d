//! Any bytes as frames: nothing panics, and what is held is bounded. The fuzzer's target does the
//! same, and finds its way by what was reached.
//!
//! `PROPTEST_CASES=1000000 cargo test -p millstream-rsocket --test it any_bytes` is the long form.

mod judge;

use millstream_rsocket::frame::Frame;
use proptest::{collection::vec, prelude::*};

use crate::frames::some_frame;

proptest! {
    #[test]
    fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..400)) {
        judge::judge(&bytes);
    }

    /// Frames that are right but for a few bytes go further than random ones.
    #[test]
    fn frames_with_some_bytes_changed_are_judged(
        choice: u8,
        frames in vec((some_frame(), 0..6_u32), 0..40),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = vec![choice];
        for (frame, stream) in frames {
            let frame = Frame::new(stream, frame.body).to_bytes();
            if let Ok(len) = u8::try_from(frame.len()) {
                bytes.push(len);
                bytes.extend_from_slice(&frame);
            }
        }
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        judge::judge(&bytes);
    }
}
