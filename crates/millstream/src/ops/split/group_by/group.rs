//! `Group`: the items of a flow that have the same key.

use std::{fmt, sync::Arc};

use reactive_streams::{BoxSubscriber, Publisher, Subscriber, Subscription};

use super::port::PortSubscription;
use crate::Flow;

/// The items of a flow that have the same key: what [`Flow::group_by`] makes.
///
/// For one subscriber, who may come later and from another thread: items wait for it, up to the
/// capacity of a group.
///
/// # Demand
///
/// Items that were asked for come at once, on the thread that makes them due.
///
/// # Termination
///
/// Completes and fails with the source, after the items that wait; completes when it gives way to
/// another group. A cancel, or the drop of the group, drops the items that wait: the next item with
/// this key opens another group.
#[must_use = "publishers do nothing until subscribed to, and dropping this one cancels its group"]
pub struct Group<K, T> {
    key: K,
    /// `None` once it was subscribed to.
    subscription: Option<Arc<PortSubscription<BoxSubscriber<T>>>>,
}

impl<K, T> Group<K, T> {
    pub(crate) fn new(key: K, subscription: PortSubscription<BoxSubscriber<T>>) -> Self {
        Self { key, subscription: Some(Arc::new(subscription)) }
    }
}

impl<K, T> Flow<Group<K, T>> {
    /// The key that the items of this group have.
    ///
    /// # Demand
    ///
    /// Makes no request.
    ///
    /// # Termination
    ///
    /// The group stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// let keys = millstream::range(0..9).group_by(|n| n % 3).map(|group| *group.key());
    /// assert_eq!(keys.take(3).collect::<Vec<_>>().wait()?, [0, 1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn key(&self) -> &K {
        &self.source.key
    }
}

impl<K, T: Send + 'static> Publisher for Group<K, T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(mut self, downstream: S) {
        if let Some(subscription) = self.subscription.take() {
            subscription.subscribe(BoxSubscriber::new(downstream));
        }
    }
}

impl<K, T> Drop for Group<K, T> {
    fn drop(&mut self) {
        if let Some(subscription) = self.subscription.take() {
            subscription.cancel();
        }
    }
}

impl<K: fmt::Debug, T> fmt::Debug for Group<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("key", &self.key).finish_non_exhaustive()
    }
}

backpressure!(source Group<K, T>);
