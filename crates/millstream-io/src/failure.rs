//! Errors of sockets that say where, and what to do.

use std::io;

use millstream::{Error, ErrorKind};

/// A failure of `what`, such as "connecting to 10.0.0.1:80".
pub(crate) fn failed(what: &str, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => ErrorKind::Disconnected,
        io::ErrorKind::TimedOut => ErrorKind::Timeout,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => ErrorKind::InvalidData,
        _ => ErrorKind::Io,
    };
    Error::with_source(kind, "", cause).context(what)
}
