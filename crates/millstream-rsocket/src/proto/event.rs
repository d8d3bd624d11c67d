//! What a connection says.

use std::fmt;

use bytes::Bytes;

use crate::{
    ErrorCode, Payload,
    frame::{Resume, Setup},
};

/// The four kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interaction {
    /// No response.
    FireAndForget,
    /// One response.
    Response,
    /// A stream of responses.
    Stream,
    /// A stream each way.
    Channel,
}

/// A request that goes out.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its kind.
    pub interaction: Interaction,
    /// What is asked, or the first item of a channel.
    pub payload: Payload,
    /// The first demand, of a stream or a channel; `u64::MAX` is without bound.
    pub demand: u64,
    /// A channel that sends nothing but its first item.
    pub is_complete: bool,
}

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The connection is closed, or about to close.
    Closed,
    /// The peer grants no more requests for now.
    NoLease,
    /// All numbers of streams are in use.
    NoId,
    /// A stream was to be opened without demand.
    NoDemand,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closed",
            Self::NoLease => "the responder grants no more requests for now",
            Self::NoId => "all numbers of streams are in use",
            Self::NoDemand => "a stream begins with demand for an item at least",
        })
    }
}

impl std::error::Error for OpenError {}

/// Why a connection ended. The source of the error that its streams fail with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closed {
    /// As one side asked, after its streams.
    Normally,
    /// The transport ended, or failed.
    Lost,
    /// The peer was silent for too long.
    KeepAlive,
    /// The peer ended it by an ERROR.
    ByPeer(ErrorCode, Bytes),
    /// The peer did what it must not, and was told so.
    Violation(ErrorCode, &'static str),
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normally => f.write_str("the connection was closed"),
            Self::Lost => f.write_str("the transport ended"),
            Self::KeepAlive => f.write_str("the peer was silent for longer than agreed"),
            Self::ByPeer(code, data) => {
                write!(
                    f,
                    "the peer ended the connection: {code}: {}",
                    String::from_utf8_lossy(data)
                )
            }
            Self::Violation(code, why) => write!(f, "the peer was cut off: {code}: {why}"),
        }
    }
}

impl std::error::Error for Closed {}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A client's SETUP. [`accept`](super::Connection::accept) it or
    /// [`reject`](super::Connection::reject) it before anything else is received.
    Setup(Box<Setup>),
    /// A request of the peer's.
    Request {
        /// The stream.
        id: u32,
        /// Its kind.
        interaction: Interaction,
        /// What is asked, or the first item of a channel.
        payload: Payload,
        /// The first credit for responses.
        credit: u64,
        /// A channel that sends nothing but its first item.
        is_complete: bool,
    },
    /// An item of a stream, and whether it is the last one.
    Item {
        /// The stream.
        id: u32,
        /// The item.
        payload: Payload,
        /// The stream is complete after it.
        is_last: bool,
    },
    /// The peer sends nothing more on a stream.
    Completed {
        /// The stream.
        id: u32,
    },
    /// A stream has failed, both ways.
    Failed {
        /// The stream.
        id: u32,
        /// Why.
        code: ErrorCode,
        /// What the peer says about it.
        data: Bytes,
    },
    /// The peer takes so many items more.
    Credit {
        /// The stream.
        id: u32,
        /// How many.
        n: u64,
    },
    /// The peer takes no more items of a stream. If it has asked for them, the stream is over.
    Canceled {
        /// The stream.
        id: u32,
    },
    /// A fire-and-forget request was handed over to be written.
    Sent {
        /// The stream.
        id: u32,
    },
    /// Metadata of the connection.
    MetadataPush(Bytes),
    /// The peer grants requests: how many, and for how many milliseconds.
    Lease {
        /// How many.
        n_requests: u32,
        /// For how long.
        ttl_ms: u32,
        /// What else it says.
        metadata: Option<Bytes>,
    },
    /// A frame of an extension.
    Extension {
        /// The stream, 0 for the connection.
        stream: u32,
        /// Those who do not know it may ignore it.
        ignore: bool,
        /// Which extension.
        extended_type: u32,
        /// Metadata and data.
        payload: Payload,
    },
    /// A client comes back: its session is to be told by [`Connection::resumed`], on another
    /// connection than this, or it is to be refused by [`Connection::reject`].
    ///
    /// [`Connection::resumed`]: super::Connection::resumed
    /// [`Connection::reject`]: super::Connection::reject
    Resume(Resume),
    /// The transport is gone, and the connection waits for another.
    Suspended,
    /// The connection goes on where it was, on another transport.
    Resumed,
    /// The connection is over, and so are its streams, which are not mentioned one by one.
    Closed(Closed),
}
