//! Frames to bytes.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::{Body, Frame, HEAD, MAX_FRAME, MAX_U31, Setup, flags, types};
use crate::{ErrorCode, Payload};

/// Why a frame has no bytes: something in it is larger than its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would be longer than [`MAX_FRAME`](super::MAX_FRAME): cut its payload into
    /// [`Fragments`](super::Fragments).
    TooLong,
    /// A number is larger than its 31 or 63 bits.
    NumberTooLarge,
    /// A MIME type is longer than 255 bytes, or a token longer than 65 535.
    TextTooLong,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the frame is too long: send its payload in fragments",
            Self::NumberTooLarge => "a number does not fit into its field",
            Self::TextTooLong => "a MIME type or a token does not fit into its field",
        })
    }
}

impl std::error::Error for EncodeError {}

impl Frame {
    /// How many bytes the frame has, without the length before it.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        HEAD + match &self.body {
            Body::Setup(setup) => {
                let token = setup.resume_token.as_ref().map_or(0, |token| 2 + token.len());
                let mimes = 2 + setup.metadata_mime.len() + setup.data_mime.len();
                12 + token + mimes + setup.payload.encoded_len()
            }
            Body::Lease { metadata, .. } => 8 + metadata.as_ref().map_or(0, Bytes::len),
            Body::KeepAlive { data, .. } => 8 + data.len(),
            Body::RequestResponse { payload, .. }
            | Body::RequestFnf { payload, .. }
            | Body::Payload { payload, .. } => payload.encoded_len(),
            Body::RequestStream { payload, .. }
            | Body::RequestChannel { payload, .. }
            | Body::Extension { payload, .. } => 4 + payload.encoded_len(),
            Body::RequestN(_) => 4,
            Body::Cancel | Body::Unknown { .. } => 0,
            Body::Error { data, .. } => 4 + data.len(),
            Body::MetadataPush(metadata) => metadata.len(),
            Body::Resume(resume) => 22 + resume.token.len(),
            Body::ResumeOk { .. } => 8,
        }
    }

    /// Writes all but the data, which is returned to be written behind it: so a transport that
    /// writes from many buffers need not copy it.
    ///
    /// # Errors
    ///
    /// If something is larger than its field; then nothing was written.
    pub fn encode_head(&self, into: &mut BytesMut) -> Result<Bytes, EncodeError> {
        self.check(self.encoded_len())?;
        into.put_slice(&self.head());
        self.put_fields(into);
        Ok(self.data().cloned().unwrap_or_default())
    }

    /// Writes the frame behind its length of 24 bits, but for data of `large` bytes or more, which
    /// is returned to be written behind it. Returns also how many bytes the frame has.
    pub(crate) fn put(
        self,
        into: &mut BytesMut,
        large: usize,
    ) -> Result<(usize, Option<Bytes>), EncodeError> {
        if let Body::Payload { payload: Payload { metadata: None, data }, .. } = &self.body
            && data.len() < large
            && self.stream <= MAX_U31
        {
            // Most frames are small items, and need none of what is below.
            let len = HEAD + data.len();
            into.reserve(3 + len);
            into.put_slice(&self.length_and_head(len));
            into.put_slice(data);
            return Ok((len, None));
        }
        let len = self.encoded_len();
        self.check(len)?;
        let n_data = self.data().map_or(0, Bytes::len);
        let is_large = n_data >= large;
        into.reserve(3 + len - if is_large { n_data } else { 0 });
        into.put_slice(&self.length_and_head(len));
        self.put_fields(into);
        if is_large {
            return Ok((len, self.data().cloned()));
        }
        if let Some(data) = self.data() {
            into.put_slice(data);
        }
        Ok((len, None))
    }

    #[inline]
    fn length_and_head(&self, len: usize) -> [u8; 3 + HEAD] {
        let [_, a, b, c] = (len as u32).to_be_bytes();
        let [d, e, f, g, h, i] = self.head();
        [a, b, c, d, e, f, g, h, i]
    }

    /// The stream, the type and the flags.
    #[inline]
    fn head(&self) -> [u8; HEAD] {
        let (frame_type, flags) = self.type_and_flags();
        let [a, b, c, d] = self.stream.to_be_bytes();
        let [e, f] = (u16::from(frame_type) << 10 | flags).to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// Writes what is between the head and the data.
    fn put_fields(&self, into: &mut BytesMut) {
        match &self.body {
            Body::Setup(setup) => put_setup(into, setup),
            Body::Lease { ttl_ms, n_requests, .. } => {
                into.put_u32(*ttl_ms);
                into.put_u32(*n_requests);
            }
            Body::KeepAlive { position, .. } | Body::ResumeOk { position } => {
                into.put_u64(*position);
            }
            Body::RequestResponse { payload, .. }
            | Body::RequestFnf { payload, .. }
            | Body::Payload { payload, .. } => put_metadata(into, payload),
            Body::RequestStream { initial_n: number, payload, .. }
            | Body::RequestChannel { initial_n: number, payload, .. }
            | Body::Extension { extended_type: number, payload, .. } => {
                into.put_u32(*number);
                put_metadata(into, payload);
            }
            Body::RequestN(number) | Body::Error { code: ErrorCode(number), .. } => {
                into.put_u32(*number);
            }
            Body::Cancel | Body::Unknown { .. } | Body::MetadataPush(_) => {}
            Body::Resume(resume) => {
                into.put_u16(resume.version.0);
                into.put_u16(resume.version.1);
                into.put_u16(resume.token.len() as u16);
                into.put_slice(&resume.token);
                into.put_u64(resume.last_received);
                into.put_u64(resume.first_available);
            }
        }
    }

    /// What the frame ends with.
    fn data(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Setup(setup) => Some(&setup.payload.data),
            Body::Lease { metadata, .. } => metadata.as_ref(),
            Body::RequestResponse { payload, .. }
            | Body::RequestFnf { payload, .. }
            | Body::RequestStream { payload, .. }
            | Body::RequestChannel { payload, .. }
            | Body::Payload { payload, .. }
            | Body::Extension { payload, .. } => Some(&payload.data),
            Body::KeepAlive { data, .. } | Body::Error { data, .. } | Body::MetadataPush(data) => {
                Some(data)
            }
            Body::RequestN(_)
            | Body::Cancel
            | Body::Unknown { .. }
            | Body::Resume(_)
            | Body::ResumeOk { .. } => None,
        }
    }

    /// Writes the frame, without the length before it.
    ///
    /// # Errors
    ///
    /// As [`encode_head`](Self::encode_head).
    pub fn encode(&self, into: &mut BytesMut) -> Result<(), EncodeError> {
        into.reserve(self.encoded_len());
        let data = self.encode_head(into)?;
        into.put_slice(&data);
        Ok(())
    }

    /// The frame as bytes of its own.
    ///
    /// # Panics
    ///
    /// If something is larger than its field: [`encode`](Self::encode) says so instead.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.encoded_len());
        match self.encode(&mut bytes) {
            Ok(()) => bytes.freeze(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether everything of a frame of `len` bytes fits into its field.
    fn check(&self, len: usize) -> Result<(), EncodeError> {
        if len > MAX_FRAME {
            return Err(EncodeError::TooLong);
        }
        if let Body::Payload { .. } = &self.body
            && self.stream <= MAX_U31
        {
            // Most frames are these, and have no other number.
            return Ok(());
        }
        let numbers: [u32; 2] = match &self.body {
            Body::Setup(setup) => [setup.keep_alive_ms, setup.max_lifetime_ms],
            Body::Lease { ttl_ms, n_requests, .. } => [*ttl_ms, *n_requests],
            Body::RequestStream { initial_n: n, .. }
            | Body::RequestChannel { initial_n: n, .. }
            | Body::Extension { extended_type: n, .. }
            | Body::RequestN(n) => [*n, 0],
            _ => [0, 0],
        };
        let positions: [u64; 2] = match &self.body {
            Body::KeepAlive { position, .. } | Body::ResumeOk { position } => [*position, 0],
            Body::Resume(resume) => [resume.last_received, resume.first_available],
            _ => [0, 0],
        };
        if self.stream > MAX_U31
            || numbers.iter().any(|n| *n > MAX_U31)
            || positions.iter().any(|n| *n > i64::MAX as u64)
            || matches!(self.body, Body::Unknown { frame_type } if frame_type > 0x3F)
        {
            return Err(EncodeError::NumberTooLarge);
        }
        let fits = match &self.body {
            Body::Setup(setup) => {
                let token = setup.resume_token.as_ref().map_or(0, Bytes::len);
                let mime = setup.metadata_mime.len().max(setup.data_mime.len());
                token <= 0xFFFF && mime <= 0xFF
            }
            Body::Resume(resume) => resume.token.len() <= 0xFFFF,
            _ => true,
        };
        if fits { Ok(()) } else { Err(EncodeError::TextTooLong) }
    }

    #[inline]
    fn type_and_flags(&self) -> (u8, u16) {
        let when = |is_set: bool, flag: u16| if is_set { flag } else { 0 };
        let metadata_of = |payload: &Payload| when(payload.metadata.is_some(), flags::METADATA);
        match &self.body {
            Body::Setup(setup) => (
                types::SETUP,
                metadata_of(&setup.payload)
                    | when(setup.resume_token.is_some(), flags::RESUME)
                    | when(setup.lease, flags::LEASE),
            ),
            Body::Lease { metadata, .. } => {
                (types::LEASE, when(metadata.is_some(), flags::METADATA))
            }
            Body::KeepAlive { respond, .. } => (types::KEEPALIVE, when(*respond, flags::RESPOND)),
            Body::RequestResponse { follows, payload } => {
                (types::REQUEST_RESPONSE, metadata_of(payload) | when(*follows, flags::FOLLOWS))
            }
            Body::RequestFnf { follows, payload } => {
                (types::REQUEST_FNF, metadata_of(payload) | when(*follows, flags::FOLLOWS))
            }
            Body::RequestStream { follows, payload, .. } => {
                (types::REQUEST_STREAM, metadata_of(payload) | when(*follows, flags::FOLLOWS))
            }
            Body::RequestChannel { follows, complete, payload, .. } => (
                types::REQUEST_CHANNEL,
                metadata_of(payload)
                    | when(*follows, flags::FOLLOWS)
                    | when(*complete, flags::COMPLETE),
            ),
            Body::RequestN(_) => (types::REQUEST_N, 0),
            Body::Cancel => (types::CANCEL, 0),
            Body::Payload { follows, complete, next, payload } => (
                types::PAYLOAD,
                metadata_of(payload)
                    | when(*follows, flags::FOLLOWS)
                    | when(*complete, flags::COMPLETE)
                    | when(*next, flags::NEXT),
            ),
            Body::Error { .. } => (types::ERROR, 0),
            Body::MetadataPush(_) => (types::METADATA_PUSH, flags::METADATA),
            Body::Resume(_) => (types::RESUME, 0),
            Body::ResumeOk { .. } => (types::RESUME_OK, 0),
            Body::Extension { ignore, payload, .. } => {
                (types::EXTENSION, metadata_of(payload) | when(*ignore, flags::IGNORE))
            }
            Body::Unknown { frame_type } => (*frame_type, flags::IGNORE),
        }
    }
}

fn put_metadata(into: &mut BytesMut, payload: &Payload) {
    if let Some(metadata) = &payload.metadata {
        into.put_uint(metadata.len() as u64, 3);
        into.put_slice(metadata);
    }
}

fn put_setup(into: &mut BytesMut, setup: &Setup) {
    into.put_u16(setup.version.0);
    into.put_u16(setup.version.1);
    into.put_u32(setup.keep_alive_ms);
    into.put_u32(setup.max_lifetime_ms);
    if let Some(token) = &setup.resume_token {
        into.put_u16(token.len() as u16);
        into.put_slice(token);
    }
    for mime in [&setup.metadata_mime, &setup.data_mime] {
        into.put_u8(mime.len() as u8);
        into.put_slice(mime);
    }
    put_metadata(into, &setup.payload);
}
