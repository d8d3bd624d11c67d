//! Lines to a server over TCP.

use std::{
    io::{self, Write as _},
    net::{Shutdown, TcpStream, ToSocketAddrs as _},
    thread,
    time::Duration,
};

use millstream::{Error, ErrorKind};
use serde_json::Value;

use super::write_line;
use crate::TcpSink;

/// How long it waits before it connects anew.
const PAUSE: Duration = Duration::from_millis(200);

/// A connection that takes lines, and another one when it has broken.
pub(crate) struct LineSocket {
    spec: TcpSink,
    socket: TcpStream,
    lines: Vec<u8>,
}

impl LineSocket {
    pub(super) fn open(spec: &TcpSink) -> Result<Self, Error> {
        let connected = connect(spec);
        let socket = connected.map_err(|cause| failed(spec, "cannot connect", cause))?;
        Ok(Self { spec: spec.clone(), socket, lines: Vec::new() })
    }

    /// Writes lines, of which some may be written again if the connection breaks.
    pub(super) fn write(&mut self, values: &[Value]) -> Result<(), Error> {
        self.lines.clear();
        values.iter().for_each(|value| write_line(value, &mut self.lines));
        let Err(mut error) = self.socket.write_all(&self.lines) else { return Ok(()) };
        let n_attempts = self.spec.give_up_after.0.as_millis() / PAUSE.as_millis();
        for _ in 0..n_attempts {
            let again = connect(&self.spec).and_then(|socket| {
                self.socket = socket;
                self.socket.write_all(&self.lines)
            });
            match again {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
            wait();
        }
        Err(failed(&self.spec, "the connection is lost", error))
    }

    pub(super) fn finish(&mut self) -> Result<(), Error> {
        match self.socket.shutdown(Shutdown::Write) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            Err(error) => Err(failed(&self.spec, "the connection is lost", error)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread writes, and has nothing else to do")]
fn wait() {
    thread::sleep(PAUSE);
}

fn connect(spec: &TcpSink) -> io::Result<TcpStream> {
    let timeout = spec.timeout.0;
    let mut result = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    for address in spec.address.to_socket_addrs()? {
        result = TcpStream::connect_timeout(&address, timeout);
        if result.is_ok() {
            break;
        }
    }
    let socket = result?;
    socket.set_write_timeout(Some(timeout))?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn failed(spec: &TcpSink, what: &str, cause: io::Error) -> Error {
    let what = format!("tcp {}: {what}", spec.address);
    Error::with_source(ErrorKind::Io, "", cause).context(what)
}
