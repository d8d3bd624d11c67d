//! The records of a Kafka consumer group's member.

use bytes::Bytes;
use millstream::{Error, ErrorKind};
use millstream_kafka::Kafka;
use serde_json::Value;

use super::{
    Stream,
    deliveries::{records, text},
    lines::Texts,
};
use crate::{
    KafkaSource,
    net::{Connection, Net},
};

/// Connects, and joins the group when it is asked.
///
/// # Errors
///
/// No broker can be reached, or it refuses.
pub(super) fn open(
    spec: &KafkaSource,
    name: &str,
    texts: Texts,
    net: &Net,
) -> Result<Stream, Error> {
    let config = spec.connection.config(name);
    let config = config.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
    let kafka = net.wait(Kafka::connect(config))?;
    net.add_connection(Connection::Kafka(kafka.clone()));
    let consumer = kafka.consumer(spec.config()).map_err(Error::other)?;
    Ok(records(consumer.deliveries(), texts, net, |payload: Option<Bytes>| {
        payload.map_or(Ok(Value::Null), |payload| text(&payload))
    }))
}
