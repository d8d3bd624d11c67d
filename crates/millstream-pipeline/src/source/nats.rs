//! The messages of a JetStream consumer.

use millstream::{Error, ErrorKind};
use millstream_nats::Nats;

use super::{
    Stream,
    deliveries::{records, text},
    lines::Texts,
};
use crate::{
    NatsSource,
    net::{Connection, Net},
};

/// Connects, and pulls when it is asked.
///
/// # Errors
///
/// The server cannot be reached, or refuses.
pub(super) fn open(
    spec: &NatsSource,
    name: &str,
    texts: Texts,
    net: &Net,
) -> Result<Stream, Error> {
    let config = spec.connection.config(name);
    let config = config.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
    let nats = net.wait(Nats::connect(config))?;
    net.add_connection(Connection::Nats(nats.clone()));
    let pull = nats.pull(spec.config()).map_err(Error::other)?;
    Ok(records(pull, texts, net, |payload: bytes::Bytes| text(&payload)))
}
