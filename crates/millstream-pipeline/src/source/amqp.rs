//! The messages of a queue of RabbitMQ.

use millstream::{Error, ErrorKind};
use millstream_amqp::Amqp;

use super::{
    Stream,
    deliveries::{records, text},
    lines::Texts,
};
use crate::{
    AmqpSource,
    net::{Connection, Net},
};

/// Connects, and consumes when it is asked.
///
/// # Errors
///
/// The broker cannot be reached, or refuses.
pub(super) fn open(
    spec: &AmqpSource,
    name: &str,
    texts: Texts,
    net: &Net,
) -> Result<Stream, Error> {
    let config = spec.connection.declaring(name, Some(&spec.queue), spec.declare);
    let config = config.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
    let amqp = net.wait(Amqp::connect(config))?;
    net.add_connection(Connection::Amqp(amqp.clone()));
    let consumed = amqp.consume(spec.config()).map_err(Error::other)?;
    Ok(records(consumed, texts, net, |payload: bytes::Bytes| text(&payload)))
}
