//! Ports, of this machine and of others.

use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};

use super::Notes;
use crate::{TcpSink, TcpSource};

pub(super) fn source(spec: &TcpSource, notes: &mut Notes) {
    let address = spec.listen;
    match TcpListener::bind(address) {
        Ok(_) => notes.good("port", format!("{address} is free")),
        Err(error) => notes.bad(
            "port",
            format!("{address} cannot be listened on: {error}; `ss -ltnp` shows who does"),
        ),
    }
}

pub(super) fn sink(spec: &TcpSink, notes: &mut Notes) {
    let name = &spec.address;
    let addresses: Vec<_> = match name.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let why = format!("{name} is no host and port that is known: {error}");
            return notes.bad("address", why);
        }
    };
    let connect = |address| TcpStream::connect_timeout(&address, spec.timeout.0);
    let mut last = None;
    for result in addresses.into_iter().map(connect) {
        match result {
            Ok(_) => return notes.good("connection", format!("{name} takes connections")),
            Err(error) => last = Some(error),
        }
    }
    match last {
        None => notes.bad("address", format!("{name} has no address")),
        Some(error) => notes.bad(
            "connection",
            format!("{name} takes no connection: {error}; does its server run, and on that port?"),
        ),
    }
}
