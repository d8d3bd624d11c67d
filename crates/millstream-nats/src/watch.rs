//! `watch`: what becomes of the keys of a bucket.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use async_nats::jetstream::{
    self,
    kv::{self, Operation},
};
use bytes::Bytes;
use futures_core::Stream;
use millstream::{Error, ErrorKind, FlattenResults, Flow, FromStream, from_stream_on};

use crate::{Nats, cluster::check_bucket, connection::invalid};

/// What has become of a key of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// Its new value; `None` if it was deleted.
    pub value: Option<Bytes>,
    /// The number of the change in its bucket, which grows.
    pub revision: u64,
    /// Whether all values that there were when the watch began have come with this one.
    pub is_current: bool,
}

/// The publisher of [`Nats::watch`].
pub type Watched = FlattenResults<FromStream<Changes>>;

impl Nats {
    /// The values of the keys of a bucket that match `keys`, such as `>` for all, and then what
    /// becomes of them. Of a key that changes while nobody asks, the server keeps as many values as
    /// the bucket's history has, so that a consumer that is late misses those between.
    ///
    /// # Errors
    ///
    /// A name or a pattern that is none, of kind `InvalidData`; no such bucket, of kind `Rejected`.
    ///
    /// # Demand
    ///
    /// A change is taken from the client when it is asked for. The server sends ahead as much as
    /// its flow control allows, which the client holds; the client's own bound is 1,048,576
    /// messages.
    ///
    /// # Termination
    ///
    /// Never completes. A connection that is lost is no failure: the watch goes on after the last
    /// change that came. Fails with an error of kind `Disconnected` if the bucket is deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(nats: millstream_nats::Nats) -> Result<(), millstream::Error> {
    /// let settings = nats.watch("settings", "api.>").await?;
    /// settings.for_each(|change| println!("{} is {:?}", change.key, change.value)).await
    /// # }
    /// ```
    pub async fn watch(&self, bucket: &str, keys: &str) -> Result<Flow<Watched>, Error> {
        check_bucket(bucket).map_err(invalid)?;
        let context = jetstream::new(self.client().clone());
        let store = context.get_key_value(bucket).await.map_err(|error| {
            let what = format!("there is no bucket `{bucket}`, or JetStream is off: {error}");
            Error::new(ErrorKind::Rejected, what)
        })?;
        let watch = store.watch_with_history(keys).await.map_err(|error| {
            let what = format!("`{keys}` in the bucket `{bucket}` cannot be watched: {error}");
            Error::new(ErrorKind::InvalidData, what)
        })?;
        Ok(from_stream_on(&self.scheduler(), Changes(watch)).flatten_results())
    }
}

/// The stream in [`Nats::watch`].
pub struct Changes(kv::Watch);

impl Stream for Changes {
    type Item = Result<Change, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = std::task::ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(Some(match next {
            Some(Ok(entry)) => Ok(Change {
                value: (entry.operation == Operation::Put).then_some(entry.value),
                key: entry.key,
                revision: entry.revision,
                is_current: entry.seen_current,
            }),
            Some(Err(error)) => Err(gone(&error)),
            None => Err(gone(&"the connection was closed")),
        }))
    }
}

fn gone(cause: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::Disconnected, format!("a watch has ended: {cause}"))
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").finish_non_exhaustive()
    }
}
