//! `scan_async`, `fold_async`: a state that futures change, one after the other.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Flow, Outcome,
    parts::{
        inlet::{Inlet, inlet},
        terminal,
    },
    scheduler::{self, GateWaker, OnWorker, Scheduler, Worker},
};

impl<P: Publisher> Flow<P> {
    /// Turns each item into the output of a future, which has the state, and gives it back.
    ///
    /// One future runs at a time, on the [ambient](scheduler::ambient) scheduler, while an output
    /// is asked for. Its output is the state for the next item, and what is passed on.
    /// For futures that may fail, see
    /// [`flatten_results`](Self::flatten_results).
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: then the source is asked for one item, and for
    /// another whenever one was taken, so that one waits while a future runs.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last output; fails with the source, after the outputs of
    /// the items before. A cancel drops the future that runs.
    /// If a future or `f` panics, fails with an error of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let totals = millstream::range(1..=3).scan_async(0, |sum, n| async move {
    ///     let sum = sum + n;
    ///     (sum, format!("{n} of {sum}"))
    /// });
    /// assert_eq!(totals.collect::<Vec<_>>().wait()?, ["1 of 1", "2 of 3", "3 of 6"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn scan_async<U, A, F, Fut>(self, state: A, f: F) -> Flow<ScanAsync<P, A, F>>
    where
        A: Send + 'static,
        F: FnMut(A, P::Item) -> Fut + Send + 'static,
        Fut: Future<Output = (A, U)> + Send + 'static,
    {
        self.scan_async_on(&scheduler::ambient(), state, f)
    }

    /// [`scan_async`](Self::scan_async) on a worker of `scheduler`.
    ///
    /// # Demand
    ///
    /// As [`scan_async`](Self::scan_async).
    ///
    /// # Termination
    ///
    /// As [`scan_async`](Self::scan_async); fails with an error of kind `Rejected` if the scheduler
    /// was shut down.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::Pool;
    ///
    /// let n = millstream::range(0..9)
    ///     .scan_async_on(&Pool::new(1), 0, |sum, n| async move { (sum + n, sum) })
    ///     .last()
    ///     .wait()?;
    /// assert_eq!(n, Some(28));
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn scan_async_on<U, A, F, Fut>(
        self,
        scheduler: &impl Scheduler,
        state: A,
        f: F,
    ) -> Flow<ScanAsync<P, A, F>>
    where
        A: Send + 'static,
        F: FnMut(A, P::Item) -> Fut + Send + 'static,
        Fut: Future<Output = (A, U)> + Send + 'static,
    {
        let worker = scheduler.worker();
        Flow { source: ScanAsync { source: self.source, state, f, worker } }
    }

    /// Runs the flow and combines its items into one value by futures, one after the other,
    /// starting with `init`.
    ///
    /// # Demand
    ///
    /// One item at a time: the next is asked for when the future of the one before has taken it, so
    /// that one waits.
    ///
    /// # Termination
    ///
    /// The outcome is the value when the flow and the last future complete, and the flow's error
    /// when it fails. If a future or `f` panics, the flow is canceled, and the outcome is an error
    /// of kind `Panicked`.
    ///
    /// # Examples
    ///
    /// ```
    /// let sum = millstream::range(1..=3).fold_async(0, |sum, n| async move { sum + n }).wait()?;
    /// assert_eq!(sum, 6);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    pub fn fold_async<A, F, Fut>(self, init: A, mut f: F) -> Outcome<A>
    where
        P::Item: Send + 'static,
        A: Send + 'static,
        F: FnMut(A, P::Item) -> Fut + Send + 'static,
        Fut: Future<Output = A> + Send + 'static,
    {
        let worker = scheduler::ambient().worker();
        let steps = move |state, item| {
            let future = f(state, item);
            async move { (future.await, ()) }
        };
        let states = States { source: self.source, state: init, f: steps, worker };
        terminal::run(
            states,
            None,
            |value: &mut Option<A>, state| {
                *value = Some(state);
                std::ops::ControlFlow::Continue(())
            },
            |value| value.take().ok_or_else(lost),
        )
    }
}

/// The publisher has completed without the state, which it does not.
fn lost() -> Error {
    Error::new(ErrorKind::Disconnected, "the state was lost")
}

/// Publisher returned by [`Flow::scan_async`] and [`Flow::scan_async_on`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct ScanAsync<P, A, F> {
    source: P,
    state: A,
    f: F,
    worker: Worker,
}

impl<P, U, A, F, Fut> Publisher for ScanAsync<P, A, F>
where
    P: Publisher<Item: Send + 'static>,
    A: Send + 'static,
    F: FnMut(A, P::Item) -> Fut + Send + 'static,
    U: 'static,
    Fut: Future<Output = (A, U)> + Send + 'static,
{
    type Item = U;

    fn subscribe<S: Subscriber<U>>(self, downstream: S) {
        let Self { source, state, f, worker } = self;
        subscribe::<_, Each, _, _, _, _, _>(source, state, f, worker, downstream);
    }
}

opaque_debug!(ScanAsync<P, A, F>);
// One that waits, and one in the future.
backpressure!(ScanAsync<P, A, F>, Queue, |_this| 2_usize);

/// The last state alone, for [`Flow::fold_async`].
struct States<P, A, F> {
    source: P,
    state: A,
    f: F,
    worker: Worker,
}

impl<P, A, F, Fut> Publisher for States<P, A, F>
where
    P: Publisher<Item: Send + 'static>,
    A: Send + 'static,
    F: FnMut(A, P::Item) -> Fut + Send + 'static,
    Fut: Future<Output = (A, ())> + Send + 'static,
{
    type Item = A;

    fn subscribe<S: Subscriber<A>>(self, downstream: S) {
        let Self { source, state, f, worker } = self;
        subscribe::<_, Last, _, _, _, _, _>(source, state, f, worker, downstream);
    }
}

/// What is passed on.
trait Emit<A, U>: Send + 'static {
    type Item;

    /// Whether something may follow the last output.
    const HAS_LAST: bool;

    fn of(output: U) -> Option<Self::Item>;

    fn last(state: A) -> Option<Self::Item>;
}

/// Each output.
struct Each;

impl<A, U> Emit<A, U> for Each {
    type Item = U;
    const HAS_LAST: bool = false;

    fn of(output: U) -> Option<U> {
        Some(output)
    }

    fn last(_: A) -> Option<U> {
        None
    }
}

/// The last state.
struct Last;

impl<A> Emit<A, ()> for Last {
    type Item = A;
    const HAS_LAST: bool = true;

    fn of((): ()) -> Option<A> {
        None
    }

    fn last(state: A) -> Option<A> {
        Some(state)
    }
}

fn subscribe<P, M, U, A, F, Fut, S>(publisher: P, state: A, f: F, worker: Worker, downstream: S)
where
    P: Publisher<Item: Send + 'static>,
    M: Emit<A, U>,
    U: 'static,
    A: Send + 'static,
    F: FnMut(A, P::Item) -> Fut + Send + 'static,
    Fut: Future<Output = (A, U)> + Send + 'static,
    S: Subscriber<M::Item>,
{
    let (entrance, inlet) = inlet(1);
    let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
        let source = ScanAsyncSource {
            inlet,
            f,
            state: Some(state),
            future: Box::pin(None),
            waker: Waker::from(Arc::new(GateWaker::new(Weak::clone(gate)))),
            is_over: false,
            emit: PhantomData::<fn() -> M>,
        };
        (source, downstream, OnWorker::new(worker, Weak::clone(gate)))
    });
    publisher.subscribe(entrance.subscriber(Arc::clone(&gate)));
}

struct ScanAsyncSource<T, A, F, Fut, M> {
    inlet: Inlet<T>,
    f: F,
    /// `None` while a future has it.
    state: Option<A>,
    /// Its place is allocated once.
    future: Pin<Box<Option<Fut>>>,
    waker: Waker,
    /// Whether the last state was passed on.
    is_over: bool,
    emit: PhantomData<fn() -> M>,
}

impl<T, U, A, F, Fut, M> Source for ScanAsyncSource<T, A, F, Fut, M>
where
    T: Send + 'static,
    U: 'static,
    A: Send + 'static,
    F: FnMut(A, T) -> Fut + Send + 'static,
    Fut: Future<Output = (A, U)> + Send + 'static,
    M: Emit<A, U>,
{
    type Item = M::Item;
    const IS_WOKEN: bool = true;
    // A poll may take long.
    const CHUNK: u64 = 8;

    fn next(&mut self) -> Step<M::Item> {
        loop {
            if let Some(running) = self.future.as_mut().as_pin_mut() {
                let Poll::Ready((state, output)) =
                    running.poll(&mut Context::from_waker(&self.waker))
                else {
                    return Step::Pending;
                };
                self.future.set(None);
                self.state = Some(state);
                if let Some(item) = M::of(output) {
                    return Step::Item(item);
                }
            }
            if self.is_over {
                return Step::End(End::Complete);
            }
            match self.inlet.next() {
                Step::Item(item) => {
                    let Some(state) = self.state.take() else { return Step::Pending };
                    self.future.set(Some((self.f)(state, item)));
                }
                Step::Pending => return Step::Pending,
                Step::End(End::Complete) => {
                    self.is_over = true;
                    if let Some(last) = self.state.take().and_then(M::last) {
                        return Step::Item(last);
                    }
                }
                Step::End(failed) => return Step::End(failed),
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if self.future.is_some() {
            return None;
        }
        if self.is_over {
            return Some(End::Complete);
        }
        if M::HAS_LAST { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
    }
}
