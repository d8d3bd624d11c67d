//! `admit`: holds items back until a policy lets them pass.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
};

use millstream::{
    Error, ErrorKind, Publisher, Subscriber,
    parts::{
        GateWaker,
        inlet::{Inlet, inlet},
    },
};
use millstream_kernel::{End, Gate, Inline, Source, Step};

use super::{Admit, Admitted};
use crate::{Class, Permit, Rejected};

/// Publisher returned by [`FlowExt::admit`](crate::FlowExt::admit).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Admitting<P, A, F> {
    source: P,
    policy: A,
    classify: F,
}

impl<P, A, F> Admitting<P, A, F> {
    pub(crate) fn new(source: P, policy: A, classify: F) -> Self {
        Self { source, policy, classify }
    }
}

impl<P, A, F> Publisher for Admitting<P, A, F>
where
    P: Publisher<Item: Send + 'static>,
    A: Admit,
    F: FnMut(&P::Item) -> Class + Send + 'static,
{
    type Item = Admitted<P::Item>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, policy, classify } = self;
        // One, so that no more is asked for than may pass.
        let (entrance, inlet) = inlet(1);
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            let waker = Waker::from(Arc::new(GateWaker::new(Weak::clone(gate))));
            let line = Line { policy, class: Class::default(), waiting: None, waker };
            (AdmitSource { inlet, classify, held: None, line }, downstream, Inline)
        });
        source.subscribe(entrance.subscriber(gate));
    }
}

millstream::opaque_debug!(Admitting<P, A, F>);
millstream::backpressure!(Admitting<P, A, F>, Queue, |_this| 1);

struct AdmitSource<T, A, F> {
    inlet: Inlet<T>,
    classify: F,
    /// The item that waits for its permit.
    held: Option<T>,
    line: Line<A>,
}

type Result<T> = std::result::Result<T, Rejected<()>>;

/// Where the item waits.
struct Line<A> {
    policy: A,
    class: Class,
    /// Made when there is something to wait for.
    waiting: Option<Pin<Box<dyn Future<Output = Result<Permit>> + Send>>>,
    waker: Waker,
}

impl<A: Admit> Line<A> {
    fn poll(&mut self) -> Poll<Result<Permit>> {
        let cx = &mut Context::from_waker(&self.waker);
        if let Some(waiting) = &mut self.waiting {
            let poll = waiting.as_mut().poll(cx);
            if poll.is_ready() {
                self.waiting = None;
            }
            return poll;
        }
        // One that gets its permit at once costs no allocation.
        let poll = pin!(self.policy.admit(self.class)).poll(cx);
        if poll.is_ready() {
            return poll;
        }
        let (policy, class) = (self.policy.clone(), self.class);
        let mut waiting = Box::pin(async move { policy.admit(class).await });
        let poll = waiting.as_mut().poll(cx);
        if poll.is_pending() {
            self.waiting = Some(waiting);
        }
        poll
    }
}

impl<T, A, F> Source for AdmitSource<T, A, F>
where
    T: Send + 'static,
    A: Admit,
    F: FnMut(&T) -> Class + Send + 'static,
{
    type Item = Admitted<T>;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Admitted<T>> {
        if self.held.is_none() {
            self.inlet.start();
            match self.inlet.take() {
                Step::Item(item) => {
                    self.line.class = (self.classify)(&item);
                    self.held = Some(item);
                }
                Step::Pending => return Step::Pending,
                Step::End(end) => return Step::End(end),
            }
        }
        match self.line.poll() {
            Poll::Pending => Step::Pending,
            Poll::Ready(Ok(permit)) => match self.held.take() {
                Some(item) => {
                    self.inlet.release(1);
                    Step::Item(Admitted { item, permit })
                }
                None => Step::Pending,
            },
            Poll::Ready(Err(rejected)) => {
                self.cancel();
                Step::End(End::Failed(Error::new(ErrorKind::Rejected, rejected.to_string())))
            }
        }
    }

    fn end(&mut self) -> Option<End> {
        if self.held.is_some() { None } else { self.inlet.end() }
    }

    fn cancel(&mut self) {
        self.inlet.cancel();
        // Gives up its place in the policy's line.
        self.line.waiting = None;
        self.held = None;
    }
}
