//! The settings of a connection.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    Payload,
    frame::{MAX_FRAME, MAX_U31, MIN_FRAGMENT, Setup, VERSION},
};

/// The settings of one side of a connection, each with a default.
#[derive(Clone, Debug)]
pub struct Config {
    /// The longest frame that is sent, from 64 bytes to 16 777 215: longer payloads go out in
    /// fragments, between which other streams have their turns. 64 KiB by default.
    pub fragment: usize,
    /// The most bytes of a payload that arrives in fragments; 16 MiB by default.
    pub max_payload: usize,
    /// The most bytes of all payloads together that are arriving in fragments; 64 MiB by default.
    pub max_reassembly: usize,
    /// How many streams the peer may have open: others are refused with REJECTED. 1024 by default.
    pub max_streams: usize,
    /// A client sends a KEEPALIVE this often; 20 s by default.
    pub keep_alive: Duration,
    /// The peer is dead after it was silent for so long; 90 s by default. A server takes it from
    /// the client's SETUP.
    pub max_lifetime: Duration,
    /// How long a server waits for the SETUP; 10 s by default.
    pub setup_timeout: Duration,
    /// A server agrees to leases, where a client asks for them: the peer may then request what it
    /// was granted. Otherwise such a client is refused.
    pub lease: bool,
    /// A server lets clients come back that ask for it in their SETUP: their sessions outlive
    /// their transports. Otherwise such clients are refused.
    pub resume: bool,
    /// The most bytes of frames that are kept for a peer that may come back, beyond which only
    /// refusals of requests are sent, up to as many bytes again, until it says how far it has
    /// received; 1 MiB by default. A frame is kept in any case.
    pub resume_buffer: usize,
    /// How long a session waits for a new transport; 60 s by default.
    pub resume_for: Duration,
    /// Frames of extensions are events. Otherwise they are ignored, or the connection ends if they
    /// must not be.
    pub extensions: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            fragment: 64 * 1024,
            max_payload: 16 * 1024 * 1024,
            max_reassembly: 64 * 1024 * 1024,
            max_streams: 1024,
            keep_alive: Duration::from_secs(20),
            max_lifetime: Duration::from_secs(90),
            setup_timeout: Duration::from_secs(10),
            lease: false,
            resume: false,
            resume_buffer: 1024 * 1024,
            resume_for: Duration::from_secs(60),
            extensions: false,
        }
    }
}

impl Config {
    pub(super) fn fragment(&self) -> usize {
        self.fragment.clamp(MIN_FRAGMENT, MAX_FRAME)
    }
}

impl From<&Config> for Setup {
    /// The SETUP of a client with these settings: composite metadata, and bytes as data.
    fn from(config: &Config) -> Self {
        let millis =
            |time: Duration| u32::try_from(time.as_millis()).unwrap_or(MAX_U31).clamp(1, MAX_U31);
        Self {
            version: VERSION,
            keep_alive_ms: millis(config.keep_alive),
            max_lifetime_ms: millis(config.max_lifetime),
            resume_token: None,
            lease: config.lease,
            metadata_mime: Bytes::from_static(b"message/x.rsocket.composite-metadata.v0"),
            data_mime: Bytes::from_static(b"application/octet-stream"),
            payload: Payload::default(),
        }
    }
}
