//! A Kafka cluster: whether it has the topics that the file names.

use millstream::{Error, ErrorKind};
use millstream_kafka::Kafka;

use super::Notes;
use crate::{KafkaConnection, nearest, net::Net};

pub(super) fn topics(
    connection: &KafkaConnection,
    (name, topics): (&str, &[String]),
    net: &Net,
    notes: &mut Notes,
) {
    let config = connection.config(name);
    let asked = config
        .map_err(|why| Error::new(ErrorKind::InvalidData, why))
        .and_then(|config| net.wait(async move { Kafka::connect(config).await?.topics().await }));
    let known = match asked {
        Ok(known) => known,
        Err(error) => return notes.bad("connection", error.to_string()),
    };
    notes.good("connection", format!("{} answers", connection.brokers.join(", ")));
    for topic in topics {
        match known.get(topic) {
            Some(n) => notes.good("topic", format!("{topic} is there: {n} partitions")),
            None => {
                let meant = nearest(topic, known.keys().map(String::as_str)).map_or_else(
                    || "`kafka-topics.sh --create` makes one".to_owned(),
                    |name| format!("is it {name}?"),
                );
                notes.bad("topic", format!("there is no topic {topic}: {meant}"));
            }
        }
    }
}
