//! Lanes as a flow, fed by code or by other flows.

use std::sync::{Arc, Weak};

use millstream::{Backpressure, BackpressureKind, Bounded, Flow, Publisher, Subscriber};
use millstream_kernel::{End, Gate, Inline, Source, Step, Wake};
use parking_lot::Mutex;

use super::Lanes;
use crate::{
    InvalidSetting, Policy as _,
    queue::{Link, QueueSource, QueueSubscriber},
};

impl<T: Send + 'static> Lanes<T> {
    /// What is put into the lanes, as a flow. Several flows of the same lanes share the items.
    ///
    /// # Demand
    ///
    /// An item is taken when it is asked for, from the lane whose turn it is then.
    ///
    /// # Termination
    ///
    /// Completes when all lanes were closed and all items taken. After a cancel, what waits stays
    /// in the lanes.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::scheduler::VirtualTime;
    /// use millstream_pressure::{Lanes, LanesConfig};
    /// use millstream_testkit::Probe;
    ///
    /// let lanes = Lanes::new("work", LanesConfig::default(), &VirtualTime::new())?;
    /// let probe = Probe::subscribe_to(lanes.flow());
    /// lanes.lane(1).try_put("batch")?;
    /// lanes.lane(0).try_put("interactive")?;
    /// probe.request(2);
    /// assert_eq!(probe.items(), ["interactive", "batch"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flow(&self) -> Flow<FromLanes<T>> {
        FromLanes(self.clone()).into()
    }

    /// Merges a flow for each lane, in their order, by the lanes' weights and tiers.
    ///
    /// # Demand
    ///
    /// Each source is asked for what its lane has room for, or without bound if the queue of its
    /// lane drops or refuses items: a source whose lane is full waits, and no other does. Nothing
    /// is asked for before the downstream's first request. Items are taken as in
    /// [`flow`](Self::flow).
    ///
    /// # Termination
    ///
    /// Completes when all sources have, after their items. Fails with the first that fails, after
    /// the items of its lane, and cancels the others. A cancel cancels all sources. Items that are
    /// then left wait in the lanes.
    ///
    /// # Errors
    ///
    /// There are not as many sources as lanes.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{range, scheduler::VirtualTime};
    /// use millstream_pressure::{LaneConfig, Lanes, LanesConfig};
    ///
    /// let lanes = vec![LaneConfig::new("much", 3), LaneConfig::new("little", 1)];
    /// let config = LanesConfig { lanes, ..LanesConfig::default() };
    /// let lanes = Lanes::new("sources", config, &VirtualTime::new())?;
    /// let merged = lanes.merge([range(0..300), range(1_000..1_300)])?;
    /// let first: Vec<u64> = merged.take(100).collect().wait()?;
    /// assert_eq!(first.iter().filter(|&&n| n < 300).count(), 75);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn merge<P: Publisher<Item = T>>(
        &self,
        sources: impl IntoIterator<Item = P>,
    ) -> Result<Flow<MergedLanes<P>>, InvalidSetting> {
        let sources: Vec<P> = sources.into_iter().collect();
        let (n, rule) = (sources.len(), "as many as there are lanes");
        InvalidSetting::unless(n == self.0.queues.len(), "lanes", "merge", n, rule)?;
        Ok(MergedLanes { sources, lanes: self.clone() }.into())
    }

    fn max_items(&self) -> u64 {
        let configs = self.0.queues.iter().map(|queue| queue.config());
        configs.map(|config| config.max_capacity.unwrap_or(config.capacity) as u64).sum()
    }
}

/// Publisher returned by [`Lanes::flow`].
#[derive(Clone, Debug)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct FromLanes<T>(Lanes<T>);

impl<T: Send + 'static> Publisher for FromLanes<T> {
    type Item = T;

    fn subscribe<S: Subscriber<T>>(self, downstream: S) {
        let links: Vec<Arc<Link>> = self.0.0.queues.iter().map(|_| Link::unfed()).collect();
        let _gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            (LanesSource::new(self.0, &links, None, gate), downstream, Inline)
        });
    }
}

impl<T: Send + 'static> Backpressure for FromLanes<T> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        self.0.max_items()
    }
}

impl<T: Send + 'static> Bounded for FromLanes<T> {}

/// Publisher returned by [`Lanes::merge`].
#[must_use = "publishers do nothing until subscribed to"]
pub struct MergedLanes<P: Publisher> {
    sources: Vec<P>,
    lanes: Lanes<P::Item>,
}

impl<P: Publisher<Item: Send + 'static>> Publisher for MergedLanes<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { sources, lanes } = self;
        let links: Vec<Arc<Link>> = sources.iter().map(|_| Link::unfed()).collect();
        let all_are_here = Arc::new(Mutex::new(false));
        let start = Some(Arc::clone(&all_are_here));
        let gate = Gate::start_with(|gate: &Weak<Gate<_, S, _>>| {
            (LanesSource::new(lanes.clone(), &links, start, gate), downstream, Inline)
        });
        for ((source, link), queue) in sources.into_iter().zip(&links).zip(&lanes.0.queues) {
            source.subscribe(QueueSubscriber::new(queue, Arc::clone(link), Arc::clone(&gate)));
        }
        // None is asked before all are here, or the first would be served alone until then.
        links.iter().for_each(|link| link.feed());
        *all_are_here.lock() = true;
        gate.wake();
    }
}

impl<P: Publisher + Clone> Clone for MergedLanes<P> {
    fn clone(&self) -> Self {
        Self { sources: self.sources.clone(), lanes: self.lanes.clone() }
    }
}

impl<P: Publisher> std::fmt::Debug for MergedLanes<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MergedLanes").field("lanes", &self.lanes).finish_non_exhaustive()
    }
}

impl<P: Publisher<Item: Send + 'static> + Backpressure> Backpressure for MergedLanes<P> {
    const KIND: BackpressureKind = BackpressureKind::Queue;

    fn max_in_flight(&self) -> u64 {
        let sources = self.sources.iter().map(Backpressure::max_in_flight);
        sources.fold(self.lanes.max_items(), u64::saturating_add)
    }
}

impl<P: Publisher<Item: Send + 'static> + Bounded> Bounded for MergedLanes<P> {}

/// Takes from the lanes for the downstream.
struct LanesSource<T: Send + 'static> {
    lanes: Lanes<T>,
    /// One for each lane; none for those that are over.
    sources: Vec<Option<QueueSource<T>>>,
    /// Whether all sources have been subscribed to; `None` when they have been asked, or there are
    /// none.
    start: Option<Arc<Mutex<bool>>>,
}

impl<T: Send + 'static> LanesSource<T> {
    fn new(
        lanes: Lanes<T>,
        links: &[Arc<Link>],
        start: Option<Arc<Mutex<bool>>>,
        gate: &Weak<impl Wake + 'static>,
    ) -> Self {
        let queues = lanes.0.queues.iter().zip(links);
        let sources =
            queues.map(|(queue, link)| Some(QueueSource::new(queue, Arc::clone(link), gate)));
        Self { sources: sources.collect(), lanes, start }
    }

    /// Takes the next item of one lane.
    fn take(&mut self, lane: usize) -> Step<T> {
        let Some(source) = &mut self.sources[lane] else { return Step::Pending };
        match source.next_taken() {
            Step::Item(taken) => {
                self.lanes.0.charge(lane, taken.weight);
                // What came into other lanes is for others as well, if they wait for it.
                self.sources.iter_mut().flatten().for_each(QueueSource::leave);
                Step::Item(taken.item)
            }
            Step::Pending => Step::Pending,
            Step::End(End::Complete) => {
                self.sources[lane] = None;
                Step::Pending
            }
            Step::End(end) => {
                self.cancel();
                Step::End(end)
            }
        }
    }

    fn is_over(&self) -> bool {
        self.sources.iter().all(Option::is_none)
    }
}

impl<T: Send + 'static> Source for LanesSource<T> {
    type Item = T;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<T> {
        if let Some(all_are_here) = &self.start {
            if !*all_are_here.lock() {
                return Step::Pending;
            }
            self.start = None;
            self.sources.iter_mut().flatten().for_each(QueueSource::start);
        }
        if let Some(lane) = self.lanes.0.pick() {
            match self.take(lane) {
                Step::Pending => {}
                step => return step,
            }
        }
        // Nothing waits, or others were faster: a place in each line.
        for lane in 0..self.sources.len() {
            match self.take(lane) {
                Step::Pending => {}
                step => return step,
            }
        }
        if self.is_over() { Step::End(End::Complete) } else { Step::Pending }
    }

    fn end(&mut self) -> Option<End> {
        for lane in 0..self.sources.len() {
            match self.sources[lane].as_mut().and_then(QueueSource::end) {
                None => {}
                Some(End::Complete) => self.sources[lane] = None,
                Some(end) => {
                    self.cancel();
                    return Some(end);
                }
            }
        }
        self.is_over().then_some(End::Complete)
    }

    fn cancel(&mut self) {
        self.sources.iter_mut().flatten().for_each(QueueSource::cancel);
    }
}
