//! An RSocket server.

use std::time::Duration;

use super::Notes;
use crate::{RSocketConnection, net::Net, rsocket::Endpoint};

/// How long a server has to refuse who connects.
const PATIENCE: Duration = Duration::from_millis(500);

/// Connects, and waits whether that is refused. Requests nothing.
pub(super) fn connection(spec: &RSocketConnection, net: &Net, notes: &mut Notes) {
    let endpoint = match Endpoint::to(spec) {
        Ok(endpoint) => endpoint,
        Err(error) => return notes.bad("connection", error.to_string()),
    };
    let server = spec.server.clone();
    let refused = net.wait(async move {
        let requester = endpoint.connect().await?;
        Ok(tokio::time::timeout(PATIENCE, requester.closed()).await.ok())
    });
    match refused {
        Ok(None) => notes.good("connection", format!("{server} lets this side in")),
        Ok(Some(closed)) => {
            let why = format!("{server} ends it: {closed}; does RSocket run there, for this user?");
            notes.bad("connection", why);
        }
        Err(error) => notes.bad("connection", error.to_string()),
    }
}
