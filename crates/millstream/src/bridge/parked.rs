//! Shared: a receiver that can only be awaited, as something to poll.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A receiver, or the future that has it. Nothing is allocated unless there is something to wait
/// for.
pub(super) struct Parked<R, T> {
    /// `None` while it is awaited.
    receiver: Option<R>,
    awaited: Option<Awaited<R, T>>,
}

type Awaited<R, T> = Pin<Box<dyn Future<Output = (R, T)> + Send>>;

impl<R, T> Parked<R, T> {
    pub(super) fn new(receiver: R) -> Self {
        Self { receiver: Some(receiver), awaited: None }
    }

    /// What `now` finds at once, or else what `wait` comes to. Never ready again after that future
    /// was dropped by a panic.
    pub(super) fn poll<W>(
        &mut self,
        cx: &mut Context<'_>,
        now: impl FnOnce(&mut R) -> Option<T>,
        wait: impl FnOnce(R) -> W,
    ) -> Poll<T>
    where
        W: Future<Output = (R, T)> + Send + 'static,
    {
        if let Some(mut receiver) = self.receiver.take() {
            if let Some(found) = now(&mut receiver) {
                self.receiver = Some(receiver);
                return Poll::Ready(found);
            }
            self.awaited = Some(Box::pin(wait(receiver)));
        }
        let Some(awaited) = &mut self.awaited else { return Poll::Pending };
        let (receiver, found) = std::task::ready!(awaited.as_mut().poll(cx));
        self.awaited = None;
        self.receiver = Some(receiver);
        Poll::Ready(found)
    }
}
