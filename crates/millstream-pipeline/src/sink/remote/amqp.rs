//! Messages for a queue or an exchange of RabbitMQ.

use millstream::{Error, ErrorKind};
use millstream_amqp::{Amqp, Publication, Sink};
use serde_json::Value;

use super::{bytes_of, text_of};
use crate::{AmqpSink, net::Net};

/// Publishes items.
pub(super) struct Publishing {
    sink: Sink,
    spec: AmqpSink,
}

impl Publishing {
    pub(super) fn open(spec: &AmqpSink, name: &str, net: &Net) -> Result<Self, Error> {
        let config = spec.connection.declaring(name, spec.queue.as_deref(), spec.declare);
        let config = config.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
        let amqp = net.wait(Amqp::connect(config))?;
        let sink = amqp.sink(spec.config()).map_err(Error::other)?;
        Ok(Self { sink, spec: spec.clone() })
    }

    pub(super) async fn send(&self, value: &Value) -> Result<(), Error> {
        let AmqpSink { queue, exchange, key, id, .. } = &self.spec;
        let payload = bytes_of(value);
        let publication = match (queue, exchange) {
            (Some(queue), _) => Publication::to_queue(queue.as_str(), payload),
            (None, exchange) => {
                let key = key.as_ref().map(|key| text_of("key", key, value)).transpose()?;
                let exchange = exchange.as_deref().unwrap_or_default();
                Publication::new(exchange, key.unwrap_or_default(), payload)
            }
        };
        let publication = match id {
            Some(id) => publication.with_id(text_of("id", id, value)?),
            None => publication,
        };
        self.sink.send(publication).await
    }
}
