//! `latest`: a value that is read, updated in place, and watched.

use millstream_kernel::{Evict, broadcast::WhenFull};
use reactive_streams::Error;

use super::{Broadcaster, Multicast, Sent, TrySendError, Unheard, broadcaster::Plan};
use crate::Flow;

/// A value that changes, and the flow of its changes: a subscriber gets the present value when it
/// comes, and then the newest one whenever it asks.
///
/// Whoever holds the [`Latest`] reads the value and changes it in place; several that change it
/// share a lock around it, such as a `Mutex`.
///
/// # Demand
///
/// One value waits for a subscriber; a newer one takes its place.
///
/// # Termination
///
/// Completes and fails as the producer says, after the last value; who subscribes later gets the
/// last value, and then the end. Fails with an error of kind `Disconnected` if the producer is
/// dropped without either.
///
/// # Examples
///
/// ```
/// use millstream::hub;
/// use millstream_testkit::Probe;
///
/// let (mut level, flow) = hub::latest(3);
/// let probe = Probe::subscribe_to(flow);
/// probe.request(1);
/// level.set(5)?;
/// level.update(|n| *n += 1)?;
/// assert_eq!(*level.get(), 6);
/// probe.request(1);
/// assert_eq!(probe.items(), [3, 6]);
/// # Ok::<(), millstream::hub::Closed>(())
/// ```
#[doc(alias = "watch")]
#[doc(alias = "behavior")]
#[doc(alias = "state_flow")]
pub fn latest<T: Clone + Send + 'static>(initial: T) -> (Latest<T>, Flow<Multicast<T>>) {
    let plan = Plan {
        capacity: 1,
        when_full: WhenFull::Evict(Evict::Oldest),
        unheard: Unheard::Drop,
        past: Some((1, None)),
    };
    let (mut broadcaster, flow) = plan.open();
    // Nobody is subscribed, so that it is kept, and goes nowhere.
    let _kept = broadcaster.try_send(initial.clone());
    (Latest { broadcaster, value: initial }, flow)
}

/// The end of a [`latest`] hub that has the value.
/// There is one: its methods that change the value take `&mut self`.
///
/// Dropping it fails all streams with an error of kind `Disconnected`; see
/// [`complete`](Self::complete) and [`fail`](Self::fail).
#[must_use = "dropping it fails its streams"]
pub struct Latest<T> {
    broadcaster: Broadcaster<T>,
    value: T,
}

impl<T: Clone> Latest<T> {
    /// Replaces the value, and tells the subscribers.
    ///
    /// # Errors
    ///
    /// If there is no subscriber, and no flow left to subscribe to.
    /// The value is replaced all the same.
    pub fn set(&mut self, value: T) -> Result<Sent, super::Closed> {
        self.value = value;
        self.tell()
    }

    /// Changes the value in place, and tells the subscribers.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    ///
    /// # Panics
    ///
    /// If `f` does: then the value is as `f` left it, and nobody is told.
    pub fn update(&mut self, f: impl FnOnce(&mut T)) -> Result<Sent, super::Closed> {
        f(&mut self.value);
        self.tell()
    }

    /// Changes the value in place, and tells the subscribers if `f` returns `true`.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    ///
    /// # Panics
    ///
    /// As [`update`](Self::update).
    pub fn update_if(&mut self, f: impl FnOnce(&mut T) -> bool) -> Result<Sent, super::Closed> {
        if f(&mut self.value) { self.tell() } else { Ok(Sent::default()) }
    }

    /// [`set`](Self::set), which gives the value back where nobody can be told.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set), but the value is not replaced. The hub is never full.
    pub fn try_send(&mut self, value: T) -> Result<Sent, TrySendError<T>> {
        if self.is_closed() {
            return Err(TrySendError::Closed(value));
        }
        self.set(value).map_err(|_| TrySendError::Closed(self.value.clone()))
    }

    fn tell(&mut self) -> Result<Sent, super::Closed> {
        self.broadcaster.try_send(self.value.clone()).map_err(|_| super::Closed)
    }
}

impl<T> Latest<T> {
    /// Returns the present value.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Completes all streams, after the value that waits, and those of who subscribes later.
    pub fn complete(self) {
        self.broadcaster.complete();
    }

    /// Fails all streams, after the value that waits, and those of who subscribes later.
    pub fn fail(self, error: Error) {
        self.broadcaster.fail(error);
    }

    /// Returns how many subscribers there are.
    #[must_use]
    pub fn n_subscribers(&self) -> usize {
        self.broadcaster.n_subscribers()
    }

    /// Returns whether there is no subscriber, and no flow left to subscribe to.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.broadcaster.is_closed()
    }

    /// Waits until [`is_closed`](Self::is_closed).
    ///
    /// # Cancel safety
    ///
    /// It can be dropped and called again at any time.
    pub async fn closed(&mut self) {
        self.broadcaster.closed().await;
    }
}

opaque_debug!(Latest<T>);
