//! Records into a topic of Kafka.

use millstream::{Error, ErrorKind};
use millstream_kafka::{Kafka, Publication, Sink};
use serde_json::Value;

use super::{bytes_of, text_of};
use crate::{Expression, KafkaSink, net::Net};

/// Publishes items to a topic.
pub(super) struct Publishing {
    sink: Sink,
    topic: String,
    key: Option<Expression>,
}

impl Publishing {
    pub(super) fn open(spec: &KafkaSink, name: &str, net: &Net) -> Result<Self, Error> {
        let config = spec.connection.config(name);
        let config = config.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
        let kafka = net.wait(Kafka::connect(config))?;
        let sink = kafka.sink(spec.config())?;
        Ok(Self { sink, topic: spec.topic.clone(), key: spec.key.clone() })
    }

    pub(super) async fn send(&self, value: &Value) -> Result<(), Error> {
        let publication = Publication::new(self.topic.clone(), bytes_of(value));
        let publication = match &self.key {
            Some(key) => publication.with_key(text_of("key", key, value)?),
            None => publication,
        };
        self.sink.send(publication).await.map(|_stored| ())
    }
}
