//! `Flight`: the last signals of each stage, to be read after something went wrong.

mod chrome;
mod dumps;
mod marbles;
mod svg;

use std::{
    panic,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use millstream::{RecordedSignal, SignalKind};
use serde::{Deserialize, Serialize};

pub use self::dumps::FlightDumps;
use crate::{
    Inventory, Place,
    inventory::{is_reading, stage_names},
    reading::Text,
};

/// The last signals of each stage, where its flow's registry
/// [records](millstream::Registry::recording_last) them.
///
/// It is written as text ([`to_marbles`](Self::to_marbles)), as a picture
/// ([`to_svg`](Self::to_svg)), for Chrome and Perfetto
/// ([`to_chrome_trace`](Self::to_chrome_trace)), and as JSON by `serde`.
///
/// ```
/// use std::time::Duration;
/// use millstream::{Registry, range, scheduler::VirtualTime};
/// use millstream_observe::Inventory;
/// use millstream_testkit::Probe;
///
/// let time = VirtualTime::new();
/// let registry = Registry::recording_last(16, &time);
/// let flow = range(0..9)
///     .inspect_demand("read", &registry)
///     .filter(|n| n % 2 == 0)
///     .inspect_demand("even", &registry);
/// let inventory = Inventory::new("program", &time);
/// inventory.flow("main", &registry);
///
/// let probe = Probe::subscribe_to(flow);
/// probe.request(2);
/// time.advance(Duration::from_millis(20));
/// probe.request(9);
///
/// let marbles = inventory.flight().to_marbles();
/// assert_eq!(marbles, "\
/// main, the last 20 ms, 1 ms a column
/// read  (r2 o . o)----------(r9 . o . o . o |)
/// even  (r2 o o)------------(r9 o o o |)
/// ");
/// # Ok::<(), millstream::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// The program's name.
    pub name: String,
    /// The flows that are recorded.
    pub flows: Vec<FlowFlight>,
}

/// The last signals of a flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlowFlight {
    /// Its name.
    pub name: String,
    /// When it was read, in seconds by the clock of its signals.
    pub at_seconds: f64,
    /// Its stages, from the source to the end.
    pub stages: Vec<StageFlight>,
}

/// The last signals of a stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageFlight {
    /// Its name; one that is there before has a number behind it.
    pub name: String,
    /// The signals, in order.
    pub signals: Vec<FlightSignal>,
}

/// A signal, and when it passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightSignal {
    /// In seconds by the clock of the signals.
    pub at_seconds: f64,
    /// `request`, `item`, `skipped`, `completed`, `failed` or `canceled`.
    pub signal: Text,
    /// Of a request: for how many items; none is without bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
}

impl Inventory {
    /// The last signals of each stage of the flows that record them. What runs does not wait.
    #[must_use]
    pub fn flight(&self) -> Flight {
        let flows = self.registries().into_iter().filter_map(|(name, registry)| {
            let recording = registry.recording();
            let names = stage_names(recording.stages.iter().map(|stage| &*stage.name));
            let stages = recording.stages.iter().zip(names).map(|(stage, name)| StageFlight {
                name,
                signals: stage.signals.iter().map(FlightSignal::of).collect(),
            });
            let stages: Vec<StageFlight> = stages.collect();
            let at_seconds = recording.read_at.as_secs_f64();
            stages.iter().any(|stage| !stage.signals.is_empty()).then_some(FlowFlight {
                name,
                at_seconds,
                stages,
            })
        });
        Flight { name: self.name().to_owned(), flows: flows.collect() }
    }

    /// As [`flight`](Self::flight), of the flow of a place alone; of a stage, it alone. None if
    /// nothing is recorded there.
    #[must_use]
    pub fn flight_of(&self, place: &Place) -> Option<FlowFlight> {
        let mut flow = self.flight().flows.into_iter().find(|flow| flow.name == place.name())?;
        if let Place::Stage { stage, .. } = place {
            flow.stages.retain(|it| it.name == *stage);
        }
        (!flow.stages.is_empty()).then_some(flow)
    }

    /// Writes what was recorded into `folder` whenever a thread panics, before what was there
    /// otherwise is done: `millstream-flight-1.txt` and so on, with a trace for Chrome beside it. A
    /// policy whose [reading](crate::Observe::reading) panics writes none: the program works, and
    /// would write one each time that somebody looks.
    ///
    /// It lasts for as long as the program does.
    pub fn dump_flight_on_panic(&self, folder: impl Into<std::path::PathBuf>) {
        let dumps = Arc::new(FlightDumps::new(self, folder));
        let inventory = self.clone();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_reading() {
                let reason = format!("a thread of {} has panicked: {info}", inventory.name());
                write_elsewhere(&dumps, reason);
            }
            before(info);
        }));
    }
}

/// How long a thread that panics waits for its dump.
const PATIENCE: Duration = Duration::from_secs(5);

/// Writes a dump on a thread of its own. A policy that panics when it is read would end the process
/// on a thread that panics already, and one whose lock that thread holds would never be read.
fn write_elsewhere(dumps: &Arc<FlightDumps>, reason: String) {
    let (done, wait) = mpsc::channel();
    let dumps = Arc::clone(dumps);
    let write = move || {
        let _written = dumps.write(&reason);
        // Whoever waits may have gone on.
        let _gone = done.send(());
    };
    if thread::Builder::new().name("millstream-flight".to_owned()).spawn(write).is_ok() {
        let _late = wait.recv_timeout(PATIENCE);
    }
}

impl FlightSignal {
    fn of(signal: &RecordedSignal) -> Self {
        let at_seconds = signal.at.as_secs_f64();
        let (signal, n) = match signal.kind {
            SignalKind::Request(n) => ("request", (n != u64::MAX).then_some(n)),
            SignalKind::Next => ("item", None),
            SignalKind::Skipped => ("skipped", None),
            SignalKind::Complete => ("completed", None),
            SignalKind::Error => ("failed", None),
            _ => ("canceled", None),
        };
        Self { at_seconds, signal: Text::Borrowed(signal), n }
    }

    /// Its sign in a drawing.
    fn sign(&self) -> String {
        match (&*self.signal, self.n) {
            ("request", Some(n)) => format!("r{n}"),
            ("request", None) => "r∞".to_owned(),
            ("item", _) => "o".to_owned(),
            ("skipped", _) => ".".to_owned(),
            ("completed", _) => "|".to_owned(),
            ("failed", _) => "#".to_owned(),
            _ => "x".to_owned(),
        }
    }
}

impl FlowFlight {
    /// When its first signal passed, and its last.
    fn span(&self) -> Option<(f64, f64)> {
        let times = self.stages.iter().flat_map(|stage| &stage.signals).map(|it| it.at_seconds);
        times.fold(None, |span, at| {
            let (first, last) = span.unwrap_or((at, at));
            Some((f64::min(first, at), f64::max(last, at)))
        })
    }
}
