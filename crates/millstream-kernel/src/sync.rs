//! The one place that chooses between `std`, `loom` and `shuttle`.
//!
//! Every other file of this crate takes its atomics, cells and locks from here; `tidy` rejects a
//! direct use. `Arc` is always `std`'s, because a `Subscription` travels as `Arc<dyn Subscription>`
//! and loom's cannot be unsized; what loom's would add, leak checks, the models do by counting
//! drops.
//!
//! loom explores this crate's parts exhaustively and knows memory orders; shuttle tries whole
//! pipelines under random schedules and takes every access as sequentially consistent.

#[cfg(millstream_loom)]
pub use loom::{
    cell::UnsafeCell,
    future::AtomicWaker,
    sync::MutexGuard,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    thread,
};

#[cfg(millstream_shuttle)]
pub use shuttle::{
    sync::MutexGuard,
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    thread,
};

#[cfg(not(any(millstream_loom, millstream_shuttle)))]
pub use atomic_waker::AtomicWaker;
#[cfg(not(any(millstream_loom, millstream_shuttle)))]
pub use parking_lot::{Mutex, MutexGuard};
#[cfg(not(any(millstream_loom, millstream_shuttle)))]
pub use std::{
    sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
    thread,
};

#[cfg(millstream_loom)]
use loom::sync as modeled;
#[cfg(millstream_shuttle)]
use shuttle::sync as modeled;

/// loom's or shuttle's mutex with parking_lot's face: no poisoning.
#[cfg(any(millstream_loom, millstream_shuttle))]
#[derive(Debug)]
pub struct Mutex<T>(modeled::Mutex<T>);

#[cfg(any(millstream_loom, millstream_shuttle))]
impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(modeled::Mutex::new(value))
    }

    pub fn lock(&self) -> modeled::MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What `atomic-waker` promises, over shuttle's mutex: shuttle has none of its own.
#[cfg(millstream_shuttle)]
#[derive(Debug)]
pub struct AtomicWaker(Mutex<Option<std::task::Waker>>);

#[cfg(millstream_shuttle)]
impl AtomicWaker {
    pub fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub fn register(&self, waker: &std::task::Waker) {
        let before = self.0.lock().replace(waker.clone());
        drop(before);
    }

    pub fn wake(&self) {
        let waker = self.0.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(millstream_shuttle)]
impl Default for AtomicWaker {
    fn default() -> Self {
        Self::new()
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

/// A variable of each thread's own.
#[cfg(not(any(millstream_loom, millstream_shuttle)))]
macro_rules! local {
    (static $name:ident: $type:ty = $value:expr) => {
        std::thread_local!(static $name: $type = const { $value });
    };
}
/// A variable of each modeled thread's own: those share real threads.
#[cfg(millstream_loom)]
macro_rules! local {
    (static $name:ident: $type:ty = $value:expr) => {
        loom::thread_local!(static $name: $type = $value);
    };
}
/// A variable of each modeled thread's own: those share real threads.
#[cfg(millstream_shuttle)]
macro_rules! local {
    (static $name:ident: $type:ty = $value:expr) => {
        shuttle::thread_local!(static $name: $type = $value);
    };
}
pub(crate) use local;

/// A number that no other running thread has, and never 0.
#[inline(always)]
pub fn thread_token() -> usize {
    #[cfg(not(any(millstream_loom, millstream_shuttle)))]
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
    #[cfg(millstream_shuttle)]
    {
        // So do shuttle's, and they are numbered.
        usize::from(thread::current().id()) + 1
    }
}

/// The last value that was stored, for whoever is alone with a part that is dropped.
#[inline(always)]
pub fn last_value(atomic: &mut AtomicU64) -> u64 {
    #[cfg(not(any(millstream_loom, millstream_shuttle)))]
    {
        *atomic.get_mut()
    }
    #[cfg(any(millstream_loom, millstream_shuttle))]
    {
        // loom does not know that the last drop of an `Arc` comes after the others; a
        // read-modify-write sees the last value all the same.
        atomic.fetch_or(0, Ordering::AcqRel)
    }
}
