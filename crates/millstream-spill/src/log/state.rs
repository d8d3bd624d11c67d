//! What senders, the receiver and the disk work agree on, under one short lock.

use std::{collections::VecDeque, task::Waker, time::Duration};

use millstream_kernel::oneshot;

use crate::{SpillError, stats::Counts};

/// What a sender is told: the item is safe, or it is not, and those before this sequence are.
pub(crate) type Verdict = Result<(), (SpillError, u64)>;

/// A sender that waits until all before `next` is safe.
pub(crate) struct Waiting {
    pub(crate) next: u64,
    pub(crate) sender: oneshot::Sender<Verdict>,
}

/// Where a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Directory,
    Tier,
    Both,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) base: u64,
    /// The sequence after its last safe item.
    pub(crate) end: u64,
    /// The bytes of its safe items, with the header.
    pub(crate) readable: u64,
    /// All of its bytes.
    pub(crate) bytes: u64,
    pub(crate) place: Place,
}

/// Numbers are sequences, `cursor <= position <= safe <= next`.
pub(crate) struct State {
    /// Oldest first; the last may be the one that is written.
    pub(crate) segments: VecDeque<Segment>,
    /// Items before it are done with, and that is on the disk.
    pub(crate) cursor: u64,
    /// What is received next.
    pub(crate) position: u64,
    /// Items before it are safe.
    pub(crate) safe: u64,
    /// What is appended next.
    pub(crate) next: u64,
    /// How often items were withdrawn.
    pub(crate) generation: u64,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) directory_bytes: u64,
    pub(crate) tier_bytes: u64,
    pub(crate) counts: Counts,
    pub(crate) times: Times,
    /// A commit is on its way.
    pub(crate) is_commit_due: bool,
    pub(crate) n_senders: usize,
    pub(crate) is_receiver_gone: bool,
    /// Told when there are items, or no senders.
    pub(crate) news: Vec<Waker>,
    /// How often there was room.
    pub(crate) n_room: u64,
    /// Told when there is room.
    pub(crate) room: Vec<Waker>,
}

impl State {
    /// Everything before `next` in the segment with this base is safe, which has `readable` bytes
    /// then. Those that waited for it.
    pub(crate) fn settle(&mut self, base: u64, next: u64, readable: u64) -> Settled {
        if next <= self.safe {
            return Settled::default();
        }
        if let Some(segment) = self.segment_with_mut(base) {
            segment.end = next;
            segment.readable = readable;
        }
        self.safe = next;
        let n_ready = self.waiting.partition_point(|waiting| waiting.next <= next);
        Settled {
            waiting: self.waiting.drain(..n_ready).collect(),
            wakers: std::mem::take(&mut self.news),
        }
    }

    /// The segment with this base.
    pub(crate) fn segment_with(&self, base: u64) -> Option<&Segment> {
        let at = self.segments.partition_point(|segment| segment.base < base);
        self.segments.get(at).filter(|segment| segment.base == base)
    }

    /// The segment with this base.
    pub(crate) fn segment_with_mut(&mut self, base: u64) -> Option<&mut Segment> {
        let at = self.segments.partition_point(|segment| segment.base < base);
        self.segments.get_mut(at).filter(|segment| segment.base == base)
    }

    /// The segment that holds `sequence`.
    pub(crate) fn segment_of(&self, sequence: u64) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.base <= sequence);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        (sequence < segment.end).then_some(segment)
    }

    /// Where the items go on behind a segment's end that is not where the next begins.
    pub(crate) fn after_gap(&self, sequence: u64) -> u64 {
        let after = self.segments.partition_point(|segment| segment.base <= sequence);
        self.segments.get(after).map_or(self.safe, |segment| segment.base)
    }
}

/// Those to be told something once the lock is free.
#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) wakers: Vec<Waker>,
}

impl Settled {
    pub(crate) fn tell(self, verdict: &Verdict) {
        for waiting in self.waiting {
            waiting.sender.send(verdict.clone());
        }
        self.wakers.into_iter().for_each(Waker::wake);
    }
}

/// When what waits was appended, and how fast it goes.
#[derive(Default)]
pub(crate) struct Times {
    /// A sequence and when it was appended, for about one item in a quarter of a megabyte.
    marks: VecDeque<(u64, Duration)>,
    bytes_since_mark: u64,
    /// Since when there are items, if there are.
    busy_since: Option<Duration>,
    busy: Duration,
    window_start: Duration,
    window_count: u64,
    /// Items a second in the window before.
    rate: f64,
}

const MARK_BYTES: u64 = 256 << 10;
/// Over which time the drain rate is measured, at least.
const WINDOW: Duration = Duration::from_secs(1);
/// How many items are received between two looks at the clock.
pub(crate) const LOOK: u64 = 64;

impl Times {
    /// `bytes` are about to be appended as `sequence`; `now` is asked for where it matters.
    pub(crate) fn appended(&mut self, sequence: u64, bytes: u64, now: impl FnOnce() -> Duration) {
        self.bytes_since_mark += bytes;
        if self.busy_since.is_some() && self.bytes_since_mark < MARK_BYTES {
            return;
        }
        let now = now();
        self.bytes_since_mark = 0;
        self.busy_since.get_or_insert(now);
        self.marks.push_back((sequence, now));
    }

    /// `position` is the next to be received, of those before `end`, after one more was.
    pub(crate) fn received(&mut self, position: u64, end: u64, now: impl FnOnce() -> Duration) {
        self.window_count += 1;
        if position == end || position.is_multiple_of(LOOK) {
            self.tick(position, end, now());
        }
    }

    fn tick(&mut self, position: u64, end: u64, now: Duration) {
        while self.marks.get(1).is_some_and(|(sequence, _)| *sequence <= position) {
            self.marks.pop_front();
        }
        let window = now.saturating_sub(self.window_start);
        if window >= WINDOW {
            self.rate = self.window_count as f64 / window.as_secs_f64();
            self.window_start = now;
            self.window_count = 0;
        }
        if position >= end {
            self.marks.clear();
            if let Some(since) = self.busy_since.take() {
                self.busy += now.saturating_sub(since);
            }
        }
    }

    /// Items are there since before the queue was opened, at `now`.
    pub(crate) fn begin(&mut self, position: u64, end: u64, now: Duration) {
        self.window_start = now;
        if position < end {
            self.busy_since = Some(now);
            self.marks.push_back((position, now));
        }
    }

    /// Age of the oldest item, drain rate, and time with items, as of `now`.
    pub(crate) fn read(
        &mut self,
        position: u64,
        end: u64,
        now: Duration,
    ) -> (Option<Duration>, f64, Duration) {
        self.tick(position, end, now);
        let age = self.marks.front().map(|(_, then)| now.saturating_sub(*then));
        let busy = self.busy_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        (age, self.rate, self.busy + busy)
    }
}
