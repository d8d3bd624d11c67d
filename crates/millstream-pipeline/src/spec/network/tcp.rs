//! Lines over TCP.

use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::{Size, Time};

/// The lines of the connections to a port, which come as fast as they are asked for: a client is
/// slowed down by TCP itself.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpSource {
    /// The address and port, such as `127.0.0.1:9000`; with port 0 the system chooses one.
    pub listen: SocketAddr,
    /// The most connections at a time; others wait. Default: 64.
    #[serde(default = "max_connections")]
    pub max_connections: NonZeroUsize,
    /// The longest line, with its end: a connection with a longer one is closed. Default: 1 MiB.
    #[serde(default = "max_line")]
    pub max_line: Size,
}

fn max_connections() -> NonZeroUsize {
    NonZeroUsize::new(64).expect("it is not 0")
}

fn max_line() -> Size {
    Size(1 << 20)
}

/// Lines to a server: texts as they are, anything else as JSON.
///
/// TCP confirms nothing: what was written when a connection breaks may be lost. What was being
/// written is written again to the next one.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpSink {
    /// The server's host and port, such as `localhost:9000`.
    pub address: String,
    /// How long connecting may take, and how long the server may take nothing. Default: 10s.
    #[serde(default = "timeout")]
    pub timeout: Time,
    /// For how long it connects anew after a connection has broken, before the pipeline fails.
    /// Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn timeout() -> Time {
    Time(Duration::from_secs(10))
}
