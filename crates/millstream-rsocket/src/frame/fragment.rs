//! Large payloads, cut into fragments.

use super::{Body, Frame};
use crate::Payload;

/// The smallest bound on a fragment, as other implementations have it.
pub const MIN_FRAGMENT: usize = 64;

/// A frame that is sent in fragments: an iterator of frames of at most so many bytes.
///
/// All metadata goes before the data. Cutting copies nothing. A frame that fits, or one that
/// cannot be cut because it is of the connection, comes out as it is.
///
/// ```
/// use millstream_rsocket::{Payload, frame::{Body, Fragments, Frame}};
///
/// let payload = Payload::from(vec![0; 1000]);
/// let frame = Frame::new(1, Body::RequestResponse { follows: false, payload });
/// let lengths: Vec<_> = Fragments::of(frame, 512).map(|frame| frame.encoded_len()).collect();
/// assert_eq!(lengths, [512, 500]);
/// ```
#[derive(Clone, Debug)]
pub struct Fragments {
    stream: u32,
    max: usize,
    /// The first frame, before it went out.
    first: Option<Frame>,
    /// What is to be sent of a frame that does not fit; boxed, since most fit.
    rest: Option<Box<Rest>>,
}

#[derive(Clone, Debug)]
struct Rest {
    payload: Payload,
    complete: bool,
    /// The first fragment is of the original's type; those behind it are PAYLOADs.
    first: Option<Body>,
}

impl Fragments {
    /// Cuts `frame` into frames of at most `max` bytes, and never less than [`MIN_FRAGMENT`].
    #[must_use]
    pub fn of(mut frame: Frame, max: usize) -> Self {
        let (stream, max) = (frame.stream, max.max(MIN_FRAGMENT));
        if frame.encoded_len() <= max {
            return Self { stream, max, first: Some(frame), rest: None };
        }
        let Some((payload, complete)) = take_payload(&mut frame.body) else {
            return Self { stream, max, first: Some(frame), rest: None };
        };
        let rest = Rest { payload, complete, first: Some(frame.body) };
        Self { stream, max, first: None, rest: Some(Box::new(rest)) }
    }

    /// How many bytes are still to be sent, about: those of fragments without what their frames
    /// add.
    #[must_use]
    pub fn remaining(&self) -> usize {
        let first = self.first.as_ref().map_or(0, Frame::encoded_len);
        first + self.rest.as_ref().map_or(0, |rest| rest.payload.len())
    }

    /// Returns whether all frames have come out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.first.is_none() && self.rest.is_none()
    }

    /// Returns whether no frame has come out yet.
    pub(crate) fn is_whole(&self) -> bool {
        self.first.is_some() || self.rest.as_ref().is_some_and(|rest| rest.first.is_some())
    }

    /// Makes an item also the end of its stream. Returns whether it could: whether this is an item
    /// of which something is still to be sent.
    pub(crate) fn complete(&mut self) -> bool {
        let complete = match (&mut self.first, &mut self.rest) {
            (Some(Frame { body: Body::Payload { complete, next: true, .. }, .. }), _) => complete,
            (_, Some(rest)) if matches!(rest.first, None | Some(Body::Payload { .. })) => {
                &mut rest.complete
            }
            _ => return false,
        };
        *complete = true;
        true
    }
}

impl Iterator for Fragments {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.first.take() {
            return Some(frame);
        }
        let rest = self.rest.as_mut()?;
        let fixed = match &rest.first {
            Some(Body::RequestStream { .. } | Body::RequestChannel { .. }) => 10,
            _ => 6,
        };
        let mut room = self.max - fixed;
        let mut piece = Payload::default();
        if let Some(metadata) = &mut rest.payload.metadata {
            room -= 3;
            let part = metadata.split_to(metadata.len().min(room));
            room -= part.len();
            piece.metadata = Some(part);
            if metadata.is_empty() {
                rest.payload.metadata = None;
            }
        }
        if rest.payload.metadata.is_none() {
            piece.data = rest.payload.data.split_to(rest.payload.data.len().min(room));
        }
        let follows = !rest.payload.is_empty();
        let complete = rest.complete && !follows;
        let body = match rest.first.take() {
            Some(Body::RequestResponse { .. }) => Body::RequestResponse { follows, payload: piece },
            Some(Body::RequestFnf { .. }) => Body::RequestFnf { follows, payload: piece },
            Some(Body::RequestStream { initial_n, .. }) => {
                Body::RequestStream { initial_n, follows, payload: piece }
            }
            Some(Body::RequestChannel { initial_n, .. }) => {
                Body::RequestChannel { initial_n, follows, complete, payload: piece }
            }
            _ => Body::Payload { follows, complete, next: true, payload: piece },
        };
        if !follows {
            self.rest = None;
        }
        Some(Frame::new(self.stream, body))
    }
}

/// Takes the payload out of a frame that may be cut, and whether it completes its stream.
fn take_payload(body: &mut Body) -> Option<(Payload, bool)> {
    match body {
        Body::RequestResponse { payload, .. }
        | Body::RequestFnf { payload, .. }
        | Body::RequestStream { payload, .. } => Some((std::mem::take(payload), false)),
        Body::RequestChannel { payload, complete, .. }
        | Body::Payload { payload, complete, next: true, .. } => {
            Some((std::mem::take(payload), *complete))
        }
        _ => None,
    }
}
