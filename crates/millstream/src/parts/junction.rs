//! Where one source meets many subscribers that come and go.
//!
//! `share`, `replay`, `cache` and `multicast_processor` differ in who connects the source and who
//! disconnects it. What they share is here: the subscriber that posts what comes, and the end of
//! each subscriber that takes from its mailbox and asks the source for what there is room for.

use std::{sync::Arc, time::Duration};

use millstream_kernel::{
    Deferred, End, Source, Step, after_turn,
    broadcast::{self, Broadcast, Mailbox},
};
use reactive_streams::{Error, Subscriber, Subscription};

use crate::parts::inlet::{disconnected, overflowed};

/// What the ends share.
pub(crate) trait Junction<T> {
    fn broadcast(&self) -> &Broadcast<T>;

    fn upstream(&self) -> &Arc<Deferred>;

    /// The time, for what is kept for a while.
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    /// The source has ended; the subscribers hear of it next.
    fn ending(&self) {}

    /// The subscriber of this mailbox is gone.
    fn leave(&self, mailbox: &Arc<Mailbox<T>>);

    /// Asks the source for what there is room for now.
    fn refill(&self, is_first: bool) {
        let n = self.broadcast().claim(is_first);
        if n > 0 {
            after_turn::request(self.upstream(), n);
        }
    }
}

/// The source's subscriber.
pub(crate) struct JunctionSubscriber<T, J: Junction<T>> {
    /// `None` after the end.
    sender: Option<broadcast::Sender<T>>,
    junction: J,
}

impl<T, J: Junction<T>> JunctionSubscriber<T, J> {
    pub(crate) fn new(sender: broadcast::Sender<T>, junction: J) -> Self {
        Self { sender: Some(sender), junction }
    }

    fn end(&mut self, end: End) {
        if let Some(sender) = self.sender.take() {
            self.junction.ending();
            // First, so that the subscribers that leave now do not cancel what has ended (rule
            // 2.3).
            self.junction.upstream().finish();
            sender.end(end);
        }
    }
}

impl<T, J> Subscriber<T> for JunctionSubscriber<T, J>
where
    T: Clone + Send + 'static,
    J: Junction<T> + Send + 'static,
{
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.junction.upstream().set(subscription);
    }

    fn on_next(&mut self, item: T) {
        let Some(sender) = &mut self.sender else { return };
        match sender.send(item, self.junction.now()) {
            // Without subscribers it is dropped.
            Ok(_)
            | Err(broadcast::SendError::NoSubscriber(_) | broadcast::SendError::Closed(_)) => {}
            Err(broadcast::SendError::Full(item)) => {
                drop(item);
                self.junction.upstream().cancel();
                self.end(overflowed());
            }
        }
    }

    fn on_error(mut self, error: Error) {
        self.end(End::Failed(error));
    }

    fn on_complete(mut self) {
        self.end(End::Complete);
    }
}

impl<T, J: Junction<T>> Drop for JunctionSubscriber<T, J> {
    fn drop(&mut self) {
        self.end(disconnected());
    }
}

/// The end that takes, of one subscriber.
pub(crate) struct MailboxSource<T, J: Junction<T>> {
    junction: J,
    mailbox: Arc<Mailbox<T>>,
    is_started: bool,
}

impl<T, J: Junction<T>> MailboxSource<T, J> {
    pub(crate) fn new(junction: J, mailbox: &Arc<Mailbox<T>>) -> Self {
        Self { junction, mailbox: Arc::clone(mailbox), is_started: false }
    }
}

impl<T, J> Source for MailboxSource<T, J>
where
    T: Send + 'static,
    J: Junction<T> + Send + 'static,
{
    type Item = T;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    #[inline]
    fn next(&mut self) -> Step<T> {
        let Self { junction, mailbox, is_started } = self;
        if !std::mem::replace(is_started, true) {
            junction.refill(true);
        }
        let (step, may_claim) = junction.broadcast().pop_claimed(mailbox);
        if may_claim && !matches!(step, Step::End(_)) {
            junction.refill(false);
        }
        step
    }

    fn end(&mut self) -> Option<End> {
        self.mailbox.take_end()
    }
}

impl<T, J: Junction<T>> Drop for MailboxSource<T, J> {
    fn drop(&mut self) {
        self.junction.leave(&self.mailbox);
    }
}
