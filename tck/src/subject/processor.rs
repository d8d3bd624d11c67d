//! What is judged as a processor: something that makes processors, and the same without types.

use reactive_streams::{BoxPublisher, BoxSubscriber, Processor};

use super::declared::ProcessorCapabilities;
use crate::play::stage::Drive;

/// Makes the processors that are judged: those that send what they receive, unchanged.
///
/// # Examples
///
/// A pair of ends that does nothing but pass on:
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use reactive_streams::{BoxSubscriber, Error, Processor, Publisher, Subscriber, Subscription};
/// use reactive_streams_tck::{Overrides, ProcessorSubject, Subject};
///
/// # struct Identity;
/// # struct Front(Arc<Shared>, bool);
/// # struct Back(Arc<Shared>);
/// # #[derive(Default)]
/// # struct Shared(Mutex<State>);
/// # #[derive(Default)]
/// # struct State {
/// #     upstream: Option<Arc<dyn Subscription>>,
/// #     downstream: Option<BoxSubscriber<u64>>,
/// #     end: Option<Option<Error>>, early: u64, canceled: bool }
/// # impl Shared {
/// #     fn end(&self, end: Option<Error>) {
/// #         let mut state = self.0.lock().unwrap();
/// #         let Some(downstream) = state.downstream.take() else {
/// #             state.end = Some(end);
/// #             return;
/// #         };
/// #         drop(state);
/// #         match end { Some(error) => downstream.on_error(error),
/// #             None => downstream.on_complete() }
/// #     }
/// # }
/// # impl Subscription for Shared {
/// #     fn request(&self, n: u64) {
/// #         let mut state = self.0.lock().unwrap();
/// #         if state.canceled { return }
/// #         match state.upstream.clone() {
/// #             Some(upstream) => { drop(state); upstream.request(n) }
/// #             None => state.early += n,
/// #         }
/// #     }
/// #     fn cancel(&self) {
/// #         let mut state = self.0.lock().unwrap();
/// #         state.canceled = true;
/// #         let gone = (state.downstream.take(), state.upstream.take());
/// #         drop(state);
/// #         if let Some(upstream) = gone.1 { upstream.cancel() }
/// #     }
/// # }
/// # impl Subscriber<u64> for Front {
/// #     fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
/// #         let mut state = self.0.0.lock().unwrap();
/// #         if self.1 || state.canceled { drop(state); return subscription.cancel() }
/// #         self.1 = true;
/// #         state.upstream = Some(Arc::clone(&subscription));
/// #         let early = std::mem::take(&mut state.early);
/// #         drop(state);
/// #         if early > 0 { subscription.request(early) }
/// #     }
/// #     fn on_next(&mut self, item: u64) {
/// #         let downstream = self.0.0.lock().unwrap().downstream.take();
/// #         let Some(mut downstream) = downstream else { return };
/// #         downstream.on_next(item);
/// #         let mut state = self.0.0.lock().unwrap();
/// #         if !state.canceled { state.downstream = Some(downstream) }
/// #     }
/// #     fn on_error(self, error: Error) {
/// #         self.0.0.lock().unwrap().upstream = None; self.0.end(Some(error)) }
/// #     fn on_complete(self) { self.0.0.lock().unwrap().upstream = None; self.0.end(None) }
/// # }
/// # impl Publisher for Back {
/// #     type Item = u64;
/// #     fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
/// #         let mut subscriber = BoxSubscriber::new(subscriber);
/// #         subscriber.on_subscribe(Arc::clone(&self.0) as Arc<dyn Subscription>);
/// #         let mut state = self.0.0.lock().unwrap();
/// #         let end = state.end.take();
/// #         if !state.canceled { state.downstream = Some(subscriber) }
/// #         drop(state);
/// #         if let Some(end) = end { self.0.end(end) }
/// #     }
/// # }
/// # impl Processor<u64> for Identity {
/// #     type Item = u64;
/// #     type Subscriber = Front;
/// #     type Publisher = Back;
/// #     fn split(self) -> (Front, Back) {
/// #         let shared = Arc::<Shared>::default();
/// #         (Front(Arc::clone(&shared), false), Back(shared))
/// #     }
/// # }
/// struct Identities;
///
/// impl ProcessorSubject for Identities {
///     type Item = u64;
///     type Processor = Identity;
///     fn create_processor(&self, _buffer: usize) -> Identity {
///         Identity
///     }
///     fn create_element(&self, i: u64) -> u64 {
///         i
///     }
///     fn identify(&self, item: &u64) -> Option<u64> {
///         Some(*item)
///     }
/// }
///
/// let subject = Subject::processor("identity", Identities);
/// let outcome = subject.run("rule_4_1_items_pass_once_and_in_order", Overrides::default());
/// assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
/// ```
pub trait ProcessorSubject: Send + Sync + 'static {
    /// What comes in and goes out.
    type Item: Send + 'static;
    /// What they go through.
    type Processor: Processor<Self::Item, Item = Self::Item, Publisher: Send + 'static>;

    /// A processor that holds `buffer` items at most.
    fn create_processor(&self, buffer: usize) -> Self::Processor;

    /// The subscriber end and `k` publisher ends of one processor, if it can serve so many
    /// subscribers.
    fn create_shared_processor(&self, buffer: usize, k: usize) -> Option<Ends<Self::Item>> {
        let _unused = (buffer, k);
        None
    }

    /// The item of number `i`.
    fn create_element(&self, i: u64) -> Self::Item;

    /// A number by which items are told apart, so that their order can be judged.
    fn identify(&self, item: &Self::Item) -> Option<u64> {
        let _unused = item;
        None
    }

    /// Runs the work that the processors have pending, if it runs when it is driven.
    fn drive(&self) -> Option<Drive> {
        None
    }

    /// What the processors declare.
    fn capabilities(&self) -> ProcessorCapabilities {
        ProcessorCapabilities::new()
    }
}

/// The ends of one processor: the one that receives, and those that send.
pub type Ends<T> = (BoxSubscriber<T>, Vec<BoxPublisher<T>>);

/// A closure that makes processors of numbers.
pub(crate) struct Closure<F> {
    pub(crate) create: F,
    pub(crate) capabilities: ProcessorCapabilities,
}

impl<F, P> ProcessorSubject for Closure<F>
where
    F: Fn(usize) -> P + Send + Sync + 'static,
    P: Processor<u64, Item = u64, Publisher: Send + 'static>,
{
    type Item = u64;
    type Processor = P;

    fn create_processor(&self, buffer: usize) -> P {
        (self.create)(buffer)
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn capabilities(&self) -> ProcessorCapabilities {
        self.capabilities
    }
}
