//! Shared: an operator whose items are flows that go on when it is canceled.
//!
//! A gate whose subscriber withdraws lets go of its source at once.
//! Here the source has to stay for as long as one of the flows that were handed out needs it.
//! So the gate's own subscriber is a relay, which never withdraws: when the downstream does, the
//! relay lets go of it, and the gate runs on for the flows alone, until they are done.

use std::sync::{Arc, Weak};

use millstream_kernel::{End, Gate, Inline, Pending, Source, Step, Wake, guard::muted};
use reactive_streams::{Error, Offer, Subscriber, Subscription};

/// What hands out flows, and fills them.
pub(crate) trait Flows: Send + 'static {
    /// What is handed out.
    type Flow;

    /// The next flow. Called only while there is demand.
    fn next(&mut self) -> Step<Self::Flow>;

    /// Fills the flows that were handed out: at the beginning of a turn and after each wake-up.
    /// `is_last`: no others will be asked for, so that the source is canceled before the last of
    /// them ends.
    fn advance(&mut self, is_last: bool);

    /// How the source has ended, if all that it gave is in a flow.
    fn end(&mut self) -> Option<End>;

    /// Whether somebody may still take items of a flow that was handed out and has not ended.
    fn is_needed(&self) -> bool;

    /// Cancels the source; the flows that are open are dropped next, which fails them.
    fn cancel(&mut self);
}

/// The gate of an operator whose flows last.
pub(crate) type DeferredCancelGate<F, S> = Arc<Gate<DeferredCancel<F>, Relay<S>, Inline>>;

/// Subscribes `downstream` to the flows that `make` makes with a handle to the gate that they wake.
/// Gives that gate, for the source to wake as well.
pub(crate) fn start<F, S>(
    downstream: S,
    make: impl FnOnce(Weak<dyn Wake>) -> F,
) -> DeferredCancelGate<F, S>
where
    F: Flows,
    S: Subscriber<F::Flow>,
{
    Gate::start_with(|gate: &Weak<Gate<_, _, _>>| {
        let cancels = Arc::new(Pending::new());
        let gate: Weak<dyn Wake> = Weak::clone(gate) as _;
        let relay = Relay { downstream: Some(downstream), cancels: Arc::clone(&cancels) };
        (DeferredCancel { flows: make(gate), cancels, has_left: false }, relay, Inline)
    })
}

/// The gate's source: flows, and then once `None`, when the downstream has withdrawn.
pub(crate) struct DeferredCancel<F> {
    flows: F,
    /// Cancels by the downstream.
    cancels: Arc<Pending>,
    /// Whether the relay was told to let go of it.
    has_left: bool,
}

impl<F: Flows> Source for DeferredCancel<F> {
    type Item = Option<F::Flow>;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<Option<F::Flow>> {
        if !self.cancels.is_pending() {
            return match self.flows.next() {
                Step::Item(flow) => Step::Item(Some(flow)),
                Step::Pending => Step::Pending,
                Step::End(end) => Step::End(end),
            };
        }
        if !self.flows.is_needed() {
            self.flows.cancel();
            return Step::End(End::Complete);
        }
        if !self.has_left {
            self.has_left = true;
            return Step::Item(None);
        }
        Step::Pending
    }

    fn advance(&mut self) {
        self.flows.advance(self.cancels.is_pending());
    }

    fn end(&mut self) -> Option<End> {
        self.flows.end()
    }

    fn cancel(&mut self) {
        self.flows.cancel();
    }
}

/// The gate's subscriber.
pub(crate) struct Relay<S> {
    /// `None` when it has withdrawn.
    downstream: Option<S>,
    cancels: Arc<Pending>,
}

impl<F, S: Subscriber<F>> Subscriber<Option<F>> for Relay<S> {
    fn on_subscribe(&mut self, gate: Arc<dyn Subscription>) {
        if let Some(downstream) = &mut self.downstream {
            let cancels = Arc::clone(&self.cancels);
            downstream.on_subscribe(Arc::new(Withdrawable { gate, cancels }));
        }
    }

    fn on_next(&mut self, flow: Option<F>) {
        let _used = self.offer(flow);
    }

    fn offer(&mut self, flow: Option<F>) -> Offer {
        match (flow, &mut self.downstream) {
            (Some(flow), Some(downstream)) => {
                let offer = downstream.offer(flow);
                if offer != Offer::Finished {
                    return offer;
                }
                // It stays until the source has let go, or goes on for others: its drop may tell of
                // an end.
                let _is_first = self.cancels.add(1);
            }
            _ => muted(|| drop(self.downstream.take())),
        }
        // Without a downstream no demand is used, so that the source is asked until it ends.
        Offer::Skipped
    }

    fn on_error(self, error: Error) {
        if let Some(downstream) = self.downstream
            && !self.cancels.is_pending()
        {
            downstream.on_error(error);
        }
    }

    fn on_complete(self) {
        if let Some(downstream) = self.downstream
            && !self.cancels.is_pending()
        {
            downstream.on_complete();
        }
    }
}

/// The downstream's subscription: its cancel is not one of the gate.
struct Withdrawable {
    gate: Arc<dyn Subscription>,
    cancels: Arc<Pending>,
}

impl Subscription for Withdrawable {
    fn request(&self, n: u64) {
        if !self.cancels.is_pending() {
            self.gate.request(n);
        }
    }

    fn cancel(&self) {
        if self.cancels.add(1) {
            // The gate asks its source before it stops, and the source finds the cancel.
            self.gate.request(1);
        }
    }
}
