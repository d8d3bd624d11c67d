//! `Health`: whether a program lives, and whether it is ready for more.

use std::{fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;

use crate::{Inventory, PolicyReading, PolicyView, Severity, View, Watch};

/// What a program has to be to count as ready.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthConfig {
    /// What waits in a queue, in lanes or on a disk has to be worked off in this time, at the rate
    /// of the last seconds. Default: 60 s.
    pub recovery: Duration,
    /// The policies without which nothing works, such as the breaker in front of the database:
    /// while one is critical, the program is not ready. Default: none.
    pub needs: Vec<String>,
    /// The share of a spill's disk from which on the program is not ready. Default: 0.9.
    pub spill_ceiling: f64,
    /// How long something has to be wrong until the program is not ready. Default: 5 s.
    pub unready_after: Duration,
    /// How long nothing has to be wrong until it is ready again. Default: 15 s.
    pub ready_after: Duration,
    /// How long a heartbeat may be missing. Default: 30 s.
    pub max_silence: Duration,
}

/// Whether a program lives, and whether it is ready for more. A clone is the same one.
///
/// Readiness is predicted: a backlog that is large and shrinks fast is well, and one that is small
/// and does not move is not. It changes only after something has been so for a while.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_observe::{Health, HealthConfig, Inventory};
/// use millstream_pressure::{Queue, QueueConfig};
///
/// let time = VirtualTime::new();
/// let orders = Queue::new("orders", QueueConfig::default(), &time)?;
/// let inventory = Inventory::new("shop", &time);
/// inventory.policy(&orders);
/// let health = Health::new(&inventory, HealthConfig::default());
/// assert!(health.ready().is_ok);
///
/// orders.try_put(1)?; // and nobody takes it
/// for _ in 0..10 {
///     time.advance(Duration::from_secs(1));
///     health.ready();
/// }
/// let report = health.ready();
/// assert!(!report.is_ok);
/// assert_eq!(report.reasons[0].text, "1 items wait, and none is taken");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Health(Arc<Shared>);

struct Shared {
    inventory: Inventory,
    config: HealthConfig,
    state: Mutex<State>,
}

struct State {
    watch: Watch,
    is_ready: bool,
    /// Since when it is otherwise than `is_ready` says.
    otherwise_since: Option<Duration>,
    /// Each heartbeat's name, and when it was last.
    hearts: Vec<(String, Duration)>,
}

/// An answer, with what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthReport {
    /// Whether it is as it should be.
    pub is_ok: bool,
    /// What is wrong now. There may be something while it is still, or not yet, well.
    pub reasons: Vec<HealthReason>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthReason {
    /// Where.
    pub name: String,
    /// What.
    pub text: String,
}

/// A loop says by it that it goes round.
#[derive(Clone)]
pub struct Heartbeat {
    health: Health,
    index: usize,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            recovery: Duration::from_secs(60),
            needs: Vec::new(),
            spill_ceiling: 0.9,
            unready_after: Duration::from_secs(5),
            ready_after: Duration::from_secs(15),
            max_silence: Duration::from_secs(30),
        }
    }
}

impl Health {
    /// Of the program with this inventory.
    #[must_use]
    pub fn new(inventory: &Inventory, config: HealthConfig) -> Self {
        let mut watch = inventory.watch();
        // Rates are between two looks.
        watch.look();
        let state = State { watch, is_ready: true, otherwise_since: None, hearts: Vec::new() };
        let inventory = inventory.clone();
        Self(Arc::new(Shared { inventory, config, state: Mutex::new(state) }))
    }

    /// Adds a loop that has to [beat](Heartbeat::beat) for the program to count as alive.
    #[must_use]
    pub fn heartbeat(&self, name: &str) -> Heartbeat {
        let now = self.0.inventory.clock().now();
        let mut state = self.0.state.lock();
        state.hearts.push((name.to_owned(), now));
        Heartbeat { health: self.clone(), index: state.hearts.len() - 1 }
    }

    /// Whether all heartbeats go; nothing else is looked at, since to be started anew helps against
    /// nothing else.
    #[must_use]
    pub fn live(&self) -> HealthReport {
        let now = self.0.inventory.clock().now();
        let silence = |at: Duration| now.saturating_sub(at);
        let state = self.0.state.lock();
        let silent = state.hearts.iter().filter(|(_, at)| silence(*at) > self.0.config.max_silence);
        let reasons: Vec<HealthReason> = silent
            .map(|(name, at)| {
                let text = format!("has not been round for {:.0} s", silence(*at).as_secs_f64());
                HealthReason { name: name.clone(), text }
            })
            .collect();
        HealthReport { is_ok: reasons.is_empty(), reasons }
    }

    /// Whether the program should get more work. Has to be called again and again, as probes do.
    pub fn ready(&self) -> HealthReport {
        let Shared { inventory, config, state } = &*self.0;
        let now = inventory.clock().now();
        let mut state = state.lock();
        let view = state.watch.look();
        let reasons = reasons(&view, config);
        let is_well = reasons.is_empty();
        if is_well == state.is_ready {
            state.otherwise_since = None;
        } else {
            let since = *state.otherwise_since.get_or_insert(now);
            let needed = if is_well { config.ready_after } else { config.unready_after };
            if now.saturating_sub(since) >= needed {
                state.is_ready = is_well;
                state.otherwise_since = None;
            }
        }
        HealthReport { is_ok: state.is_ready, reasons }
    }
}

/// What is wrong in a view.
fn reasons(view: &View, config: &HealthConfig) -> Vec<HealthReason> {
    let mut reasons = Vec::new();
    let policies = &view.snapshot.policies;
    for (policy, more) in policies.iter().zip(&view.policies) {
        let mut push = |text| reasons.push(HealthReason { name: policy.name.clone(), text });
        if let Some(text) = backlog(policy, more, config.recovery) {
            push(text);
        }
        let reading = &policy.reading;
        let share = reading.usage.as_ref().and_then(|usage| usage.share());
        if let Some(share) = share
            && reading.kind == "spill"
            && share >= config.spill_ceiling
        {
            push(format!("{:.0} % of its disk are used", share * 100.0));
        }
        let is_needed = config.needs.contains(&policy.name);
        if is_needed && reading.condition.severity == Severity::Critical {
            push(format!("is needed and {}", reading.condition.state));
        }
    }
    for name in config.needs.iter().filter(|name| policies.iter().all(|it| it.name != **name)) {
        let text = "is needed and not in the inventory".to_owned();
        reasons.push(HealthReason { name: name.clone(), text });
    }
    reasons
}

/// Why what waits will not be worked off in time.
fn backlog(policy: &PolicyReading, more: &PolicyView, recovery: Duration) -> Option<String> {
    let is_store = matches!(&*policy.reading.kind, "queue" | "lanes" | "processor" | "spill");
    let n_waiting = policy.reading.ledger.as_ref().filter(|_| is_store)?.queued;
    let rate = more.delivered_per_second?;
    if n_waiting == 0 {
        return None;
    }
    if rate <= 0.0 {
        return Some(format!("{n_waiting} items wait, and none is taken"));
    }
    let seconds = n_waiting as f64 / rate;
    (seconds > recovery.as_secs_f64())
        .then(|| format!("{n_waiting} items wait, and take {seconds:.0} s at {rate:.1} a second"))
}

impl Heartbeat {
    /// The loop has come round.
    pub fn beat(&self) {
        let now = self.health.0.inventory.clock().now();
        if let Some((_, at)) = self.health.0.state.lock().hearts.get_mut(self.index) {
            *at = now;
        }
    }
}

impl HealthReport {
    /// The code to answer a probe with: 200 or 503.
    #[must_use]
    pub fn status(&self) -> u16 {
        if self.is_ok { 200 } else { 503 }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Names and texts: there is nothing in it that cannot be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("index", &self.index).finish_non_exhaustive()
    }
}
