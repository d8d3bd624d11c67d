//! The end of a flow: its sink, what is counted there, and what servers are told.

use std::sync::Arc;

#[cfg(feature = "remote")]
use millstream::ErrorKind;
use millstream::{
    Error, Flow, Handled, Order, Outcome, Publisher, from_fn, scheduler::Worker, timer,
};
use millstream_pressure::{FlowExt as _, RateLimit};
use parking_lot::Mutex;

use super::{AT_ONCE, Assembly, Controls, invalid};
use crate::{
    NullSink, Service, SinkSpec,
    record::Record,
    sink::{Destination, Sink, arrive},
    status::Arrivals,
};
#[cfg(feature = "remote")]
use crate::{OnError, sink::Remote, status::Faults};

impl Assembly<'_> {
    /// Subscribes to the flow.
    pub(super) fn end(self, sink: Destination) -> Result<(Outcome<u64>, Controls), Error> {
        match sink {
            Destination::Local(sink) => self.local(sink),
            Destination::Simulated(service) => Ok(self.simulated(&service)),
            #[cfg(feature = "remote")]
            Destination::Remote(remote) => self.remote(remote),
        }
    }

    fn local(mut self, mut sink: Sink) -> Result<(Outcome<u64>, Controls), Error> {
        // What was there is lost from here on: everything else could be opened.
        sink.begin()?;
        if let SinkSpec::Null(NullSink { rate: Some(rate) }) = &self.spec.sink {
            let config = crate::reload::sink_rate(*rate);
            let limit = RateLimit::new("sink", config, &self.threads.clock).map_err(invalid)?;
            self.controls.inventory.policy(&limit);
            self.controls.sink_rate = Some(limit.clone());
            self.change(|flow| flow.rate_limit(&limit).boxed());
        }
        let pool = self.threads.work.clone();
        let has_thread = self.fed_by.is_some();
        self.change(|flow| {
            // Behind a queue there is another thread already.
            if has_thread { flow } else { flow.publish_on(&pool).capacity(AT_ONCE).boxed() }
        });
        let flow = self.flow.take().expect("it was begun with the source");
        let flow = flow.inspect_demand("sink", &self.registry);
        let arrived = Arrived::of(&self);
        let written = flow.chunks_ready(AT_ONCE).map(Some).concat(from_fn(|| None)).handle(
            move |chunk: Option<Vec<Record>>| {
                let result = match chunk {
                    Some(chunk) => arrived.write(&mut sink, chunk),
                    None => sink.finish(),
                };
                match result {
                    Ok(()) => Handled::Skip,
                    Err(error) => Handled::<()>::Fail(error),
                }
            },
        );
        Ok(self.subscribe(written))
    }

    /// The sink takes so many at a time, each for so long.
    fn simulated(mut self, service: &Service) -> (Outcome<u64>, Controls) {
        let flow = self.flow.take().expect("it was begun with the source");
        let flow = flow.inspect_demand("sink", &self.registry);
        let (arrived, work) = (Arrived::of(&self), self.threads.work.clone());
        let (time, is_random) = (service.time, service.is_random);
        let mut random = fastrand::Rng::with_seed(service.seed);
        let serve = move |record: Record| {
            let share = if is_random { -(1.0 - random.f64()).ln() } else { 1.0 };
            let (done, arrived) = (timer(&work, time.mul_f64(share)), arrived.clone());
            async move {
                // It ticks once; a clock that stops is the end of the trial.
                done.count().await.ok();
                arrived.count(record);
            }
        };
        let served = flow
            .map_async_on(&self.threads.work, service.workers, Order::Completion, serve)
            .filter(|()| false);
        self.subscribe(served)
    }

    /// The sink confirms each item, and many are on their way.
    #[cfg(feature = "remote")]
    fn remote(mut self, remote: Remote) -> Result<(Outcome<u64>, Controls), Error> {
        let flow = self.flow.take().expect("it was begun with the source");
        let flow = flow.inspect_demand("sink", &self.registry);
        let scheduler = self.threads.net.scheduler()?;
        let (arrived, on_error) = (Arrived::of(&self), self.spec.on_error);
        let in_flight = remote.in_flight;
        let send = move |record| {
            let (remote, arrived) = (remote.clone(), arrived.clone());
            async move { arrived.send(&remote, record, on_error).await }
        };
        let sent = flow
            .map_async_on(&scheduler, in_flight, Order::Completion, send)
            .flatten_results()
            .filter(|()| false);
        Ok(self.subscribe(sent))
    }

    /// Begins, and at the end has servers be told of everything.
    fn subscribe<P>(mut self, written: Flow<P>) -> (Outcome<u64>, Controls)
    where
        P: Publisher<Item = ()> + Send + 'static,
    {
        self.enter_part();
        #[cfg(feature = "net")]
        if let Some(scheduler) = self.threads.net.scheduler_if_used() {
            let told = self.threads.net.told();
            let told = millstream::from_future_on(&scheduler, told).flatten_results();
            return (written.concat(told.filter(|()| false)).count(), self.controls);
        }
        (written.count(), self.controls)
    }
}

/// Counts what has arrived, and tells where it came from.
#[derive(Clone)]
struct Arrived {
    clock: Worker,
    arrivals: Arc<Mutex<Arrivals>>,
    #[cfg(feature = "remote")]
    faults: Faults,
}

impl Arrived {
    fn of(assembly: &Assembly<'_>) -> Self {
        Self {
            clock: assembly.controls.clock.clone(),
            arrivals: Arc::clone(&assembly.controls.arrivals),
            #[cfg(feature = "remote")]
            faults: assembly.controls.faults.clone(),
        }
    }

    /// Writes what is there.
    fn write(&self, sink: &mut Sink, chunk: Vec<Record>) -> Result<(), Error> {
        let now = self.clock.now();
        let mut values = Vec::with_capacity(chunk.len());
        let mut rest = Vec::with_capacity(chunk.len());
        for record in chunk {
            let (value, receipt, arrival) = arrive(record, now);
            values.push(value);
            rest.push((receipt, arrival));
        }
        sink.write(&values)?;
        {
            let mut arrivals = self.arrivals.lock();
            rest.iter().for_each(|(_, arrival)| arrivals.add(*arrival));
        }
        rest.into_iter().for_each(|(receipt, _)| receipt.ack());
        Ok(())
    }

    /// One is in the sink.
    fn count(&self, record: Record) {
        let (_, receipt, arrival) = arrive(record, self.clock.now());
        self.arrivals.lock().add(arrival);
        receipt.ack();
    }

    /// Sends one.
    #[cfg(feature = "remote")]
    async fn send(&self, remote: &Remote, record: Record, on_error: OnError) -> Result<(), Error> {
        match remote.send(&record.value).await {
            Ok(()) => {
                self.count(record);
                Ok(())
            }
            Err(error)
                if on_error == OnError::Skip
                    && matches!(error.kind(), ErrorKind::Overflow | ErrorKind::InvalidData) =>
            {
                let why = format!("sink: {error}");
                self.faults.reject(record, why);
                Ok(())
            }
            // Where it came from delivers it again.
            Err(error) => Err(error.context("sink")),
        }
    }
}
