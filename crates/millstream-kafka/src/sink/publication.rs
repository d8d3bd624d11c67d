//! `Publication`: a record to be published.

use bytes::Bytes;
use millstream_pressure::Headers;
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, FutureRecord},
};

/// A record to be published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// The topic.
    pub topic: String,
    /// Records of one key go to one partition, in their order.
    pub key: Option<Bytes>,
    /// What is in it; `None` deletes the key in a topic that is compacted.
    pub payload: Option<Bytes>,
    /// Names and values.
    pub headers: Headers,
    /// The partition; by the key if `None`, and any without a key.
    pub partition: Option<i32>,
}

/// Where a record was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The partition.
    pub partition: i32,
    /// Its number there.
    pub offset: u64,
}

impl Publication {
    /// A record without a key and headers.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { topic: topic.into(), payload: Some(payload.into()), ..Self::default() }
    }

    /// Gives it a key.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The bytes that it takes, about.
    pub(super) fn size(&self) -> usize {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        length(&self.payload) + length(&self.key) + headers.sum::<usize>() + 64
    }

    /// As a client without futures wants it.
    pub(crate) fn base_record(&self) -> BaseRecord<'_, [u8], [u8]> {
        let FutureRecord { topic, partition, payload, key, timestamp, headers } = self.record();
        BaseRecord { topic, partition, payload, key, timestamp, headers, delivery_opaque: () }
    }

    /// As the client wants it.
    pub(crate) fn record(&self) -> FutureRecord<'_, [u8], [u8]> {
        let mut record = FutureRecord::to(&self.topic);
        record.key = self.key.as_deref();
        record.payload = self.payload.as_deref();
        record.partition = self.partition;
        if !self.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(self.headers.len());
            let add = |headers: OwnedHeaders, (key, value): (&str, &Bytes)| {
                headers.insert(Header { key, value: Some(&**value) })
            };
            record.headers = Some(self.headers.iter().fold(headers, add));
        }
        record
    }
}
