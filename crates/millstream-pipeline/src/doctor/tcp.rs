//! Ports, of this machine and of others.

use std::{
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use super::Notes;

/// Whether a source can listen there.
pub(super) fn port(address: SocketAddr, notes: &mut Notes) {
    match TcpListener::bind(address) {
        Ok(_) => notes.good("port", format!("{address} is free")),
        Err(error) => notes.bad(
            "port",
            format!("{address} cannot be listened on: {error}; `ss -ltnp` shows who does"),
        ),
    }
}

/// Whether a server takes connections.
pub(super) fn server(name: &str, timeout: Duration, notes: &mut Notes) {
    let addresses: Vec<_> = match name.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let why = format!("{name} is no host and port that is known: {error}");
            return notes.bad("address", why);
        }
    };
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(_) => return notes.good("connection", format!("{name} takes connections")),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(|| "it has no address".to_owned(), |error| error.to_string());
    notes.bad(
        "connection",
        format!("{name} takes no connection: {why}; does its server run, and on that port?"),
    );
}

/// Whether the server of a URL takes connections. Sends no request.
#[cfg(feature = "http")]
pub(super) fn url(url: &str, timeout: Duration, notes: &mut Notes) {
    let Ok(uri) = url.parse::<http::Uri>() else {
        return notes.bad("address", format!("{url} is no URL"));
    };
    let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = uri.host().unwrap_or_default();
    server(&format!("{host}:{}", uri.port_u16().unwrap_or(usual)), timeout, notes);
}
