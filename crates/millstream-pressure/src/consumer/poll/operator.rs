//! Polls sized by demand: a source that fetches what is asked for is asked for that much.

use std::task::{Context, Poll};

use super::{PollSizer, Polled};
use crate::{Meter, Reason};

/// A flow's stay among those that wait until a [`PollSizer`] has items done.
#[derive(Debug, Default)]
pub struct PollTurn(());

impl Meter for PollSizer {
    type Turn = PollTurn;
    type Out<T> = Polled<T>;

    fn poll(
        &self,
        _: &mut PollTurn,
        wanted: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<u64, Reason>> {
        let waker = cx.waker().clone();
        let (answer, unused) = {
            let mut state = self.0.state.lock();
            match state.reserve(wanted) {
                Some(n) => (Poll::Ready(Ok(n)), Some(waker)),
                None => (Poll::Pending, state.wait(waker)),
            }
        };
        // After the lock.
        drop(unused);
        answer
    }

    fn refund(&self, n: u64) {
        let waiting = self.0.state.lock().refund(n);
        waiting.into_iter().for_each(std::task::Waker::wake);
    }

    fn pass<T>(&self, item: T) -> Polled<T> {
        self.arrived(item, true)
    }
}
