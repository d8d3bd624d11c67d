//! The one place that chooses between `std` and `loom`.
//!
//! Every other file of this crate takes its atomics, cells and locks from here; `tidy` rejects a
//! direct use. `Arc` is always `std`'s, because a `Subscription` travels as `Arc<dyn Subscription>`
//! and loom's cannot be unsized; what loom's would add, leak checks, the models do by counting drops.

#[cfg(millstream_loom)]
pub use loom::{
    cell::UnsafeCell,
    future::AtomicWaker,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    thread,
};

#[cfg(not(millstream_loom))]
pub use atomic_waker::AtomicWaker;
#[cfg(not(millstream_loom))]
pub use parking_lot::Mutex;
#[cfg(not(millstream_loom))]
pub use std::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    thread,
};

/// loom's mutex with parking_lot's face: no poisoning.
#[cfg(millstream_loom)]
#[derive(Debug)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(millstream_loom)]
impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// `std`'s cell with loom's face, so that loom can watch the accesses.
#[cfg(not(millstream_loom))]
#[derive(Debug, Default)]
pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(millstream_loom))]
impl<T> UnsafeCell<T> {
    pub const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// A number that no other running thread has, and never 0.
#[inline(always)]
pub fn thread_token() -> usize {
    #[cfg(not(millstream_loom))]
    {
        // The address of a thread's own variable tells it from all other living threads.
        std::thread_local!(static MARK: u8 = const { 0 });
        MARK.with(|mark| std::ptr::from_ref(mark).addr())
    }
    #[cfg(millstream_loom)]
    {
        // loom's threads share one real thread, so that they need loom's own variables.
        loom::thread_local!(static MARK: Box<u8> = Box::new(0));
        MARK.with(|mark| std::ptr::from_ref(&**mark).addr())
    }
}
