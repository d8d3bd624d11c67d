//! The protocol without sockets: two sides, and what goes between them.

mod connections;
mod demand;
mod hostile;
mod network;
mod streams;

use std::time::Duration;

use millstream_rsocket::{
    Payload,
    frame::{Frame, Setup},
    proto::{Config, Connection, Event, Interaction, Request},
};

/// A moment, in milliseconds.
pub(crate) fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A client and a server that has let it in.
pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), Config::default())
    }

    pub(crate) fn with(client: Config, server: Config) -> Self {
        let resume_token = client.resume.then(|| "token".into());
        let setup = Setup { resume_token, ..Setup::from(&client) };
        let mut pair = Self {
            client: Connection::client(client, setup, at(0)),
            server: Connection::server(server, at(0)),
        };
        let setup = pair.client.poll_frame().unwrap();
        pair.server.receive(setup, at(0));
        let Some(Event::Setup(setup)) = pair.server.poll_event() else { panic!("no SETUP") };
        pair.server.accept(&setup);
        pair
    }

    /// Carries frames until there are none. Returns those of the client and those of the server.
    pub(crate) fn run(&mut self) -> (Vec<Frame>, Vec<Frame>) {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        loop {
            let (before, n) = (up.len() + down.len(), at(0));
            while let Some(frame) = self.client.poll_frame() {
                self.server.receive(frame.clone(), n);
                up.push(frame);
            }
            while let Some(frame) = self.server.poll_frame() {
                self.client.receive(frame.clone(), n);
                down.push(frame);
            }
            if up.len() + down.len() == before {
                return (up, down);
            }
        }
    }
}

pub(crate) fn events(connection: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| connection.poll_event()).collect()
}

pub(crate) fn request(interaction: Interaction, demand: u64) -> Request {
    Request { interaction, payload: Payload::from("request"), demand, is_complete: false }
}

pub(crate) fn item(id: u32, text: &'static str, is_last: bool) -> Event {
    Event::Item { id, payload: Payload::from(text), is_last }
}
