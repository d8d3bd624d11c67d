//! Frames: what goes over a connection.
//!
//! [`Frame::decode`] takes any bytes: it never panics, allocates nothing that the bytes do not
//! pay for, and takes time in proportion to their length. Data and metadata are slices of what was
//! decoded. [`Frame::encode`] writes what [`Frame::decode`] reads.
//!
//! The layouts are those of the protocol's specification, version 1.0.

mod decode;
mod encode;
mod fragment;
mod reassembly;

use bytes::Bytes;
pub use decode::DecodeError;
pub(crate) use decode::Rest;
pub use encode::EncodeError;
pub use fragment::{Fragments, MIN_FRAGMENT};
pub use reassembly::{Reassembly, TooLarge};

use crate::{ErrorCode, Payload};

/// The most bytes that a frame has: its length goes into 24 bits.
pub const MAX_FRAME: usize = 0xFF_FFFF;

/// The bytes before what is of a type: the stream, the type and the flags.
pub(crate) const HEAD: usize = 6;

/// The largest stream, credit or time that a frame carries: it goes into 31 bits.
pub const MAX_U31: u32 = 0x7FFF_FFFF;

/// The version of the protocol, major and minor.
pub const VERSION: (u16, u16) = (1, 0);

/// A frame: the stream it belongs to, 0 for the connection, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The stream, at most [`MAX_U31`]; 0 is the connection.
    pub stream: u32,
    /// What the frame says.
    pub body: Body,
}

/// What a frame says.
///
/// `follows` says that the payload goes on in PAYLOAD frames of the same stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// The first frame of a client; boxed, since it is large and comes once.
    Setup(Box<Setup>),
    /// Grants requests for a time.
    Lease {
        /// For how long, in milliseconds from its arrival; 0 grants nothing.
        ttl_ms: u32,
        /// How many requests; 0 grants nothing.
        n_requests: u32,
        /// What else the responder says.
        metadata: Option<Bytes>,
    },
    /// A sign of life.
    KeepAlive {
        /// Asks for an answer with the same data.
        respond: bool,
        /// How far its sender has received, for resumption; 0 where it is not used.
        position: u64,
        /// What the answer brings back.
        data: Bytes,
    },
    /// A request with one response.
    RequestResponse {
        /// The payload goes on.
        follows: bool,
        /// The request.
        payload: Payload,
    },
    /// A request without a response.
    RequestFnf {
        /// The payload goes on.
        follows: bool,
        /// The request.
        payload: Payload,
    },
    /// A request with a stream of responses.
    RequestStream {
        /// The first demand.
        initial_n: u32,
        /// The payload goes on.
        follows: bool,
        /// The request.
        payload: Payload,
    },
    /// A request that is a stream itself, with a stream of responses.
    RequestChannel {
        /// The first demand.
        initial_n: u32,
        /// The payload goes on.
        follows: bool,
        /// The requester sends nothing more.
        complete: bool,
        /// The first item.
        payload: Payload,
    },
    /// More demand.
    RequestN(u32),
    /// The receiver of a stream wants no more of it.
    Cancel,
    /// An item, the end of a stream, or both; or a fragment of an item or request.
    Payload {
        /// The payload goes on.
        follows: bool,
        /// The stream is complete after this.
        complete: bool,
        /// There is an item.
        next: bool,
        /// The item.
        payload: Payload,
    },
    /// The stream or the connection has failed.
    Error {
        /// Why.
        code: ErrorCode,
        /// What a person should know, in UTF-8.
        data: Bytes,
    },
    /// Metadata of the connection.
    MetadataPush(Bytes),
    /// The first frame of a client that comes back.
    Resume(Resume),
    /// The session goes on.
    ResumeOk {
        /// How far the server has received.
        position: u64,
    },
    /// A frame of an extension.
    Extension {
        /// Those who do not know it may ignore it.
        ignore: bool,
        /// Which extension.
        extended_type: u32,
        /// Metadata and data, as a payload has them.
        payload: Payload,
    },
    /// A frame of a type that the protocol does not have, which says that it may be ignored.
    Unknown {
        /// Its type.
        frame_type: u8,
    },
}

/// What a client wants a connection to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The version, major and minor.
    pub version: (u16, u16),
    /// The client sends a KEEPALIVE this often, in milliseconds.
    pub keep_alive_ms: u32,
    /// The peer is dead if it is silent for so long, in milliseconds.
    pub max_lifetime_ms: u32,
    /// By which the session is known again, if it can be resumed.
    pub resume_token: Option<Bytes>,
    /// The client obeys leases, and expects them.
    pub lease: bool,
    /// What metadata is, up to 255 bytes of ASCII.
    pub metadata_mime: Bytes,
    /// What data is, up to 255 bytes of ASCII.
    pub data_mime: Bytes,
    /// What else the client says about itself.
    pub payload: Payload,
}

/// What a client knows when it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The version, major and minor.
    pub version: (u16, u16),
    /// The token of its SETUP.
    pub token: Bytes,
    /// How far the client has received.
    pub last_received: u64,
    /// From where on the client can send again.
    pub first_available: u64,
}

impl Frame {
    /// A frame of a stream, 0 for the connection.
    #[must_use]
    pub fn new(stream: u32, body: Body) -> Self {
        Self { stream, body }
    }

    /// An ERROR.
    #[must_use]
    pub fn error(stream: u32, code: ErrorCode, message: impl Into<Bytes>) -> Self {
        Self::new(stream, Body::Error { code, data: message.into() })
    }

    /// Returns whether the frame has a position, by which sessions are resumed: requests, their
    /// payloads, demand, cancels and errors have one.
    #[must_use]
    pub fn has_position(&self) -> bool {
        matches!(
            self.body,
            Body::RequestResponse { .. }
                | Body::RequestFnf { .. }
                | Body::RequestStream { .. }
                | Body::RequestChannel { .. }
                | Body::RequestN(_)
                | Body::Cancel
                | Body::Payload { .. }
                | Body::Error { .. }
        )
    }
}

/// The types of frames, as their numbers.
mod types {
    pub(super) const SETUP: u8 = 0x01;
    pub(super) const LEASE: u8 = 0x02;
    pub(super) const KEEPALIVE: u8 = 0x03;
    pub(super) const REQUEST_RESPONSE: u8 = 0x04;
    pub(super) const REQUEST_FNF: u8 = 0x05;
    pub(super) const REQUEST_STREAM: u8 = 0x06;
    pub(super) const REQUEST_CHANNEL: u8 = 0x07;
    pub(super) const REQUEST_N: u8 = 0x08;
    pub(super) const CANCEL: u8 = 0x09;
    pub(super) const PAYLOAD: u8 = 0x0A;
    pub(super) const ERROR: u8 = 0x0B;
    pub(super) const METADATA_PUSH: u8 = 0x0C;
    pub(super) const RESUME: u8 = 0x0D;
    pub(super) const RESUME_OK: u8 = 0x0E;
    pub(super) const EXTENSION: u8 = 0x3F;
}

/// The flags. Some bits mean one thing in one type and another in the next.
mod flags {
    pub(super) const IGNORE: u16 = 0x200;
    pub(super) const METADATA: u16 = 0x100;
    pub(super) const FOLLOWS: u16 = 0x080;
    pub(super) const RESUME: u16 = 0x080;
    pub(super) const RESPOND: u16 = 0x080;
    pub(super) const COMPLETE: u16 = 0x040;
    pub(super) const LEASE: u16 = 0x040;
    pub(super) const NEXT: u16 = 0x020;
}
