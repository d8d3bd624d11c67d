//! A gate that asks: what [`asker`](super::asker) needs of it.
//!
//! The states and the invariants are those of [`Gate`].

use reactive_streams::{Error, Subscriber};

use super::{
    Dispatch, Gate, Source, Wake,
    after_turn::{Frame, News, Notes},
    asker::Asker,
    running::Leave,
    turn::{Cause, Verdict},
    word::Next,
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
            let _closed = self.run_turn(n, cause, 0, Notes::none());
            return;
        }
        let (notes, leave) = self.turn_with_notes(n, cause, 0);
        if leave == Leave::Asking || !notes.is_empty() {
            let asker: &dyn Asker = self;
            asker.ask(notes, leave);
        }
    }

    #[inline(always)]
    fn turn_with_notes(&self, n: u64, cause: Cause, rung: u64) -> (Notes, Leave) {
        let notes = Notes::begin();
        let leave = self.run_turn(n, cause, rung, notes);
        notes.close();
        (notes, leave)
    }

    /// Ends the stream with an error, here or by whoever has the turn.
    pub(super) fn end_with(&self, error: Error) {
        let mut failure = self.failure.lock();
        if failure.is_some() {
            return;
        }
        *failure = Some(error.clone());
        drop(failure);
        if self.word.fail() == Next::Run || (!D::IS_INLINE && self.word.claim().is_some()) {
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

    /// Has those that rang looked at by whoever has the turn.
    fn lend_rung(&self, mut rung: u64) {
        while rung != 0 {
            self.dispatch.ring(rung.trailing_zeros() as usize);
            rung &= rung - 1;
        }
    }
}

impl<P, S, D> Asker for Gate<P, S, D>
where
    P: Source,
    S: Subscriber<P::Item>,
    D: Dispatch,
{
    fn noted_turn(&self, cause: Cause, rung: u64) -> (Notes, Leave) {
        self.turn_with_notes(0, cause, rung)
    }

    fn come_back(&self) -> Option<Cause> {
        if !D::IS_INLINE
            && let Some(cause) = self.word.claim()
        {
            return Some(cause);
        }
        let cause = if D::IS_INLINE { Cause::Other } else { Cause::Here };
        (self.word.seize() == Next::Run).then_some(cause)
    }

    fn makes_way(&self, n_turns: u64, cause: Cause, rung: u64) -> bool {
        let makes_way = n_turns >= D::BUDGET && self.dispatch.has_others();
        if makes_way {
            self.lend_rung(rung);
            self.schedule(cause);
        }
        makes_way
    }

    fn deliver(&self, news: News) {
        self.lend_rung(news.rung);
        if news.is_woken {
            self.wake_at_once();
        }
    }

    fn fail(&self, error: Error) {
        self.end_with(error);
    }

    fn is_in_turn_here(&self) -> bool {
        self.reentry.is_inside()
    }

    fn is_closed(&self) -> bool {
        self.word.is_closed()
    }
}
