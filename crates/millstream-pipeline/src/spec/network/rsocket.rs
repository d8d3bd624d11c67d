//! RSocket.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use bytes::Bytes;
use http::Uri;
use millstream_rsocket::{
    Client, Payload,
    metadata::{Authentication, Composite, Mime, Routing},
    proto::Config,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Secret;
use crate::spec::Time;

/// Where an RSocket server is, and who connects.
// The fields are read as derived, and then checked against each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", default, deny_unknown_fields)]
pub struct RSocketConnection {
    /// The server: `tcp://host:port`, `tls://host:port`, `ws://host:port/path` or
    /// `wss://host:port/path`. Default: `tcp://127.0.0.1:7000`.
    pub server: String,
    /// The user, who has a `password`.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A token in place of a user.
    pub token: Option<Secret>,
    /// Files of root certificates that are trusted besides those of the system, in PEM.
    pub root_certificates: Vec<PathBuf>,
    /// The media type of items. Default: `application/octet-stream`.
    pub data_type: String,
    /// How long connecting may take. Default: 5s.
    pub connect_timeout: Time,
    /// How often the server is told that this side is there. Default: 20s.
    pub keep_alive: Time,
    /// A server that is silent for so long is gone. Default: 90s.
    pub max_lifetime: Time,
}

impl Default for RSocketConnection {
    fn default() -> Self {
        Self {
            server: "tcp://127.0.0.1:7000".to_owned(),
            user: None,
            password: None,
            token: None,
            root_certificates: Vec::new(),
            data_type: "application/octet-stream".to_owned(),
            connect_timeout: Time(Duration::from_secs(5)),
            keep_alive: Time(Duration::from_secs(20)),
            max_lifetime: Time(Duration::from_secs(90)),
        }
    }
}

impl<'de> Deserialize<'de> for RSocketConnection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let connection = Self::deserialize(deserializer)?;
        connection.address().map_err(D::Error::custom)?;
        connection.client().map_err(D::Error::custom)?;
        Ok(connection)
    }
}

/// What carries frames to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carrier {
    pub(crate) is_encrypted: bool,
    pub(crate) is_web_socket: bool,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) carrier: Carrier,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl RSocketConnection {
    /// # Errors
    ///
    /// The server's address is none. What was read from a file is one.
    pub(crate) fn address(&self) -> Result<Address, String> {
        let server = &self.server;
        if server.contains('@') {
            // It is not shown: it has a secret in it.
            return Err("`server` has a user in it, which belongs into `user`".to_owned());
        }
        let none = || format!("`{server}` is no server: write one as tcp://host:port");
        let uri: Uri = server.parse().map_err(|_| none())?;
        let (is_encrypted, is_web_socket, usual) = match uri.scheme_str() {
            Some("tcp") => (false, false, None),
            Some("tls") => (true, false, None),
            Some("ws") => (false, true, Some(80)),
            Some("wss") => (true, true, Some(443)),
            _ => return Err(none()),
        };
        // An IPv6 address stands in brackets, which are no part of it.
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().or(usual).filter(|_| !host.is_empty()).ok_or_else(none)?;
        Ok(Address { carrier: Carrier { is_encrypted, is_web_socket }, host, port })
    }

    /// What connects, as this user.
    ///
    /// # Errors
    ///
    /// Something contradicts something else. What was read from a file does not.
    pub(crate) fn client(&self) -> Result<(Client, Config), String> {
        let text = |text: &String| Bytes::copy_from_slice(text.as_bytes());
        let who = match (&self.user, &self.password, &self.token) {
            (None, None, None) => None,
            (Some(user), Some(password), None) if user.len() <= usize::from(u16::MAX) => {
                let (username, password) = (text(user), text(&password.0));
                Some(Authentication::Simple { username, password })
            }
            (None, None, Some(token)) => Some(Authentication::Bearer(text(&token.0))),
            _ => return Err("one of `user` with `password` and `token` says who connects".into()),
        };
        if !(1..=127).contains(&self.data_type.len()) || !self.data_type.is_ascii() {
            return Err(format!("`{}` is no media type", self.data_type));
        }
        let (keep_alive, max_lifetime) = (self.keep_alive.0, self.max_lifetime.0);
        if keep_alive < Duration::from_millis(1) || max_lifetime < keep_alive {
            return Err("`keep_alive` is at least 1ms, and `max_lifetime` not shorter".to_owned());
        }
        let config = Config { keep_alive, max_lifetime, ..Config::default() };
        let client = Client::new().data_mime(&Mime::from(self.data_type.clone()));
        let client = client.config(config.clone());
        let client = match who {
            Some(who) => {
                let metadata = Composite::new().with(Mime::AUTHENTICATION, who.to_bytes());
                client.setup(Payload::default().with_metadata(metadata.to_bytes()))
            }
            None => client,
        };
        Ok((client, config))
    }
}

/// The metadata by which requests are routed.
pub(crate) fn routing(route: Option<&str>) -> Option<Bytes> {
    let of = |route| Composite::new().with(Mime::ROUTING, Routing::to(route).to_bytes());
    route.map(|route| of(route).to_bytes())
}

fn checked_route<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let route = Option::<String>::deserialize(deserializer)?;
    if route.as_ref().is_some_and(|route| !(1..=255).contains(&route.len())) {
        return Err(D::Error::custom("a `route` has from 1 to 255 bytes"));
    }
    Ok(route)
}

/// The stream that a server answers a request with, as texts.
///
/// As many are requested of the server as stages ask for. RSocket acknowledges nothing: what is on
/// its way when the pipeline fails is lost, unless the server sends it again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RSocketSource {
    /// Where the server is, and who connects. Default: `tcp://127.0.0.1:7000`, nobody in
    /// particular.
    #[serde(default)]
    pub connection: RSocketConnection,
    /// The route of the request. Default: none.
    #[serde(default, deserialize_with = "checked_route")]
    pub route: Option<String>,
    /// What is asked for. Default: nothing.
    #[serde(default)]
    pub request: String,
    /// For how long a connection that was lost is made anew, so that the stream goes on where it
    /// was and nothing is lost; the server has to agree to that. Default: not at all, and a lost
    /// connection fails the pipeline.
    #[serde(default)]
    pub resume_for: Option<Time>,
}

impl RSocketSource {
    /// What the server is asked for.
    pub(crate) fn payload(&self) -> Payload {
        let payload = Payload::from(self.request.clone().into_bytes());
        match routing(self.route.as_deref()) {
            Some(metadata) => payload.with_metadata(metadata),
            None => payload,
        }
    }

    /// The same in words.
    pub(crate) fn asks(&self) -> &str {
        self.route.as_deref().unwrap_or("its only route")
    }
}

/// Requests to a server, each with an item that is confirmed by the answer: texts as they are,
/// anything else as JSON.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RSocketSink {
    /// Where the server is, and who connects. Default: `tcp://127.0.0.1:7000`, nobody in
    /// particular.
    #[serde(default)]
    pub connection: RSocketConnection,
    /// The route of the requests. Default: none.
    #[serde(default, deserialize_with = "checked_route")]
    pub route: Option<String>,
    /// The most items that were sent and not answered. Default: 256.
    #[serde(default = "in_flight")]
    pub in_flight: NonZeroUsize,
    /// How long an answer may take. Default: 10s.
    #[serde(default = "timeout")]
    pub timeout: Time,
    /// For how long an item is sent again that is not answered, or that the server is too busy for,
    /// before the pipeline fails. Default: 30s.
    #[serde(default = "super::super::sink::give_up_after")]
    pub give_up_after: Time,
}

fn in_flight() -> NonZeroUsize {
    NonZeroUsize::new(256).expect("it is not 0")
}

fn timeout() -> Time {
    Time(Duration::from_secs(10))
}
