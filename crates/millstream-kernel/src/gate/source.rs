//! What a gate emits.

use std::ops::ControlFlow;

use reactive_streams::{Error, Subscriber};

/// A producer of items that a [`Gate`](crate::Gate) asks, one at a time, while there is demand.
///
/// All methods are called inside a turn: by one thread at a time, in order.
pub trait Source: Send + 'static {
    /// What is produced.
    type Item;

    /// Whether the source can answer [`Step::Pending`] and is then woken, or has work in
    /// [`advance`](Self::advance).
    const IS_WOKEN: bool = false;

    /// Whether [`advance`](Self::advance) does anything; one that sets `false` is spared the call,
    /// and the look for news after it.
    const HAS_WORK: bool = true;

    /// The most items between two looks for demand and wake-ups, and, unless the source
    /// [is woken](Self::IS_WOKEN), for a cancel from another thread. One that waits or computes for
    /// long in `next` sets 1. A woken source's cancel is seen at the next item in any case.
    const CHUNK: u64 = 64;

    /// After how many pauses of the processor a runner on a worker that got [`Step::Pending`] asks
    /// again, having waited for `n_waited` of them since the last item; 0, it parks. It has to come
    /// to 0 as `n_waited` grows, because nothing else makes a runner park that is the only one on
    /// its worker. Each question counts as a chunk of the turn's. For sources that another thread
    /// fills, and that cost nothing to ask: few pauses where one item is awaited, many where the
    /// producer should get ahead.
    #[inline]
    fn pause(&self, n_waited: u32) -> u32 {
        let _unused = n_waited;
        0
    }

    /// The next item. Called only while there is demand.
    fn next(&mut self) -> Step<Self::Item>;

    /// Gives up to `limit` items to `take`, until that breaks.
    ///
    /// The default asks `next` for each; a source that knows how many items it has can run a
    /// tighter loop.
    #[inline(always)]
    fn feed(&mut self, limit: u64, mut take: impl FnMut(Self::Item) -> ControlFlow<()>) -> Fed {
        for _ in 0..limit {
            match self.next() {
                Step::Item(item) => {
                    if take(item).is_break() {
                        return Fed::Broken;
                    }
                }
                Step::Pending => return Fed::Pending,
                Step::End(end) => return Fed::End(end),
            }
        }
        Fed::Full
    }

    /// How the source has ended, when that is known without asking for another item.
    ///
    /// Called without demand, so that a stream completes right after its last item where it can.
    fn end(&mut self) -> Option<End> {
        None
    }

    /// Does what needs no demand: at the beginning of a turn and after each wake-up.
    fn advance(&mut self) {}

    /// These rang on the runner's own thread, a bit for each number below 64, and were not noted
    /// anywhere else: see [`Wake::ring`](crate::Wake::ring). [`advance`](Self::advance) follows,
    /// after items at most.
    fn rung(&mut self, indices: u64) {
        let _ = indices;
    }

    /// The subscriber is gone; the source is dropped next. Not called after an end.
    fn cancel(&mut self) {}
}

/// A source's answer to being asked for an item.
#[derive(Debug)]
#[must_use]
pub enum Step<T> {
    /// Here it is.
    Item(T),
    /// There is none at the moment; the gate will be woken.
    Pending,
    /// There is none any more.
    End(End),
}

/// How far a source got in feeding.
#[derive(Debug)]
#[must_use]
pub enum Fed {
    /// It gave as many items as it was allowed to.
    Full,
    /// It was stopped.
    Broken,
    /// It has none at the moment; the gate will be woken.
    Pending,
    /// It has none any more.
    End(End),
}

/// How a stream ended.
#[derive(Clone, Debug)]
#[must_use]
pub enum End {
    /// Well.
    Complete,
    /// With this error.
    Failed(Error),
}

impl End {
    /// Ends `subscriber` in this way.
    pub fn signal<T>(self, subscriber: impl Subscriber<T>) {
        match self {
            Self::Complete => subscriber.on_complete(),
            Self::Failed(error) => subscriber.on_error(error),
        }
    }
}

impl From<Result<(), Error>> for End {
    fn from(result: Result<(), Error>) -> Self {
        match result {
            Ok(()) => Self::Complete,
            Err(error) => Self::Failed(error),
        }
    }
}
