//! A listener that arrives after its first wake-ups.
//!
//! A producer may work before it has a consumer. It wakes the listener each time; once a consumer
//! has been [set](Listener::set), that one is woken.
//!
//! # States
//!
//! ```text
//!   wake ⟲ ┌─────────┐   set    ┌─────────┐   set   ┌─────┐ ⟲ wake: passed on
//!          │ NOBODY  │ ───────▶ │ SETTING │ ──────▶ │ SET │
//!          └─────────┘ (claim)  └─────────┘         └─────┘
//! ```
//!
//! # Invariants
//!
//! 1. The thread that moves the state to SETTING has exclusive access to `place` until it moves it
//!    to SET.
//! 2. Once SET, `place` holds a listener and is only read.
//! 3. No wake-up is lost. A waker publishes its work, fences, and then looks at the state; `set`
//!    catches up once, after the state is SET and after a fence. In the total order of the fences
//!    one comes first: either the waker sees SET, or `set` sees the work.

use std::{fmt, sync::Arc};

use crate::{
    Wake,
    sync::{AtomicU8, Ordering, UnsafeCell, fence},
};

const NOBODY: u8 = 0;
const SETTING: u8 = 1;
const SET: u8 = 2;

/// Stands for a consumer that has not arrived. The file's header has the rest.
pub struct Listener {
    state: AtomicU8,
    place: UnsafeCell<Option<Arc<dyn Wake>>>,
}

// SAFETY: by invariants 1 and 2 the place is written by one thread before the state is SET with a
// release, and read after it was seen SET with an acquire. What it holds is `Send` and `Sync`.
unsafe impl Sync for Listener {}

impl Default for Listener {
    fn default() -> Self {
        Self::new()
    }
}

impl Listener {
    /// Nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self { state: AtomicU8::new(NOBODY), place: UnsafeCell::new(None) }
    }

    /// `NOBODY → SETTING → SET`, and has `listener` catch up with what came before. A second one is
    /// dropped.
    pub fn set(&self, listener: Arc<dyn Wake>) {
        // Relaxed: a claim, nothing is read behind it.
        let claimed =
            self.state.compare_exchange(NOBODY, SETTING, Ordering::Relaxed, Ordering::Relaxed);
        if claimed.is_err() {
            return;
        }
        self.place.with_mut(|place| {
            // SAFETY: this thread moved the state to SETTING, so by invariant 1 nobody else looks
            // at the place.
            unsafe { *place = Some(Arc::clone(&listener)) };
        });
        // Release: publishes the place.
        self.state.store(SET, Ordering::Release);
        // Invariant 3: pairs with the fence in `wake`.
        fence(Ordering::SeqCst);
        listener.catch_up();
    }

    #[inline]
    fn tell(&self, how: impl Fn(&dyn Wake)) {
        if let Some(listener) = self.get() {
            return how(&**listener);
        }
        // Invariant 3: the caller has published its work.
        fence(Ordering::SeqCst);
        if let Some(listener) = self.get() {
            how(&**listener);
        }
    }

    fn get(&self) -> Option<&Arc<dyn Wake>> {
        // Acquire: pairs with the release in `set`.
        if self.state.load(Ordering::Acquire) != SET {
            return None;
        }
        self.place.with(|place| {
            // SAFETY: the state was seen SET with an acquire, so by invariant 2 the place was
            // written before, and is only read from then on.
            unsafe { &*place }.as_ref()
        })
    }
}

impl Wake for Listener {
    #[inline]
    fn wake(&self) {
        self.tell(|listener| listener.wake());
    }

    fn catch_up(&self) {
        self.tell(|listener| listener.catch_up());
    }

    #[inline]
    fn wake_for_item(&self) {
        self.tell(|listener| listener.wake_for_item());
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_set = self.state.load(Ordering::Relaxed) == SET;
        f.debug_struct("Listener").field("is_set", &is_set).finish_non_exhaustive()
    }
}
