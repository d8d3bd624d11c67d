//! What a turn has to ask of others: noted while it runs, and done when it is over.
//!
//! A source that answers at once runs inside of the request. Were it made from inside of a turn,
//! the gate would be taken for as long as the source is busy: a cancel would not get through, and
//! nobody could empty what the source fills. So [`request`] and [`run`] note what they are given if
//! the caller is inside of the turn of a gate that is [woken](crate::Source::IS_WOKEN), and the
//! gate does it once others may have the turn.
//!
//! While a thread asks for a gate, the wake-ups that it causes there are put off in turn, so that a
//! source that has many items at hand fills the gate's queue before the next turn, in place of one
//! turn for each item. They are made up for when the request returns; by [`flush`], which a gate
//! calls after a chunk that it did not fill, because the next item may be far away; and before an
//! item is dropped for want of demand that may be on its way. A source that waits for its items has
//! all of it done before, and what comes of it, up to a bound (`flush_before_waiting`).
//!
//! # Invariants
//!
//! 1. All of this belongs to one thread: turns are nested on its stack, and so are the frames of
//!    those that ask. A turn's notes lie above its mark, and are gone from there before the turn
//!    that surrounds it goes on.
//! 2. A frame is in the list while the gate's `Asker::flush` may be called: its guard is on the
//!    stack of a method of that gate.
//! 3. Neither running nor dropping of what was noted happens while a list is borrowed.
//! 4. Requests made in turns inside of a frame of the same gate go to the end of that frame's line,
//!    so that the stack does not grow with them, and sources take turns.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    sync::Arc,
};

use reactive_streams::Subscription;

use super::asker::Asker;
use crate::sync::local;

/// How deep a thread asks inside of asking before it leaves the rest to the frames below.
const MAX_DEPTH: u32 = 16;

/// How often what was put off is done before a source waits: what comes of it is put off as well,
/// and may never end.
const MAX_ROUNDS: u32 = 1_024;

local!(static IS_IN_TURN: Cell<bool> = Cell::new(false));
local!(static N_NOTED: Cell<usize> = Cell::new(0));
local!(static IS_WAITING: Cell<bool> = Cell::new(false));
local!(static DEPTH: Cell<u32> = Cell::new(0));
local!(static TOP: Top = Top::new());
local!(static NOTED: RefCell<Vec<Ask>> = RefCell::new(Vec::new()));
local!(static FRAMES: RefCell<Frames> = RefCell::new(Frames { list: Vec::new(), n: 0 }));

/// Something to be done outside of a turn.
pub(super) enum Ask {
    Request(Arc<dyn Subscription>, u64),
    Run(Box<dyn FnOnce()>),
    /// Tells the subscriber of a gate that is closed: once what is asked at present has let go.
    End(Box<dyn FnOnce()>),
}

impl Ask {
    pub(super) fn perform(self) {
        match self {
            Self::Request(subscription, n) => subscription.request(n),
            Self::Run(f) | Self::End(f) => f(),
        }
    }
}

/// What was put off for a gate.
#[derive(Clone, Copy, Default)]
pub(super) struct News {
    /// It was woken.
    pub(super) is_woken: bool,
    /// These rang, a bit for each number.
    pub(super) rung: u64,
    /// Its last turn had more to do.
    pub(super) is_left: bool,
}

/// The last frame's wake-ups, which come with each item, where they cost least.
struct Top {
    /// The gate that asks, or null.
    gate: Cell<*const ()>,
    is_woken: Cell<bool>,
    rung: Cell<u64>,
}

impl Top {
    const fn new() -> Self {
        Self { gate: Cell::new(std::ptr::null()), is_woken: Cell::new(false), rung: Cell::new(0) }
    }

    #[inline]
    fn put(&self, rung: u64) {
        self.is_woken.set(true);
        self.rung.set(self.rung.get() | rung);
    }

    /// Moves what was put off to `news`.
    fn drain_to(&self, news: &mut News) {
        news.is_woken |= self.is_woken.take();
        news.rung |= self.rung.take();
    }
}

struct Frames {
    /// Those from `n` on are kept for their lines.
    list: Vec<State>,
    n: usize,
}

struct State {
    gate: *const dyn Asker,
    line: VecDeque<Ask>,
    news: News,
    /// How many requests it is in the midst of.
    n_busy: usize,
}

/// Requests `n` items of `subscription`, after the turn that the caller is in, if it is in one.
#[inline]
pub fn request<S: Subscription + 'static>(subscription: &Arc<S>, n: u64) {
    if IS_IN_TURN.with(Cell::get) {
        // A source whose signal this is goes on by itself.
        if !subscription.request_from_within(n) {
            note(Ask::Request(Arc::clone(subscription) as Arc<dyn Subscription>, n));
        }
    } else {
        subscription.request(n);
    }
}

/// Runs `f` after the turn that the caller is in, if it is in one. For what may ask a source for
/// items without saying so, such as a subscription.
pub fn run(f: impl FnOnce() + 'static) {
    if IS_IN_TURN.with(Cell::get) { note(Ask::Run(Box::new(f))) } else { f() }
}

/// Does what the calling thread has put off: wakes the gates that it asks for, and makes their
/// requests.
#[inline]
pub fn flush() {
    if IS_WAITING.with(Cell::get) {
        let _has_done = flush_frames();
    }
}

/// Does what the calling thread has put off, and what comes of it: for a source that waits for its
/// next item, and would keep all of it waiting.
#[inline]
pub(super) fn flush_before_waiting() {
    if IS_WAITING.with(Cell::get) {
        flush_rounds();
    }
}

#[cold]
fn flush_rounds() {
    let _has_more = (0..MAX_ROUNDS).all(|_| flush_frames() && IS_WAITING.with(Cell::get));
}

/// Returns whether there was anything to do.
#[cold]
fn flush_frames() -> bool {
    if is_deep() {
        return false;
    }
    IS_WAITING.with(|is_waiting| is_waiting.set(false));
    let n = FRAMES.with(|frames| frames.borrow().n);
    let mut has_done = false;
    for index in (0..n).rev() {
        let gate = FRAMES.with(|frames| frames.borrow().list[index].gate);
        // SAFETY: the frame is in the list, so by invariant 2 a method of the gate is on this
        // thread's stack, below this call, and the gate lives for as long.
        has_done |= unsafe { &*gate }.flush(&Frame(index));
    }
    has_done
}

fn note(ask: Ask) {
    NOTED.with(|noted| noted.borrow_mut().push(ask));
    N_NOTED.with(|n| n.set(n.get() + 1));
}

/// Whether a thread asks so deep inside of asking that the frames below should go on.
pub(super) fn is_deep() -> bool {
    DEPTH.with(Cell::get) >= MAX_DEPTH
}

/// Puts a wake-up of `gate` off, and what rang, if this thread asks for it.
#[inline]
pub(super) fn put_off(gate: *const (), rung: u64) -> bool {
    let top = TOP.with(|top| {
        let place = top.gate.get();
        if place == gate {
            top.put(rung);
        }
        place
    });
    if top == gate {
        set_waiting();
    }
    top == gate || (!top.is_null() && put_off_below(gate, rung))
}

fn put_off_below(gate: *const (), rung: u64) -> bool {
    let Some(frame) = Frame::find(gate) else { return false };
    frame.with(|state| {
        state.news.is_woken = true;
        state.news.rung |= rung;
    });
    set_waiting();
    true
}

/// Something was put off on this thread.
#[inline]
pub(super) fn set_waiting() {
    IS_WAITING.with(|is_waiting| is_waiting.set(true));
}

/// Does `f` as outside of any turn, for a thread that asks.
fn outside<R>(f: impl FnOnce() -> R) -> R {
    let is_in_turn = IS_IN_TURN.with(|is_in_turn| is_in_turn.replace(false));
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = f();
    DEPTH.with(|depth| depth.set(depth.get() - 1));
    IS_IN_TURN.with(|it| it.set(is_in_turn));
    result
}

/// A turn's notes: those above its mark (invariant 1).
#[derive(Clone, Copy)]
pub(super) struct Notes {
    mark: usize,
    is_inside: bool,
}

impl Notes {
    /// A turn begins.
    #[inline(always)]
    pub(super) fn begin() -> Self {
        let is_inside = IS_IN_TURN.with(|is_in_turn| is_in_turn.replace(true));
        Self { mark: N_NOTED.with(Cell::get), is_inside }
    }

    /// Those of a turn whose source asks for nothing.
    #[inline(always)]
    pub(super) const fn none() -> Self {
        Self { mark: 0, is_inside: false }
    }

    /// The turn is over.
    #[inline(always)]
    pub(super) fn close(self) {
        IS_IN_TURN.with(|is_in_turn| is_in_turn.set(self.is_inside));
    }

    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        N_NOTED.with(Cell::get) == self.mark
    }

    /// Takes the first one.
    pub(super) fn pop(self) -> Option<Ask> {
        if self.is_empty() {
            return None;
        }
        N_NOTED.with(|n| n.set(n.get() - 1));
        Some(NOTED.with(|noted| noted.borrow_mut().remove(self.mark)))
    }
}

/// The place of a gate that asks in its thread's list.
pub(super) struct Frame(usize);

impl Frame {
    /// A frame for `gate`.
    ///
    /// # Safety
    ///
    /// - [`close`](Self::close) is called before the gate is gone, and after the frames that were
    ///   opened since.
    pub(super) unsafe fn open(gate: *const dyn Asker) -> Self {
        FRAMES.with(|frames| {
            let Frames { list, n } = &mut *frames.borrow_mut();
            TOP.with(|top| {
                if let Some(state) = n.checked_sub(1).and_then(|below| list.get_mut(below)) {
                    top.drain_to(&mut state.news);
                }
                top.gate.set(gate.cast());
            });
            match list.get_mut(*n) {
                Some(state) => state.gate = gate,
                None => {
                    let (line, news) = (VecDeque::new(), News::default());
                    list.push(State { gate, line, news, n_busy: 0 });
                }
            }
            *n += 1;
            Self(*n - 1)
        })
    }

    /// Takes the frame, whose line is empty, out of the list.
    pub(super) fn close(self) {
        FRAMES.with(|frames| {
            let Frames { list, n } = &mut *frames.borrow_mut();
            *n = self.0;
            let below = n.checked_sub(1).map(|below| list[below].gate.cast());
            TOP.with(|top| top.gate.set(below.unwrap_or(std::ptr::null())));
        });
    }

    /// The frame of this gate that the thread has, if it asks for it.
    pub(super) fn find(gate: *const ()) -> Option<Self> {
        FRAMES.with(|frames| {
            let Frames { list, n } = &*frames.borrow();
            list[..*n].iter().rposition(|state| state.gate.cast::<()>() == gate).map(Self)
        })
    }

    /// The same, if it is in the midst of a request.
    pub(super) fn find_busy(gate: *const ()) -> Option<Self> {
        Self::find(gate).filter(|frame| frame.with(|state| state.n_busy > 0))
    }

    /// Does `f` as a request.
    pub(super) fn busy<R>(&self, f: impl FnOnce() -> R) -> R {
        self.with(|state| state.n_busy += 1);
        let result = outside(f);
        self.with(|state| state.n_busy -= 1);
        result
    }

    fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        FRAMES.with(|frames| f(&mut frames.borrow_mut().list[self.0]))
    }

    /// Does `f` with what was put off.
    fn with_news<R>(&self, f: impl FnOnce(&mut News) -> R) -> R {
        FRAMES.with(|frames| {
            let Frames { list, n } = &mut *frames.borrow_mut();
            let news = &mut list[self.0].news;
            if self.0 + 1 == *n {
                TOP.with(|top| top.drain_to(news));
            }
            f(news)
        })
    }

    /// Puts what a turn has noted in line.
    pub(super) fn collect(&self, notes: Notes) {
        if notes.is_empty() {
            return;
        }
        N_NOTED.with(|n| n.set(notes.mark));
        NOTED.with(|noted| {
            self.with(|state| state.line.extend(noted.borrow_mut().drain(notes.mark..)));
        });
    }

    pub(super) fn push(&self, ask: Ask) {
        self.with(|state| state.line.push_back(ask));
    }

    pub(super) fn pop(&self) -> Option<Ask> {
        self.with(|state| state.line.pop_front())
    }

    /// Whether nothing is left to do for the gate.
    pub(super) fn is_done(&self) -> bool {
        let has_news = self.with_news(|news| news.is_woken || news.is_left);
        !has_news && self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.with(|state| state.line.len())
    }

    /// The gate has more to do.
    pub(super) fn set_left(&self) {
        self.with(|state| state.news.is_left = true);
        set_waiting();
    }

    /// Takes what was put off.
    pub(super) fn take_news(&self) -> News {
        self.with_news(std::mem::take)
    }

    /// The same, but for what its last turn left.
    pub(super) fn take_woken(&self) -> News {
        self.with_news(|news| {
            let is_left = news.is_left;
            std::mem::replace(news, News { is_left, ..News::default() })
        })
    }
}
