//! `PressureTree`: levels below each other, such as system, service and application.

use std::{error, fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use super::Curve;
use crate::{Clock, InvalidSetting, Policy, Pressure, PressureSource, Settings};

const POLICY: &str = "pressure_tree";

/// How a tree is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TreeConfig {
    /// A reading that is older is none. Default: 5 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub max_age: Duration,
}

impl Default for TreeConfig {
    fn default() -> Self {
        Self { max_age: Duration::from_secs(5) }
    }
}

impl Settings for TreeConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        InvalidSetting::unless_some_time(POLICY, "max_age", self.max_age)
    }
}

/// How one level is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct LevelConfig {
    /// What is let in at which pressure.
    pub curve: Curve,
    /// How much of its pressure the level above feels, from 0 to 1: less than 1 has a level deal
    /// with its own before others do. Default: 0.5.
    pub weight: f64,
}

impl Default for LevelConfig {
    fn default() -> Self {
        Self { curve: Curve::default(), weight: 0.5 }
    }
}

impl Settings for LevelConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        self.curve.validate(POLICY)?;
        let rule = "a number from 0 to 1";
        InvalidSetting::unless_within(POLICY, "weight", self.weight, 0.0..=1.0, rule)
    }
}

/// Levels of pressure, each below another: what one is under, those above feel in part; and where
/// one lets less in, so do all below it.
///
/// The pressure of a level is the largest of its own readings, those of its sources, and its
/// children's by their weight. What it lets in is the least that its own [`Curve`] and those of all
/// levels above allow: at a pressure of 1, exactly the floor. A reading that is older than
/// [`max_age`](TreeConfig::max_age) is none, so that one who died does not throttle for ever.
///
/// ```
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{LevelConfig, PressureTree, TreeConfig};
///
/// let tree = PressureTree::new("node", TreeConfig::default(), &VirtualTime::new())?;
/// for path in ["system", "system/orders", "system/search"] {
///     tree.add(path, LevelConfig::default())?;
/// }
/// tree.report("system/orders", 1.0)?;
/// tree.report("system/search", 0.2)?;
/// assert_eq!(tree.worst().unwrap().path, "system/orders");
/// assert_eq!(tree.factor("system/orders")?, 0.1); // the floor
/// assert_eq!(tree.factor("system/search")?, 1.0); // not its trouble
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// A level below one that does not exist is refused by name, and a reading for one that does not
/// exist is an error. A reading that is not a number is none.
#[derive(Clone)]
pub struct PressureTree(Arc<Shared>);

struct Shared {
    name: Arc<str>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    config: TreeConfig,
    /// Parents before their children.
    levels: Vec<Level>,
}

#[derive(Clone)]
struct Level {
    path: Arc<str>,
    parent: Option<usize>,
    config: LevelConfig,
    own: Option<Pressure>,
    sources: Vec<Arc<dyn PressureSource>>,
}

/// What a level is under.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelReading {
    /// Where it is, such as `system/orders`.
    pub path: String,
    /// Its pressure; none where neither it nor one below it has a reading.
    pub pressure: Option<f64>,
    /// Whether its own reading has expired.
    pub is_stale: bool,
    /// The share that it lets in.
    pub factor: f64,
}

/// There is no such level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel(pub String);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no level {:?}: add it first", self.0)
    }
}

impl error::Error for UnknownLevel {}

impl PressureTree {
    /// No levels yet, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: TreeConfig,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let (clock, state) = (Clock::of(scheduler), State { config, levels: Vec::new() });
        Ok(Self(Arc::new(Shared { name: name.into(), clock, state: Mutex::new(state) })))
    }

    /// Adds a level, such as `system/orders` below `system`; or sets one that there is anew.
    ///
    /// # Errors
    ///
    /// The configuration is not valid, or the level above does not exist.
    pub fn add(&self, path: &str, config: LevelConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        let mut state = self.0.state.lock();
        if let Some(level) = state.levels.iter_mut().find(|level| *level.path == *path) {
            level.config = config;
            return Ok(());
        }
        let above = path.rsplit_once('/').map(|(above, _)| above);
        let parent =
            above.and_then(|above| state.levels.iter().position(|level| *level.path == *above));
        let is_valid = !path.is_empty() && (above.is_none() || parent.is_some());
        InvalidSetting::unless(is_valid, POLICY, "path", path, "below a level that was added")?;
        let level = Level { path: path.into(), parent, config, own: None, sources: Vec::new() };
        state.levels.push(level);
        Ok(())
    }

    /// A level's own pressure, as of now.
    ///
    /// # Errors
    ///
    /// There is no such level.
    pub fn report(&self, path: &str, level: f64) -> Result<(), UnknownLevel> {
        let reading = Pressure::new(level, self.0.clock.now());
        self.change(path, |level| level.own = reading)
    }

    /// Reads a level's pressure from `source` as well, whenever it is asked for.
    ///
    /// # Errors
    ///
    /// There is no such level.
    pub fn attach(
        &self,
        path: &str,
        source: impl PressureSource + 'static,
    ) -> Result<(), UnknownLevel> {
        let source: Arc<dyn PressureSource> = Arc::new(source);
        self.change(path, |level| level.sources.push(source))
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut Level)) -> Result<(), UnknownLevel> {
        let mut state = self.0.state.lock();
        let level = state.levels.iter_mut().find(|level| *level.path == *path);
        level.map(change).ok_or_else(|| UnknownLevel(path.to_owned()))
    }

    /// All levels, each after the one above it.
    #[must_use]
    pub fn readings(&self) -> Vec<LevelReading> {
        let (levels, max_age) = {
            let state = self.0.state.lock();
            (state.levels.clone(), state.config.max_age)
        };
        let now = self.0.clock.now();
        // The sources are the user's code: after the lock.
        let fresh = |reading: Option<Pressure>| {
            reading.and_then(|reading| reading.if_fresh(now, max_age)).map(Pressure::level)
        };
        let own = |level: &Level| {
            let sources = level.sources.iter().map(|source| fresh(source.pressure()));
            sources.fold(fresh(level.own), larger)
        };
        let mut pressures: Vec<Option<f64>> = levels.iter().map(own).collect();
        for (index, level) in levels.iter().enumerate().rev() {
            if let (Some(parent), Some(pressure)) = (level.parent, pressures[index]) {
                let felt = pressure * level.config.weight;
                pressures[parent] = larger(pressures[parent], Some(felt));
            }
        }
        let mut readings: Vec<LevelReading> = Vec::with_capacity(levels.len());
        for (level, pressure) in levels.iter().zip(pressures) {
            let above = level.parent.map_or(1.0, |parent| readings[parent].factor);
            let own = pressure.map_or(1.0, |pressure| level.config.curve.factor(pressure));
            readings.push(LevelReading {
                path: level.path.to_string(),
                pressure,
                is_stale: level.own.is_some() && fresh(level.own).is_none(),
                factor: own.min(above),
            });
        }
        readings
    }

    /// The level that lets least in, by its own pressure, and of several the one under the most
    /// pressure; `None` where no level has a reading.
    #[must_use]
    pub fn worst(&self) -> Option<LevelReading> {
        let readings = self.readings();
        let has_reading = readings.into_iter().filter(|reading| reading.pressure.is_some());
        has_reading.min_by(|a, b| {
            a.factor.total_cmp(&b.factor).then_with(|| {
                let pressure = |reading: &LevelReading| reading.pressure.unwrap_or(0.0);
                pressure(b).total_cmp(&pressure(a))
            })
        })
    }

    /// The share that a level lets in, from 1 to its floor.
    ///
    /// # Errors
    ///
    /// There is no such level.
    pub fn factor(&self, path: &str) -> Result<f64, UnknownLevel> {
        let reading = self.readings().into_iter().find(|reading| reading.path == path);
        reading.map(|reading| reading.factor).ok_or_else(|| UnknownLevel(path.to_owned()))
    }
}

fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

/// The most that any level is under.
impl PressureSource for PressureTree {
    fn pressure(&self) -> Option<Pressure> {
        let pressures = self.readings().into_iter().map(|reading| reading.pressure);
        Pressure::new(pressures.fold(None, larger)?, self.0.clock.now())
    }
}

impl Policy for PressureTree {
    type Config = TreeConfig;
    type Snapshot = Vec<LevelReading>;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> TreeConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> Vec<LevelReading> {
        self.readings()
    }

    fn reconfigure(&self, config: TreeConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        self.0.state.lock().config = config;
        Ok(())
    }
}

impl fmt::Debug for PressureTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PressureTree")
            .field("name", &self.0.name)
            .field("levels", &self.0.state.lock().levels.len())
            .finish_non_exhaustive()
    }
}
