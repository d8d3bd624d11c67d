//! Messages into JetStream.

use millstream::{Error, ErrorKind};
use millstream_nats::{Nats, Publication, Sink};
use serde_json::Value;

use super::{bytes_of, text_of};
use crate::{
    Expression, NatsSink,
    net::{Connection, Net},
};

/// Publishes items to a subject.
pub(super) struct Publishing {
    sink: Sink,
    subject: String,
    id: Option<Expression>,
}

impl Publishing {
    pub(super) fn open(spec: &NatsSink, name: &str, net: &Net) -> Result<Self, Error> {
        let config = spec.connection.config(name);
        let config = config.map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
        let nats = net.wait(Nats::connect(config))?;
        net.add_connection(Connection::Nats(nats.clone()));
        let sink = nats.sink(spec.config()).map_err(Error::other)?;
        Ok(Self { sink, subject: spec.subject.clone(), id: spec.id.clone() })
    }

    pub(super) async fn send(&self, value: &Value) -> Result<(), Error> {
        let publication = Publication::new(self.subject.clone(), bytes_of(value));
        let publication = match &self.id {
            Some(id) => publication.with_id(text_of("id", id, value)?),
            None => publication,
        };
        self.sink.send(publication).await.map(|_stored| ())
    }
}
