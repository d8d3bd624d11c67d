//! Records as they are kept here, and what their envelopes say.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use millstream_pressure::{Envelope, Headers, Position};
use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers as _, Timestamp},
};

/// What records of a batch share of memory: a record that is kept keeps as much at most.
const CHUNK: usize = 16 * 1024;
/// Records that are larger have memory of their own.
const LARGE: usize = 4 * 1024;

/// A record of a partition. A clone shares its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) offset: u64,
    pub(crate) payload: Option<Bytes>,
    key: Option<Bytes>,
    headers: Headers,
    time: Option<SystemTime>,
    /// How often it was passed on, this time included.
    pub(crate) attempt: u32,
}

impl Record {
    /// Copies what the client has. `None` if its offset is none, which no broker sends.
    pub(crate) fn read(message: &BorrowedMessage<'_>, chunk: &mut BytesMut) -> Option<Self> {
        let offset = u64::try_from(message.offset()).ok()?;
        let mut headers = Headers::default();
        for header in message.headers().into_iter().flat_map(|headers| headers.iter()) {
            headers.add(header.key, Bytes::copy_from_slice(header.value.unwrap_or_default()));
        }
        let time = match message.timestamp() {
            Timestamp::NotAvailable => None,
            Timestamp::CreateTime(ms) | Timestamp::LogAppendTime(ms) => u64::try_from(ms)
                .ok()
                .and_then(|ms| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))),
        };
        Some(Self {
            offset,
            payload: message.payload().map(|bytes| copy(bytes, chunk)),
            key: message.key().map(|bytes| copy(bytes, chunk)),
            headers,
            time,
            attempt: 1,
        })
    }

    /// The bytes that it takes, about.
    pub(crate) fn size(&self) -> usize {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        length(&self.payload) + length(&self.key) + headers.sum::<usize>() + size_of::<Self>()
    }

    pub(crate) fn envelope(&self, sequence: &Arc<str>) -> Envelope {
        let position = Position { sequence: Arc::clone(sequence), offset: self.offset, minor: 0 };
        Envelope {
            key: self.key.clone(),
            headers: self.headers.clone(),
            time: self.time,
            position: Some(position),
            attempt: self.attempt,
        }
    }

    #[cfg(test)]
    pub(crate) fn of(offset: u64) -> Self {
        let headers = Headers::default();
        Self { offset, payload: None, key: None, headers, time: None, attempt: 1 }
    }
}

/// A copy in the chunk, so that there is one allocation for many small ones.
fn copy(bytes: &[u8], chunk: &mut BytesMut) -> Bytes {
    if bytes.len() > LARGE {
        return Bytes::copy_from_slice(bytes);
    }
    if chunk.capacity() < bytes.len() {
        *chunk = BytesMut::with_capacity(CHUNK);
    }
    chunk.extend_from_slice(bytes);
    chunk.split().freeze()
}

#[test]
fn small_records_share_memory_and_large_ones_do_not() {
    let mut chunk = BytesMut::new();
    let first = copy(b"one", &mut chunk);
    let second = copy(b"three", &mut chunk);
    assert_eq!((&*first, &*second), (&b"one"[..], &b"three"[..]));
    assert_eq!(second.as_ptr() as usize - first.as_ptr() as usize, 3);
    let large = vec![7; LARGE + 1];
    assert_eq!(*copy(&large, &mut chunk), large);
    let capacity = chunk.capacity();
    // What was large took nothing of the chunk.
    assert_eq!(capacity, CHUNK - 8);
}
