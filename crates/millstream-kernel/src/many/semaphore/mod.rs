//! Places for items, a bound for them, and tasks that wait for one.
//!
//! A producer takes a place before it pushes an item, and the consumer frees it when it has popped
//! the item. A task that finds none waits in a line; a place that is freed while tasks wait is handed
//! to the first of them, so that none is overtaken. Taking and freeing are one read-modify-write each
//! while nobody waits; the lock is for waiting alone. One who takes all items leaves by an [`Exit`],
//! which costs less.
//!
//! # States
//!
//! ```text
//!                  take                                  wait
//!   ┌───────────┐ ──────▶ ┌───────────────┐ ──────▶ ┌────────────────┐ ⟲ free: handed to the first
//!   │ n < bound │         │   n = bound   │         │ n = bound,     │ ⟲ wait
//!   └───────────┘ ◀────── └───────────────┘ ◀────── │        WAITING │
//!                  free            the last leaves  └────────────────┘
//!
//!   CLOSED is added in every state, and kept: no place is taken or handed on afterwards.
//! ```
//!
//! # Invariants
//!
//! 1. The word's count is the number of places that are taken, and at most the bound. It may be more
//!    than that by those that the exit has left and that nobody has collected.
//! 2. WAITING is set exactly when a task is in the line, except under the lock, under which alone it
//!    changes; and then the count is the bound.
//! 3. A place that is handed on stays counted; a waiting task that goes away with one frees it.
//! 4. What was done before a place was freed is seen by whoever takes it next: by the word's release
//!    and acquire, or by the lock.
//! 5. A task that looks and then waits misses nothing: it enters the line by a compare-exchange that
//!    fails if the word has changed since, under the lock that handing on and closing take as well.
//! 6. Wakers are the user's code: under the lock they are moved, and not cloned, woken or dropped.

mod release;

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crossbeam_utils::CachePadded;

pub use self::release::Exit;
use crate::sync::{AtomicU64, Mutex, Ordering, fence};

/// No more places.
const CLOSED: u64 = 1 << 63;
/// Tasks are in the line.
const WAITING: u64 = 1 << 62;
/// The bits of the count.
const TAKEN: u64 = WAITING - 1;

/// A bounded number of places. The file's header has the rest.
pub struct Room {
    word: AtomicU64,
    bound: u64,
    tasks: Mutex<Tasks>,
    /// How many have left by the exit.
    left: CachePadded<AtomicU64>,
    /// Of how many of them the places were freed or handed on.
    n_collected: AtomicU64,
}

/// The tasks that wait, for a place or for the end.
struct Tasks {
    entries: Vec<Option<Entry>>,
    vacant: Vec<usize>,
    /// Those that wait for a place, the first at the front.
    line: VecDeque<usize>,
}

struct Entry {
    /// Taken by whoever wakes.
    waker: Option<Waker>,
    /// A place was handed over.
    is_served: bool,
}

/// What became of an attempt to take a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a place that was taken has to be filled or freed"]
pub enum Take {
    /// The caller has a place now.
    Taken,
    /// All places are taken.
    Full,
    /// There will be none.
    Closed,
}

/// A task's stay in the line, which it leaves by the drop of this.
#[must_use = "nothing waits unless polled"]
pub struct Waiting<'a> {
    room: &'a Room,
    entry: Option<usize>,
}

impl Room {
    /// `bound` places, all free.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        let tasks = Tasks { entries: Vec::new(), vacant: Vec::new(), line: VecDeque::new() };
        Self {
            word: AtomicU64::new(0),
            bound: bound as u64,
            tasks: Mutex::new(tasks),
            left: CachePadded::new(AtomicU64::new(0)),
            n_collected: AtomicU64::new(0),
        }
    }

    /// `bound` places, all free, and the way out for the one who takes all items.
    #[must_use]
    pub fn with_exit(bound: usize) -> (Arc<Self>, Exit) {
        let room = Arc::new(Self::new(bound));
        let exit = Exit::new(&room);
        (room, exit)
    }

    /// Takes a place, if one is free.
    #[inline]
    pub fn take(&self) -> Take {
        loop {
            match self.take_counted() {
                // Some may have left.
                Take::Full if self.collect() => {}
                take => return take,
            }
        }
    }

    /// Takes a place, if the word has one.
    #[inline]
    fn take_counted(&self) -> Take {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Take::Closed;
            }
            if word & TAKEN == self.bound {
                return Take::Full;
            }
            // By invariant 2 nobody waits. Acquire: invariant 4.
            match self.word.compare_exchange_weak(
                word,
                word + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Take::Taken,
                Err(current) => word = current,
            }
        }
    }

    /// Frees a place, or hands it to the first that waits.
    #[inline]
    pub fn free(&self) {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & WAITING == 0 {
            // Release: invariant 4.
            match self.word.compare_exchange_weak(
                word,
                word - 1,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(current) => word = current,
            }
        }
        self.hand_on();
    }

    #[cold]
    fn hand_on(&self) {
        let waker = {
            let mut tasks = self.tasks.lock();
            match tasks.line.pop_front() {
                Some(first) => {
                    self.settle(&tasks);
                    tasks.serve(first)
                }
                None => {
                    // The last one left meanwhile. Release: invariant 4.
                    self.word.fetch_sub(1, Ordering::Release);
                    None
                }
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes WAITING back if nobody is left in the line. The caller has the lock.
    fn settle(&self, tasks: &Tasks) {
        if tasks.line.is_empty() {
            // Relaxed: the lock orders the line, and the count is not touched.
            self.word.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }

    /// Closes the room, and wakes everybody who waits. Whether it was open.
    pub fn close(&self) -> bool {
        // AcqRel: what was done before is seen by whoever finds the room closed.
        if self.word.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED != 0 {
            return false;
        }
        let wakers: Vec<Waker> = {
            let mut tasks = self.tasks.lock();
            let entries = tasks.entries.iter_mut().flatten();
            entries.filter_map(|entry| entry.waker.take()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    /// Whether the room was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with the release in `close`.
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// How many places are taken.
    #[must_use]
    pub fn n_taken(&self) -> usize {
        self.n_occupied() as usize
    }

    /// A task that may wait.
    pub fn wait(&self) -> Waiting<'_> {
        Waiting { room: self, entry: None }
    }

    /// Enters the line unless the word allows an answer. The caller has the lock.
    fn queue_up(&self) -> Take {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let (answer, next) = if word & CLOSED != 0 {
                return Take::Closed;
            } else if word & TAKEN == self.bound {
                (Take::Full, word | WAITING)
            } else {
                (Take::Taken, word + 1)
            };
            // Acquire: invariant 4.
            match self.word.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return answer,
                Err(current) => word = current,
            }
        }
    }
}

impl Tasks {
    fn insert(&mut self, waker: Option<Waker>) -> usize {
        let entry = Some(Entry { waker, is_served: false });
        if let Some(index) = self.vacant.pop() {
            self.entries[index] = entry;
            return index;
        }
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// A place is the task's. Who is to be woken.
    fn serve(&mut self, index: usize) -> Option<Waker> {
        self.entries[index].as_mut().and_then(|entry| {
            entry.is_served = true;
            entry.waker.take()
        })
    }

    /// Leaves `waker` with the task, and the one before in its place.
    fn renew(&mut self, index: usize, waker: &mut Option<Waker>) {
        if let Some(entry) = &mut self.entries[index] {
            std::mem::swap(&mut entry.waker, waker);
        }
    }

    fn remove(&mut self, index: usize) -> Option<Entry> {
        self.vacant.push(index);
        self.entries[index].take()
    }
}

impl Waiting<'_> {
    /// Waits for a place. Whether there is one; if not, the room is closed.
    pub fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.room.is_closed() {
            return Poll::Ready(false);
        }
        if self.entry.is_none() && self.room.take() == Take::Taken {
            return Poll::Ready(true);
        }
        let mut waker = Some(cx.waker().clone());
        let mut removed = None;
        let mut tasks = self.room.tasks.lock();
        let answer = match self.entry {
            None => match self.room.queue_up() {
                Take::Taken => Poll::Ready(true),
                Take::Closed => Poll::Ready(false),
                Take::Full => {
                    let index = tasks.insert(waker.take());
                    self.entry = Some(index);
                    tasks.line.push_back(index);
                    Poll::Pending
                }
            },
            Some(index) if tasks.entries[index].as_ref().is_some_and(|entry| entry.is_served) => {
                removed = tasks.remove(index);
                self.entry = None;
                Poll::Ready(true)
            }
            Some(index) => {
                tasks.renew(index, &mut waker);
                Poll::Pending
            }
        };
        // Invariant 6: dropped after the lock.
        drop(tasks);
        drop((waker, removed));
        if answer.is_pending() {
            // The exit's invariant 2: announced above. A place that is handed to this task wakes it.
            fence(Ordering::SeqCst);
            self.room.collect();
        }
        if answer.is_pending() && self.room.is_closed() {
            // Invariant 5: whoever closes takes the lock after it has closed.
            return Poll::Ready(false);
        }
        answer
    }

    /// Waits until the room is closed.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.room.is_closed() {
            return Poll::Ready(());
        }
        let mut waker = Some(cx.waker().clone());
        let mut tasks = self.room.tasks.lock();
        match self.entry {
            None => self.entry = Some(tasks.insert(waker.take())),
            Some(index) => tasks.renew(index, &mut waker),
        }
        drop(tasks);
        drop(waker);
        // Invariant 5: whoever closes takes the lock after it has closed.
        match self.room.is_closed() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(index) = self.entry.take() else { return };
        let removed = {
            let mut tasks = self.room.tasks.lock();
            let n_before = tasks.line.len();
            tasks.line.retain(|&waiting| waiting != index);
            if tasks.line.len() < n_before {
                self.room.settle(&tasks);
            }
            tasks.remove(index)
        };
        // Invariant 3: a place that nobody fills.
        if removed.is_some_and(|entry| entry.is_served) {
            self.room.free();
        }
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("n_taken", &self.n_taken())
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}
