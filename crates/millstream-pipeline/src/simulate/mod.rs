//! `simulate`: the pipeline itself in virtual time, with recorded arrivals and a sink of a known
//! speed.
//!
//! The same stages, queues, rates and credits run as live, on one thread whose clock is moved: an
//! hour of arrivals takes seconds, and the same input gives the same result.

mod trace;

use std::{
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::{Error, ErrorKind, scheduler::VirtualTime};
use millstream_pressure::Policy as _;

pub use self::trace::Trace;
use crate::{
    Latency, NullSink, Pipeline, SinkSpec, SourceSpec, Spec,
    assemble::{self, Controls, Threads},
    sink::Destination,
    source,
    status::Status,
};

/// How far the clock is moved at a time.
const STEP: Duration = Duration::from_millis(10);

/// What a pipeline is tried with.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// What comes, in place of the source. Default: what a `generate` source makes.
    pub arrivals: Option<Trace>,
    /// The sink's speed. Default: that of a `null` sink with a rate.
    pub service: Option<Service>,
    /// After which time from its arrival an item is of no use. Default: none.
    pub deadline: Option<Duration>,
    /// How long a source that does not end is tried. Default: a minute.
    pub lasts: Option<Duration>,
}

/// How fast a sink is.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// How many items it takes at a time.
    pub workers: usize,
    /// How long each takes, or takes on average.
    pub time: Duration,
    /// Whether times are at random (exponential), and not all the same.
    pub is_random: bool,
    /// For times at random the same seed gives the same ones.
    pub seed: u64,
}

/// What came of a trial.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Simulated {
    /// At the end of each second, and at the end.
    pub moments: Vec<Moment>,
}

/// How a pipeline stood at a moment of a trial.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Moment {
    /// How long after the beginning.
    pub at: Duration,
    /// Items that had come, whether they were taken or not; of a source that is made up, those that
    /// were taken.
    pub offered: u64,
    /// What the pipeline said of itself.
    pub status: Status,
    /// Items that had arrived before their deadline.
    pub in_time: u64,
    /// The most items that had waited in queues, and what they weighed.
    pub peak_items: u64,
    /// In bytes, as JSON.
    pub peak_bytes: u64,
}

impl Simulated {
    /// How it ended.
    ///
    /// # Panics
    ///
    /// Never: there is a moment at the least.
    #[must_use]
    pub fn last(&self) -> &Moment {
        self.moments.last().expect("the end is one")
    }

    /// Items that arrived in time, as a share of those that had come.
    #[must_use]
    pub fn goodput(&self) -> f64 {
        let Moment { offered, in_time, .. } = *self.last();
        if offered == 0 { 1.0 } else { in_time as f64 / offered as f64 }
    }

    /// How long items took.
    #[must_use]
    pub fn latency(&self) -> Latency {
        self.last().status.latency
    }
}

impl Pipeline {
    /// Runs the pipeline in virtual time. Opens neither source nor sink; what `spill` would write
    /// waits in memory.
    ///
    /// ```
    /// use std::time::Duration;
    /// use millstream_pipeline::{Pipeline, Service, Spec, Trace, Trial};
    ///
    /// let spec = Spec::from_yaml(
    ///     "
    /// source: { stdin: {} }
    /// stages: [{ queue: q }]
    /// sink: { stdout: {} }
    /// backpressure: { queues: { q: { size: 10, strategy: drop_newest } } }
    /// ",
    /// )?;
    /// // 100 at once, of which not all find a place; the sink takes 100 a second.
    /// let trial = Trial {
    ///     arrivals: Some(Trace::parse(&"0\n".repeat(100))?),
    ///     service: Some(Service {
    ///         workers: 1,
    ///         time: Duration::from_millis(10),
    ///         is_random: false,
    ///         seed: 1,
    ///     }),
    ///     ..Trial::default()
    /// };
    /// let simulated = Pipeline::new(spec).simulate(&trial)?;
    /// let status = &simulated.last().status;
    /// assert_eq!(status.arrived + status.dropped, 100);
    /// assert!(status.dropped > 0 && simulated.last().peak_items <= 10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There are no arrivals, or nobody says how fast the sink is; a stage fails.
    pub fn simulate(&self, trial: &Trial) -> Result<Simulated, Error> {
        let spec = sped(self.spec(), trial)?;
        let time = VirtualTime::new();
        let threads = Threads::virtual_time(&time);
        let open = |controls: &Controls| {
            let Controls { schedule, faults, lost, clock, arrivals, .. } = controls;
            arrivals.lock().deadline = trial.deadline;
            match &trial.arrivals {
                Some(trace) => Ok(trace.flow(&threads.source, clock)),
                None => source::open(&spec, &threads, clock, schedule, faults, lost),
            }
        };
        let sink = Destination::simulated(trial.service.clone());
        let (outcome, controls) = assemble::start_with(&spec, &threads, sink, open)
            .map_err(|error| spec.secrets.scrub_error(error))?;
        let lasts = trial.lasts.unwrap_or(Duration::from_secs(60));
        let mut outcome = pin!(outcome);
        let mut cx = Context::from_waker(Waker::noop());
        let mut watch = Watch::new(trial, &controls);
        loop {
            time.advance(STEP);
            watch.look(&time);
            if let Poll::Ready(result) = outcome.as_mut().poll(&mut cx) {
                result.map_err(|error| spec.secrets.scrub_error(error))?;
                break;
            }
            if trial.arrivals.is_none() && time.now() >= lasts {
                controls.switch.complete();
            }
            // What is left after ten times as long will not arrive.
            let longest = trial.arrivals.as_ref().map_or(lasts, Trace::lasts) * 10;
            if time.now() >= longest + Duration::from_secs(60) {
                break;
            }
        }
        watch.note(&time);
        Ok(Simulated { moments: watch.moments })
    }
}

/// The pipeline with a sink of the speed in question.
fn sped(spec: &Spec, trial: &Trial) -> Result<Spec, Error> {
    let invalid = |why: &str| Err(Error::new(ErrorKind::InvalidData, why.to_owned()));
    if trial.arrivals.is_none() && !matches!(spec.source, SourceSpec::Generate(_)) {
        return invalid(
            "there are no arrivals: give a trace, or a pipeline whose source is `generate`",
        );
    }
    let mut spec = spec.clone();
    let has_rate = matches!(&spec.sink, SinkSpec::Null(NullSink { rate: Some(_) }));
    match &trial.service {
        Some(service) if service.workers == 0 => return invalid("a sink needs a worker"),
        Some(_) => spec.sink = SinkSpec::Null(NullSink { rate: None }),
        None if has_rate => {}
        None => return invalid("how fast is the sink? give its workers and the time of an item"),
    }
    Ok(spec)
}

/// Looks at a pipeline while time is moved.
struct Watch<'a> {
    trial: &'a Trial,
    controls: &'a Controls,
    peak_items: u64,
    peak_bytes: u64,
    moments: Vec<Moment>,
}

impl<'a> Watch<'a> {
    fn new(trial: &'a Trial, controls: &'a Controls) -> Self {
        Self { trial, controls, peak_items: 0, peak_bytes: 0, moments: Vec::new() }
    }

    fn look(&mut self, time: &VirtualTime) {
        let queues = self.controls.queues.iter().map(|queue| queue.snapshot());
        let (items, bytes) = queues.fold((0, 0), |(items, bytes), queue| {
            (items + queue.items as u64, bytes + queue.weight)
        });
        self.peak_items = self.peak_items.max(items);
        self.peak_bytes = self.peak_bytes.max(bytes);
        if time.now() >= Duration::from_secs(self.moments.len() as u64 + 1) {
            self.note(time);
        }
    }

    fn note(&mut self, time: &VirtualTime) {
        let status = Status::of(self.controls, (0, 0));
        let come = self.trial.arrivals.as_ref().map(|trace| trace.until(time.now()) as u64);
        self.moments.push(Moment {
            at: time.now(),
            offered: come.unwrap_or(status.taken),
            in_time: self.controls.arrivals.lock().n_in_time,
            status,
            peak_items: self.peak_items,
            peak_bytes: self.peak_bytes,
        });
    }
}
