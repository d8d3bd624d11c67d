//! Entries into a Redis stream.

use millstream::Error;
use millstream_redis::{Entry, Redis, StreamSink};
use serde_json::Value;

use super::bytes_of;
use crate::{
    RedisSink,
    net::{Connection, Net},
};

pub(super) fn open(spec: &RedisSink, net: &Net) -> Result<StreamSink, Error> {
    let redis = net.wait(Redis::connect(spec.connection.config()))?;
    net.add_connection(Connection::Redis(redis.clone()));
    redis.stream_sink(spec.config()).map_err(Error::other)
}

pub(super) async fn send(sink: &StreamSink, value: &Value) -> Result<(), Error> {
    sink.send(entry(value)).await.map(|_id| ())
}

fn entry(value: &Value) -> Entry {
    match value {
        Value::Object(fields) => fields.iter().fold(Entry::default(), |entry, (name, value)| {
            entry.with(name.clone().into_bytes(), bytes_of(value))
        }),
        whole => Entry::of("item", bytes_of(whole)),
    }
}

#[test]
fn fields_are_texts_and_other_values_are_json() {
    let object = serde_json::json!({ "name": "a b", "n": 5, "list": [1, "x"] });

    let entry = entry(&object);

    let text = |name| entry.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert_eq!(text("name").as_deref(), Some("a b"));
    assert_eq!(text("n").as_deref(), Some("5"));
    assert_eq!(text("list").as_deref(), Some("[1,\"x\"]"));
}
