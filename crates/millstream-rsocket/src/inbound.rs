//! The flow of what a requester sends on a channel.

use std::{fmt, sync::Arc};

use millstream::backpressure;
use reactive_streams::{Publisher, Subscriber};

use crate::{Payload, link::Stream};

/// Publisher of the items of a channel, whose first one is the request. For one subscriber.
///
/// # Demand
///
/// What is requested is granted to the peer, except for the first item, which is here.
///
/// # Termination
///
/// Ends as the peer says, and with an error of kind `Disconnected` if it cancels its request or the
/// connection ends. A cancel, or a drop without a subscription, tells the peer that no more items
/// are taken; the answers go on.
#[must_use = "publishers do nothing until subscribed to"]
pub struct Inbound {
    stream: Option<Arc<Stream>>,
}

impl Inbound {
    pub(crate) fn new(stream: Arc<Stream>) -> Self {
        Self { stream: Some(stream) }
    }
}

impl Publisher for Inbound {
    type Item = Payload;

    fn subscribe<S: Subscriber<Payload>>(mut self, subscriber: S) {
        if let Some(stream) = self.stream.take() {
            stream.attach(subscriber);
        }
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.cancel();
        }
    }
}

backpressure!(source Inbound);

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound").finish_non_exhaustive()
    }
}
