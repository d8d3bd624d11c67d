//! A gate that asks: what its turns have noted is done while others may have the turn.
//!
//! [`after_turn`](super::after_turn) has the thread's side of it; the states and the invariants are
//! those of [`Gate`].

use reactive_streams::{Error, Subscriber};

use super::{
    CLOSED, Dispatch, Gate, ILLEGAL, Source, Wake,
    after_turn::{self, Ask, Asker, Frame, News, Notes},
    turn::{Cause, Leave, Verdict},
};
use crate::{
    guard::{caught, muted},
    sync::Ordering,
};

impl<P, S, D> Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    /// A turn, and what it has to ask. The caller has the turn. `n` items were asked for, beyond
    /// what the word says.
    #[inline(always)]
    pub(super) fn turn(&self, n: u64, cause: Cause) {
        if !P::IS_WOKEN {
            let _closed = self.run_turn(n, cause, 0, None);
            return;
        }
        let (notes, leave) = self.noted_turn(n, cause, 0);
        if leave == Leave::Asking || !notes.is_empty() {
            self.ask(notes, leave);
        }
    }

    #[inline(always)]
    fn noted_turn(&self, n: u64, cause: Cause, rung: u64) -> (Notes, Leave) {
        let notes = Notes::begin();
        let leave = self.run_turn(n, cause, rung, Some(notes));
        notes.close();
        (notes, leave)
    }

    #[inline(never)]
    fn ask(&self, notes: Notes, leave: Leave) {
        match Frame::find(self.address()) {
            Some(frame) => self.ask_inside(&frame, notes, leave),
            None => self.ask_first(notes, leave),
        }
    }

    /// Asks, and comes back to the turn, until there is nothing left of either.
    fn ask_first(&self, mut notes: Notes, mut leave: Leave) {
        // SAFETY: it is closed at the end of this method, which does not unwind: what is asked is
        // caught, and so is a turn. Frames that were opened since are closed by methods that this
        // one has called.
        let frame = unsafe { Frame::open(std::ptr::from_ref(self) as *const dyn Asker) };
        let mut n_turns = 0;
        loop {
            frame.collect(notes);
            if leave == Leave::Asking {
                frame.set_left();
            }
            while let Some(ask) = frame.pop() {
                self.perform(&frame, ask);
            }
            let news = frame.take_news();
            if (news.is_woken || news.is_left)
                && leave != Leave::Scheduled
                && let Some(cause) = self.come_back()
            {
                n_turns += 1;
                if n_turns >= D::BUDGET && self.dispatch.has_others() {
                    self.lend_rung(news.rung);
                    self.schedule(cause);
                    leave = Leave::Scheduled;
                    continue;
                }
                (notes, leave) = self.noted_turn(0, cause, news.rung);
                continue;
            }
            // That may begin a turn as well, which asks in this frame.
            self.deliver(news);
            if frame.is_done() {
                break;
            }
            leave = Leave::Settled;
        }
        frame.close();
    }

    /// Asks from a turn that began while this thread asks for the gate: what begins something is
    /// done at once, and requests wait in line, so that the source that is being asked may go on.
    fn ask_inside(&self, frame: &Frame, mut notes: Notes, mut leave: Leave) {
        for is_last in [false, true] {
            while let Some(ask) = notes.pop() {
                match ask {
                    Ask::Run(_) if !is_last && !after_turn::is_deep() => self.perform(frame, ask),
                    ask => frame.push(ask),
                }
            }
            if is_last {
                break;
            }
            let news = frame.take_woken();
            if leave == Leave::Scheduled || !(news.is_woken || leave == Leave::Asking) {
                self.deliver(news);
                break;
            }
            let Some(cause) = self.come_back() else {
                self.deliver(news);
                leave = Leave::Settled;
                break;
            };
            (notes, leave) = self.noted_turn(0, cause, news.rung);
        }
        if leave == Leave::Asking {
            frame.set_left();
        }
        if frame.len() > 0 {
            after_turn::set_waiting();
        }
    }

    /// Does one thing that was noted. A panic of it is the stream's end.
    ///
    /// A stream that is over begins nothing, but what it has asked of a source may be for others as
    /// well.
    fn perform(&self, frame: &Frame, ask: Ask) {
        if matches!(ask, Ask::Run(_)) && self.is_closed() {
            return muted(|| drop(ask));
        }
        if let Err(error) = frame.busy(|| caught(|| ask.perform())) {
            self.fail(error);
        }
    }

    /// Ends the stream with an error, here or by whoever has the turn.
    pub(super) fn fail(&self, error: Error) {
        let mut failure = self.failure.lock();
        if failure.is_some() {
            return;
        }
        *failure = Some(error.clone());
        drop(failure);
        if self.raise(0, ILLEGAL) || (!D::IS_INLINE && self.claim().is_some()) {
            self.end_turn(Verdict::Failed(error));
        }
    }

    /// Why the word says that the stream must fail.
    pub(super) fn failure(&self) -> Error {
        self.failure.lock().take().unwrap_or_else(Error::illegal_request)
    }

    /// The frame in which this thread asks for the gate at present: what it asks is on its stack,
    /// and lets go when it returns.
    pub(super) fn busy_frame(&self) -> Option<Frame> {
        if P::IS_WOKEN { Frame::find_busy(self.address()) } else { None }
    }

    /// What tells this gate from others.
    #[inline]
    pub(super) fn address(&self) -> *const () {
        std::ptr::from_ref(self).cast()
    }

    fn is_closed(&self) -> bool {
        // Relaxed: what is begun in vain is cancelled.
        self.word.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Leaves a wake-up that was put off to whoever has the turn.
    fn deliver(&self, news: News) {
        self.lend_rung(news.rung);
        if news.is_woken {
            self.wake_at_once();
        }
    }

    /// Has those that rang looked at by whoever has the turn.
    fn lend_rung(&self, mut rung: u64) {
        while rung != 0 {
            self.dispatch.ring(rung.trailing_zeros() as usize);
            rung &= rung - 1;
        }
    }

    /// Acquires the turn again, unless somebody else has it.
    fn come_back(&self) -> Option<Cause> {
        if !D::IS_INLINE
            && let Some(cause) = self.claim()
        {
            return Some(cause);
        }
        let cause = if D::IS_INLINE { Cause::Other } else { Cause::Here };
        self.seize().then_some(cause)
    }
}

impl<P, S, D> Asker for Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    fn flush(&self, frame: &Frame) {
        if self.reentry.is_inside() {
            // Its turn is what has called, and asks when it is over.
            return after_turn::set_waiting();
        }
        let news = frame.take_news();
        if news.is_woken || news.is_left {
            match self.come_back() {
                Some(cause) => {
                    let (notes, leave) = self.noted_turn(0, cause, news.rung);
                    self.ask_inside(frame, notes, leave);
                }
                None => self.deliver(news),
            }
        }
        // Each once: what comes of them waits for the next time.
        for _ in 0..frame.len() {
            match frame.pop() {
                Some(end @ Ask::End(_)) => frame.push(end),
                Some(ask) => self.perform(frame, ask),
                None => break,
            }
        }
    }
}
