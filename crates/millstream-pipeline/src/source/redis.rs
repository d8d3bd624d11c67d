//! The entries of a Redis stream.

use millstream::Error;
use millstream_redis::{Entry, Redis};
use serde_json::{Map, Value};

use super::{
    Stream,
    deliveries::{records, text},
    lines::Texts,
};
use crate::{
    RedisSource,
    net::{Connection, Net},
};

/// Connects, and reads when it is asked.
///
/// # Errors
///
/// The server cannot be reached, or refuses.
pub(super) fn open(spec: &RedisSource, texts: Texts, net: &Net) -> Result<Stream, Error> {
    let redis = net.wait(Redis::connect(spec.connection.config()))?;
    net.add_connection(Connection::Redis(redis.clone()));
    let stream = redis.stream(spec.config()).map_err(Error::other)?;
    Ok(records(stream, texts, net, |entry: Entry| object(&entry)))
}

/// The fields of an entry. Of a name that stands there twice, the last counts.
fn object(entry: &Entry) -> Result<Value, String> {
    let fields = entry.fields().map(|(name, value)| {
        let Value::String(name) = text(name)? else { unreachable!("it gives texts") };
        Ok((name, text(value)?))
    });
    fields.collect::<Result<Map<_, _>, String>>().map(Value::Object)
}
