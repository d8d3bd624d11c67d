//! `FlightDumps`: what was recorded, in files, when something has gone wrong.

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use parking_lot::Mutex;

use crate::{Description, Inventory, Snapshot, describe::plain, stall::StallReport};

/// Files that one program writes at most: what goes wrong again and again says the same.
const MAX_FILES: usize = 20;

/// Writes the last signals of all flows into files when a flow fails or stands still, and whenever
/// it is told to.
///
/// A dump is a text for people, with the reason, the topology, who waits for whom and the marbles,
/// and beside it a trace for Chrome. After 20 dumps no more are written.
///
/// ```
/// use std::time::Duration;
/// use millstream::{Error, Registry, error, scheduler::VirtualTime};
/// use millstream_observe::{FlightDumps, Inventory};
///
/// let folder = tempfile::tempdir()?;
/// let time = VirtualTime::new();
/// let registry = Registry::recording_last(64, &time);
/// let flow = error::<u8>(Error::message("no answer")).inspect_demand("call", &registry);
/// let inventory = Inventory::new("program", &time);
/// inventory.flow("main", &registry);
/// let dumps = FlightDumps::new(&inventory, folder.path()).stalled_after(Duration::from_secs(5));
///
/// assert!(dumps.look()?.is_none());
/// assert!(flow.count().wait().is_err());
/// let file = dumps.look()?.expect("the flow has failed");
/// assert!(std::fs::read_to_string(file)?.starts_with("main has failed"));
/// assert!(dumps.look()?.is_none(), "once is enough");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FlightDumps {
    inventory: Inventory,
    folder: PathBuf,
    stalled_after: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    n_files: usize,
    flows: HashMap<String, Seen>,
}

/// A flow as it was seen last.
struct Seen {
    /// What changes with every signal.
    counts: Vec<(u64, Option<u64>)>,
    /// Since when it has not changed, in seconds.
    since: f64,
    is_reported: bool,
    has_failed: bool,
}

impl FlightDumps {
    /// Of this inventory, into this folder, which is made if it is missing.
    #[must_use]
    pub fn new(inventory: &Inventory, folder: impl Into<PathBuf>) -> Self {
        Self {
            inventory: inventory.clone(),
            folder: folder.into(),
            stalled_after: Duration::from_secs(30),
            state: Mutex::default(),
        }
    }

    /// How long nothing has to move in a flow that is asked for items, or holds some, until it
    /// counts as stalled. Default: 30 s.
    #[must_use]
    pub fn stalled_after(self, stalled_after: Duration) -> Self {
        Self { stalled_after, ..self }
    }

    /// Looks whether a flow has failed or stands still since the look before; writes a dump then,
    /// and returns its name. To be called again and again, such as once a second.
    ///
    /// # Errors
    ///
    /// The files cannot be written.
    pub fn look(&self) -> io::Result<Option<PathBuf>> {
        let snapshot = self.inventory.snapshot();
        let reasons = self.reasons(&snapshot);
        if reasons.is_empty() { Ok(None) } else { self.write(&reasons.join("\n")) }
    }

    /// Writes a dump for this reason, such as a signal of the system, and returns its name; none if
    /// there were as many as there may be.
    ///
    /// # Errors
    ///
    /// The files cannot be written.
    pub fn write(&self, reason: &str) -> io::Result<Option<PathBuf>> {
        let number = {
            let mut state = self.state.lock();
            if state.n_files == MAX_FILES {
                return Ok(None);
            }
            state.n_files += 1;
            state.n_files
        };
        fs::create_dir_all(&self.folder)?;
        let file = self.folder.join(format!("millstream-flight-{number}.txt"));
        let (flight, snapshot) = (self.inventory.flight(), self.inventory.snapshot());
        let stalls = StallReport::of(&snapshot);
        let text = format!(
            "{}\n\n{}\n{stalls}\n{}",
            reason.lines().map(plain).collect::<Vec<_>>().join("\n"),
            Description::of(snapshot),
            flight.to_marbles()
        );
        write_whole(&file, &text)?;
        write_whole(&file.with_extension("trace.json"), &flight.to_chrome_trace())?;
        Ok(Some(file))
    }

    /// What has gone wrong since the look before.
    fn reasons(&self, snapshot: &Snapshot) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut state = self.state.lock();
        for flow in &snapshot.flows {
            let counts: Vec<_> =
                flow.stages.iter().map(|stage| (stage.delivered, stage.requested)).collect();
            let has_failed = flow.stages.iter().any(|stage| stage.last == "failed");
            let is_ended = flow.stages.last().is_none_or(|stage| stage.is_ended());
            let first =
                || Seen { counts: Vec::new(), since: 0.0, is_reported: false, has_failed: false };
            let seen = state.flows.entry(flow.name.clone()).or_insert_with(first);
            if has_failed && !seen.has_failed {
                reasons.push(format!("{} has failed", flow.name));
            }
            seen.has_failed = has_failed;
            if seen.counts != counts {
                *seen = Seen { counts, since: snapshot.at_seconds, is_reported: false, ..*seen };
                continue;
            }
            let seconds = snapshot.at_seconds - seen.since;
            let is_waiting = flow
                .stages
                .iter()
                .any(|stage| stage.is_asked() || stage.buffered.is_some_and(|n| n > 0));
            let is_stalled = is_waiting && !is_ended && seconds >= self.stalled_after.as_secs_f64();
            if is_stalled && !seen.is_reported {
                seen.is_reported = true;
                reasons.push(format!("nothing has moved in {} for {seconds:.0} s", flow.name));
            }
        }
        state.flows.retain(|name, _| snapshot.flow(name).is_some());
        reasons
    }
}

/// So that nobody reads half of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let part = file.with_extension("part");
    fs::write(&part, text)?;
    fs::rename(part, file)
}

impl fmt::Debug for FlightDumps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlightDumps").field("folder", &self.folder).finish_non_exhaustive()
    }
}
