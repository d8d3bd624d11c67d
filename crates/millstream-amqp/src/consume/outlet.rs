//! What is between the flow and the task that talks to the broker.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use millstream::Error;
use millstream_pressure::{Acknowledge, Delivery, Settlement};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

pub(super) type Item = Delivery<Bytes, AmqpAck>;

#[derive(Default)]
pub(crate) struct Outlet {
    state: Mutex<State>,
    /// There is something new for the task.
    pub(super) news: Notify,
}

#[derive(Default)]
struct State {
    /// How many were asked for in all; `u64::MAX` is without bound.
    asked: u64,
    /// How many of them have come, for the flow or for `ready`.
    delivered: u64,
    passed: u64,
    ready: VecDeque<Item>,
    failure: Option<Error>,
    waker: Option<Waker>,
    /// The flow is over.
    is_canceled: bool,
    /// The task is.
    is_over: bool,
    /// What became of deliveries of the present channel.
    settled: Vec<(u64, Word)>,
    /// The number of the present channel: what was delivered by a former one is over.
    channel: u64,
    flushed: Vec<oneshot::Sender<()>>,
}

/// What the broker is told of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Ack,
    /// Requeued, after a while.
    Nack(Duration),
    /// Not requeued.
    Reject,
}

/// What is new for the task.
pub(super) struct News {
    /// What was asked for and has not come.
    pub(super) demand: u64,
    pub(super) settled: Vec<(u64, Word)>,
    pub(super) is_canceled: bool,
    pub(super) flushed: Vec<oneshot::Sender<()>>,
}

impl Outlet {
    /// The next item for the flow, of which `wanted` are.
    pub(super) fn poll_next(&self, cx: &Context<'_>, wanted: u64) -> Poll<Result<Item, Error>> {
        let mut state = self.state.lock();
        let asked = state.passed.saturating_add(wanted);
        let is_more = asked > state.asked;
        state.asked = state.asked.max(asked);
        let poll = if let Some(item) = state.ready.pop_front() {
            state.passed += 1;
            Poll::Ready(Ok(item))
        } else if let Some(failure) = state.failure.take() {
            Poll::Ready(Err(failure))
        } else {
            state.waker = Some(cx.waker().clone());
            Poll::Pending
        };
        drop(state);
        if is_more {
            self.news.notify_one();
        }
        poll
    }

    /// The flow is over. Returns what it has not seen, to be dropped by the caller.
    pub(super) fn cancel(&self) -> VecDeque<Item> {
        let mut state = self.state.lock();
        state.is_canceled = true;
        let unseen = std::mem::take(&mut state.ready);
        drop(state);
        self.news.notify_one();
        unseen
    }

    /// Has items for the flow; those for one that is over are given back.
    pub(super) fn put(&self, items: impl IntoIterator<Item = Item>) {
        let mut state = self.state.lock();
        if state.is_canceled {
            drop(state);
            // Each drop is a nack, which comes here again.
            items.into_iter().for_each(drop);
            return;
        }
        let before = state.ready.len();
        state.ready.extend(items);
        state.delivered += (state.ready.len() - before) as u64;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn fail(&self, error: Error) {
        let mut state = self.state.lock();
        state.failure = Some(error);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Begins a channel: what came by the former one and was not passed on comes again.
    pub(super) fn begin(&self) -> u64 {
        let mut state = self.state.lock();
        state.channel += 1;
        state.settled.clear();
        state.delivered -= state.ready.len() as u64;
        let (lost, number) = (std::mem::take(&mut state.ready), state.channel);
        state.flushed = Vec::new();
        drop(state);
        // Their acknowledgements belong to the former channel, and say nothing.
        drop(lost);
        number
    }

    pub(super) fn news(&self) -> News {
        let mut state = self.state.lock();
        News {
            demand: if state.is_canceled { 0 } else { state.demand() },
            settled: std::mem::take(&mut state.settled),
            is_canceled: state.is_canceled,
            flushed: std::mem::take(&mut state.flushed),
        }
    }

    /// What was asked for and has not come.
    pub(super) fn demand(&self) -> u64 {
        self.state.lock().demand()
    }

    /// Waits until something is asked for, while there is nothing to be settled. Returns whether
    /// the flow is over instead.
    pub(super) async fn wait_for_demand(&self) -> bool {
        loop {
            {
                let mut state = self.state.lock();
                state.flushed = Vec::new();
                if state.is_canceled || state.demand() > 0 {
                    return state.is_canceled;
                }
            }
            self.news.notified().await;
        }
    }

    /// The task is over.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_over = true;
        state.settled = Vec::new();
        let flushed = std::mem::take(&mut state.flushed);
        drop(state);
        // There is nobody left who would tell the broker, and nobody who has to wait.
        drop(flushed);
    }

    fn settle(&self, channel: u64, tag: u64, word: Word) {
        let mut state = self.state.lock();
        if state.is_over || state.channel != channel {
            return;
        }
        state.settled.push((tag, word));
        drop(state);
        self.news.notify_one();
    }

    /// Waits until everything that was settled until now was sent.
    pub(crate) async fn flush(&self) {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.state.lock();
            if state.is_over {
                return;
            }
            state.flushed.push(sender);
        }
        self.news.notify_one();
        // Without a task there is nothing that waits.
        receiver.await.ok();
    }
}

impl State {
    const fn demand(&self) -> u64 {
        if self.asked == u64::MAX { u64::MAX } else { self.asked.saturating_sub(self.delivered) }
    }
}

/// Acknowledgement of a delivery by the broker.
///
/// A nack has the message delivered again, after its delay, during which it is unacknowledged. A
/// rejection sends it to the queue's dead letters; its reason is not told to the broker, which has
/// no word for it. After a connection was lost the broker delivers again whatever it had sent, and
/// the former acknowledgements say nothing.
pub struct AmqpAck {
    outlet: Arc<Outlet>,
    channel: u64,
    tag: u64,
}

impl AmqpAck {
    pub(super) const fn new(outlet: Arc<Outlet>, channel: u64, tag: u64) -> Self {
        Self { outlet, channel, tag }
    }
}

impl Acknowledge for AmqpAck {
    fn settle(self, settlement: Settlement) {
        let word = match settlement {
            Settlement::Ack => Word::Ack,
            Settlement::Nack { delay } => Word::Nack(delay),
            Settlement::Reject { .. } => Word::Reject,
        };
        self.outlet.settle(self.channel, self.tag, word);
    }
}

impl fmt::Debug for AmqpAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmqpAck").field("tag", &self.tag).finish_non_exhaustive()
    }
}
