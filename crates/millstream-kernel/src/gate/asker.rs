//! Asks for a gate: what its turns have noted is done while others may have the turn.
//!
//! [`after_turn`](super::after_turn) has the thread's side of it. This is compiled once for all
//! gates, which are many types.

use reactive_streams::Error;

use super::{
    after_turn::{self, Ask, Frame, News, Notes},
    running::Leave,
    turn::Cause,
};
use crate::guard::{caught_seldom, muted};

/// A gate, as those who ask for it see it.
pub(super) trait Asker {
    /// A turn. The caller has it. `rung` rang on this thread.
    fn noted_turn(&self, cause: Cause, rung: u64) -> (Notes, Leave);

    /// Acquires the turn again, unless somebody else has it.
    fn come_back(&self) -> Option<Cause>;

    /// Has the turn, which the caller has, scheduled if `n_turns` are enough and others wait.
    /// Returns whether it did.
    fn makes_way(&self, n_turns: u64, cause: Cause, rung: u64) -> bool;

    /// Leaves a wake-up that was put off to whoever has the turn.
    fn deliver(&self, news: News);

    /// Ends the stream with an error, here or by whoever has the turn.
    fn fail(&self, error: Error);

    /// Whether this thread runs its turn.
    fn is_in_turn_here(&self) -> bool;

    /// Whether the stream is over.
    fn is_closed(&self) -> bool;
}

impl dyn Asker {
    /// Does what a turn has noted.
    #[inline(never)]
    pub(super) fn ask(&self, notes: Notes, leave: Leave) {
        match Frame::find(std::ptr::from_ref(self).cast::<()>()) {
            Some(frame) => self.ask_inside(&frame, notes, leave),
            None => self.ask_first(notes, leave),
        }
    }

    /// Asks, and comes back to the turn, until there is nothing left of either.
    fn ask_first(&self, mut notes: Notes, mut leave: Leave) {
        // SAFETY: it is closed at the end of this method, which does not unwind: what is asked is
        // caught, and so is a turn. Frames that were opened since are closed by methods that this
        // one has called.
        let frame = unsafe { Frame::open(std::ptr::from_ref(self)) };
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
                if self.makes_way(n_turns, cause, news.rung) {
                    leave = Leave::Scheduled;
                    continue;
                }
                (notes, leave) = self.noted_turn(cause, news.rung);
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
            (notes, leave) = self.noted_turn(cause, news.rung);
        }
        if leave == Leave::Asking {
            frame.set_left();
        }
        if frame.len() > 0 {
            after_turn::set_waiting();
        }
    }

    /// Does what was put off for the gate, in its frame. Returns whether there was anything to do.
    pub(super) fn flush(&self, frame: &Frame) -> bool {
        if self.is_in_turn_here() {
            // Its turn is what has called, and asks when it is over.
            after_turn::set_waiting();
            return false;
        }
        let mut has_done = false;
        let news = frame.take_news();
        if news.is_woken || news.is_left {
            match self.come_back() {
                Some(cause) => {
                    let (notes, leave) = self.noted_turn(cause, news.rung);
                    self.ask_inside(frame, notes, leave);
                    has_done = true;
                }
                None => self.deliver(news),
            }
        }
        // Each once: what comes of them waits for the next time.
        for _ in 0..frame.len() {
            match frame.pop() {
                Some(end @ Ask::End(_)) => frame.push(end),
                Some(ask) => {
                    self.perform(frame, ask);
                    has_done = true;
                }
                None => break,
            }
        }
        has_done
    }

    /// Does one thing that was noted. A panic of it is the stream's end.
    ///
    /// A stream that is over begins nothing, but what it has asked of a source may be for others as
    /// well.
    fn perform(&self, frame: &Frame, ask: Ask) {
        if matches!(ask, Ask::Run(_)) && self.is_closed() {
            return muted(|| drop(ask));
        }
        if let Err(error) = frame.busy(|| caught_seldom(|| ask.perform())) {
            self.fail(error);
        }
    }
}
