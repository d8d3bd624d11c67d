//! Makes a flow of what a file says.

use std::{sync::Arc, time::Duration};

use millstream::{
    Error, ErrorKind, KillSwitch, Outcome, Registry, from_fn, never,
    scheduler::{Pool, Scheduler as _},
};
use millstream_observe::{Bound, Inventory, Observe, Place, Reading, SpillQueue, Usage};
use millstream_pressure::{
    AdaptiveRate, Credits, FlowExt as _, InvalidSetting, Queue, QueueConfig, QueueHooks, RateLimit,
    Reason, WhenFull,
};
use millstream_spill::{Config, Durability, FlowExt as _, Spill};
use parking_lot::Mutex;

#[cfg(feature = "http")]
mod call;
mod controls;
mod end;
mod lanes;

pub(crate) use self::controls::{Controls, Runner, Threads};
use crate::{
    FlowControlKind, FlowControlSpec, OnError, RateSpec, SourceSpec, Spec, SpillSpec, StageSpec,
    WindowSpec,
    codec::RecordCodec,
    record::Record,
    sink::{Destination, Sink},
    source::{self, Load, Schedule, Stream},
    status::{Arrivals, Faults},
    step::Steps,
    window::Windows,
};

/// How many items wait between two threads at a place without a queue, or behind one.
const HAND_OVER: usize = 64;

/// How many items the sink takes at a time, if they are there.
const AT_ONCE: usize = 256;

/// A pipeline in the making.
struct Assembly<'a> {
    spec: &'a Spec,
    /// Nothing is opened.
    is_plan: bool,
    threads: Threads,
    /// Does what waits for a disk.
    disk: Option<Pool>,
    flow: Option<Stream>,
    /// Of the part since the last queue.
    registry: Registry,
    name: String,
    /// What feeds that part.
    fed_by: Option<Place>,
    controls: Controls,
}

/// Opens the source and the sink, makes a flow of them, and starts it.
///
/// # Errors
///
/// One of them cannot be opened, or a folder of spilled items cannot be used.
pub(crate) fn start(spec: &Spec, threads: &Threads) -> Result<(Outcome<u64>, Controls), Error> {
    // First, so that nothing is read if nothing can be written.
    let sink = Destination::open(spec, &threads.net)?;
    start_with(spec, threads, sink, |controls| {
        let Controls { schedule, faults, lost, clock, .. } = controls;
        source::open(spec, threads, clock, schedule, faults, lost)
    })
}

/// [`start`] with this sink and source.
///
/// # Errors
///
/// As those of [`start`].
pub(crate) fn start_with(
    spec: &Spec,
    threads: &Threads,
    sink: Destination,
    open: impl FnOnce(&Controls) -> Result<Stream, Error>,
) -> Result<(Outcome<u64>, Controls), Error> {
    let assembly = Assembly::new(spec, threads, false);
    let source = open(&assembly.controls)?;
    sink.refuse_the_source(&spec.source)?;
    assembly.put_together(source, sink)
}

/// What [`start`] would run, without opening anything.
///
/// # Errors
///
/// None, if the file was checked.
pub(crate) fn plan(spec: &Spec, threads: &Threads) -> Result<Inventory, Error> {
    let assembly = Assembly::new(spec, threads, true);
    let (_, controls) = assembly.put_together(never().boxed(), Destination::Local(Sink::Null))?;
    Ok(controls.inventory)
}

impl<'a> Assembly<'a> {
    fn new(spec: &'a Spec, threads: &Threads, is_plan: bool) -> Self {
        let clock = threads.clock.worker();
        let registry = Registry::new();
        let load = match &spec.source {
            SourceSpec::Generate(spec) => Load { rate: spec.rate, shape: spec.shape.clone() },
            _ => Load { rate: crate::Rate(1.0), shape: crate::Shape::Steady },
        };
        let controls = Controls {
            inventory: Inventory::new(&spec.name, &threads.clock),
            switch: KillSwitch::new(),
            started: clock.now(),
            clock,
            schedule: Schedule::new(load),
            queues: Vec::new(),
            lanes: Vec::new(),
            rates: Vec::new(),
            sink_rate: None,
            credits: None,
            adaptive: None,
            source_rate: None,
            arrivals: Arc::new(Mutex::new(Arrivals::new())),
            faults: Faults::default(),
            late: Faults::default(),
            lost: Faults::default(),
            first: registry.clone(),
        };
        Self {
            spec,
            is_plan,
            threads: threads.clone(),
            disk: None,
            flow: None,
            registry,
            name: spec.name.clone(),
            fed_by: None,
            controls,
        }
    }

    fn put_together(
        mut self,
        source: Stream,
        sink: Destination,
    ) -> Result<(Outcome<u64>, Controls), Error> {
        let source =
            source.kill_switch(&self.controls.switch).inspect_demand("source", &self.registry);
        self.flow = Some(source.boxed());
        if let Some(flow_control) = &self.spec.flow_control {
            self.flow_control(flow_control)?;
        }
        let mut steps = Steps::new(&self.controls.faults);
        for (index, stage) in self.spec.stages.iter().enumerate() {
            let Some(stage) = steps.push(index, stage, self.spec.on_error) else { continue };
            self.take_steps(&mut steps);
            match stage {
                StageSpec::Queue(name) => self.queue(&name.value)?,
                StageSpec::Rate(rate) => self.rate(index, rate)?,
                StageSpec::Window(window) => self.window(index, window),
                StageSpec::Lanes(lanes) => self.lanes(index, lanes)?,
                StageSpec::Spill(spill) => self.spill(index, spill)?,
                #[cfg(feature = "http")]
                StageSpec::Call(call) => self.call(index, call)?,
                _ => unreachable!("all others are steps"),
            }
        }
        self.take_steps(&mut steps);
        self.end(sink)
    }

    fn change(&mut self, change: impl FnOnce(Stream) -> Stream) {
        self.flow = self.flow.take().map(change);
    }

    fn flow_control(&mut self, spec: &FlowControlSpec) -> Result<(), Error> {
        let inventory = &self.controls.inventory;
        let pool = &self.threads.clock;
        match spec.kind {
            FlowControlKind::CreditBased => {
                let credits =
                    Credits::new("flow_control", spec.credits(), pool).map_err(invalid)?;
                inventory.policy(&credits);
                self.controls.credits = Some(credits.clone());
                self.change(|flow| {
                    let flow = flow.credits(&credits);
                    flow.map(|credited| credited.item.with_permit(credited.permit)).boxed()
                });
            }
            FlowControlKind::RateBased => {
                let rate = RateLimit::new("flow_control", spec.rate(), pool).map_err(invalid)?;
                inventory.policy(&rate);
                self.controls.source_rate = Some(rate.clone());
                self.change(|flow| flow.rate_limit(&rate).boxed());
            }
            FlowControlKind::Adaptive => {
                let config = self.spec.adaptive.config();
                let rate = AdaptiveRate::new("flow_control", config, pool).map_err(invalid)?;
                inventory.policy(&rate);
                self.controls.adaptive = Some(rate.clone());
                self.change(|flow| {
                    let flow = flow.adaptive_rate(&rate);
                    flow.map(|admitted| admitted.item.with_permit(admitted.permit)).boxed()
                });
            }
        }
        Ok(())
    }

    /// Runs the steps until here as one operator.
    fn take_steps(&mut self, steps: &mut Steps) {
        if steps.is_empty() {
            return;
        }
        let mut steps = std::mem::replace(steps, Steps::new(&self.controls.faults));
        let (name, registry) = (steps.name(), self.registry.clone());
        self.change(|flow| {
            flow.handle(move |record| steps.apply(record)).inspect_demand(&name, &registry).boxed()
        });
    }

    /// A queue of this name ends a part of the flow, and begins another one on a thread of its own.
    fn queue(&mut self, name: &str) -> Result<(), Error> {
        let config = self.spec.backpressure.queues[name].config();
        self.queue_of(name, config)
    }

    /// A queue of this name and kind.
    fn queue_of(&mut self, name: &str, config: QueueConfig) -> Result<(), Error> {
        let clock = &self.threads.clock;
        let queue = Queue::with_hooks(name, config, clock, queue_hooks()).map_err(invalid)?;
        let place = self.controls.inventory.policy(&queue);
        self.end_part(&place, name);
        let pool = self.threads.work.clone();
        self.controls.queues.push(queue.clone());
        self.change(|flow| flow.queue(&queue).publish_on(&pool).capacity(HAND_OVER).boxed());
        Ok(())
    }

    fn spill(&mut self, index: usize, spec: &SpillSpec) -> Result<(), Error> {
        let SpillSpec { directory, memory, max_bytes } = spec;
        let name = format!("spill {}", directory.display());
        if self.is_plan {
            let planned = PlannedSpill { name: name.clone(), max_bytes: max_bytes.0 };
            let place = self.controls.inventory.policy(&planned);
            self.end_part(&place, &name);
            return Ok(());
        }
        if self.threads.is_virtual() {
            let when_full = WhenFull::Wait;
            let config = QueueConfig {
                capacity: 1 << 24,
                max_weight: Some(max_bytes.0),
                when_full,
                ..QueueConfig::default()
            };
            return self.queue_of(&name, config);
        }
        let config = Config {
            max_bytes: max_bytes.0,
            segment_bytes: (max_bytes.0 / 4).clamp(1 << 12, 64 << 20),
            durability: Durability::Group(1024, Duration::from_millis(10)),
            ..Config::default()
        };
        let disk = self.disk.get_or_insert_with(|| Pool::named("disk", 1)).clone();
        let failed = |error| {
            Error::other(error).context(format!("stages[{index}] spill: {}", directory.display()))
        };
        let clock = self.controls.clock.clone();
        let processor = Spill::at(directory)
            .config(config)
            .processor(RecordCodec::new(clock), *memory, &disk)
            .map_err(failed)?;
        let observed = SpillQueue::new(&name, processor.monitor(), max_bytes.0);
        let place = self.controls.inventory.policy(&observed);
        self.end_part(&place, &name);
        let pool = self.threads.work.clone();
        self.change(|flow| flow.spill(processor).publish_on(&pool).capacity(HAND_OVER).boxed());
        Ok(())
    }

    /// What was put together until here feeds `place`, which feeds what follows.
    fn end_part(&mut self, place: &Place, name: &str) {
        let part = self.enter_part();
        self.controls.inventory.connect(part, place.clone()).ok();
        self.fed_by = Some(place.clone());
        self.registry = Registry::new();
        self.name = format!("{} behind {name}", self.spec.name);
    }

    /// Puts the part into the inventory.
    fn enter_part(&mut self) -> Place {
        let inventory = &self.controls.inventory;
        let part = inventory.flow(&self.name, &self.registry);
        let bound = Bound::items((HAND_OVER + 2 * AT_ONCE) as u64);
        let bound = bound.of_bytes_each(size_of::<Record>() as u64);
        // Both were just put there.
        inventory.bound(part.clone(), bound).ok();
        if let Some(before) = self.fed_by.take() {
            inventory.connect(before, part.clone()).ok();
        }
        part
    }

    fn rate(&mut self, index: usize, spec: &RateSpec) -> Result<(), Error> {
        let name = format!("stages[{index}] rate");
        let rate =
            RateLimit::new(name.clone(), crate::reload::rate_config(spec), &self.threads.clock)
                .map_err(invalid)?;
        self.controls.inventory.policy(&rate);
        self.controls.rates.push((index, rate.clone()));
        let registry = self.registry.clone();
        self.change(|flow| flow.rate_limit(&rate).inspect_demand(&name, &registry).boxed());
        Ok(())
    }

    fn window(&mut self, index: usize, spec: &WindowSpec) {
        let mut windows = Windows::new(spec, &self.controls.late);
        let registry = self.registry.clone();
        let place = format!("stages[{index}] window");
        let (on_error, faults) = (self.spec.on_error, self.controls.faults.clone());
        self.change(|flow| {
            flow.map(Some)
                .concat(from_fn(|| None))
                .flat_map_iter(move |record| {
                    let made = match record {
                        Some(record) => match windows.add(&record) {
                            Ok(made) => {
                                record.joined();
                                Ok(made)
                            }
                            Err(fault) => {
                                let why = format!("{place}: {}", fault.why);
                                if on_error == OnError::Skip && !fault.is_fatal {
                                    faults.reject(record, why);
                                    Ok(Vec::new())
                                } else {
                                    Err(Error::new(ErrorKind::InvalidData, why))
                                }
                            }
                        },
                        None => Ok(windows.finish()),
                    };
                    match made {
                        Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
                        Err(error) => vec![Err(error)],
                    }
                })
                .flatten_results()
                .inspect_demand("window", &registry)
                .boxed()
        });
    }
}

/// Weighs items, and tells where they came from what a queue has dropped.
fn queue_hooks() -> QueueHooks<Record> {
    QueueHooks::new().weigh(|record: &Record| Record::bytes(&record.value)).on_drop(lost)
}

/// A queue did not keep it. What is left at the end is delivered again, where it can be.
fn lost(record: Record, reason: Reason) {
    if !matches!(reason, Reason::Canceled | Reason::Shutdown) {
        record.dropped();
    }
}

/// A queue on a disk that is not opened.
#[derive(Clone)]
struct PlannedSpill {
    name: String,
    max_bytes: u64,
}

impl Observe for PlannedSpill {
    fn name(&self) -> &str {
        &self.name
    }

    fn reading(&self) -> Reading {
        let usage = Usage::of(0, self.max_bytes, "bytes");
        Reading { usage: Some(usage), ..Reading::of("spill") }
    }
}

/// A setting that the file has no place for, because it is checked when that is read.
fn invalid(error: InvalidSetting) -> Error {
    Error::other(error)
}
