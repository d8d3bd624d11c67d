//! The side of the flow: what the consumer's thread has passed on.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use millstream::Error;
use millstream_pressure::{Delivery, Fetch};

use super::{outbox::Outbox, partition::Passed};
use crate::KafkaAck;

pub(super) struct KafkaSource {
    outbox: Arc<Outbox>,
    taken: VecDeque<Passed>,
    /// How many were passed on, or dropped because their partition was taken away.
    done: u64,
    /// What was granted last, in all.
    granted: u64,
    error: Option<Error>,
}

impl KafkaSource {
    /// One that fails at once if there is an error.
    pub(super) fn new(outbox: Arc<Outbox>, error: Option<Error>) -> Self {
        Self { outbox, taken: VecDeque::new(), done: 0, granted: 0, error }
    }
}

impl Fetch for KafkaSource {
    type Item = Delivery<Option<Bytes>, KafkaAck>;

    fn poll_next(&mut self, _: &mut Context<'_>, wanted: u64) -> Poll<Result<Self::Item, Error>> {
        loop {
            if let Some(error) = self.error.take() {
                return Poll::Ready(Err(error));
            }
            while let Some(passed) = self.taken.pop_front() {
                let is_current = passed.is_current();
                if is_current {
                    // Told once for many, and early enough that the next come meanwhile.
                    let granted = self.done.saturating_add(wanted);
                    let news = granted.saturating_sub(self.granted);
                    if news > 0 && news >= self.taken.len() as u64 {
                        self.granted = granted;
                        self.outbox.grant(granted);
                    }
                }
                self.done = self.done.saturating_add(1);
                if is_current {
                    return Poll::Ready(Ok(passed.delivery()));
                }
            }
            self.granted = self.done.saturating_add(wanted);
            self.error = self.outbox.take(self.granted, &mut self.taken);
            if self.taken.is_empty() && self.error.is_none() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.outbox.cancel();
        self.taken.drain(..).for_each(Passed::give_back);
    }
}
