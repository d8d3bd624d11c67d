//! `Forecast`: acting before the threshold, as long as that proves right.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use millstream::scheduler::Scheduler;
use parking_lot::Mutex;

use crate::{Clock, InvalidSetting, Policy, Pressure, PressureSource, Settings};

const POLICY: &str = "forecast";

/// How a forecast is made.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ForecastMethod {
    /// Holt's double exponential smoothing: of the level, and of its trend.
    Holt {
        /// How fast the level follows, from 0 to 1.
        alpha: f64,
        /// How fast the trend follows, from 0 to 1.
        beta: f64,
    },
    /// The line through the last readings with the least squares.
    LeastSquares {
        /// Through how many, at least 2.
        readings: usize,
    },
}

/// How a forecast is set up.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ForecastConfig {
    /// How it is made. Default: Holt's, with 0.3 and 0.1.
    pub method: ForecastMethod,
    /// How often the source is read. Default: 1 s.
    #[cfg_attr(
        feature = "serde",
        serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")
    )]
    pub interval: Duration,
    /// For how many intervals ahead. Default: 3.
    pub horizon: u32,
    /// By how many of its last forecasts it is judged. Default: 20.
    pub window: usize,
}

impl Default for ForecastConfig {
    fn default() -> Self {
        Self {
            method: ForecastMethod::Holt { alpha: 0.3, beta: 0.1 },
            interval: Duration::from_secs(1),
            horizon: 3,
            window: 20,
        }
    }
}

impl Settings for ForecastConfig {
    fn validate(&self) -> Result<(), InvalidSetting> {
        match self.method {
            ForecastMethod::Holt { alpha, beta } => {
                let rule = "a number from 0 to 1";
                InvalidSetting::unless_within(POLICY, "method.alpha", alpha, 0.0..=1.0, rule)?;
                InvalidSetting::unless_within(POLICY, "method.beta", beta, 0.0..=1.0, rule)?;
            }
            ForecastMethod::LeastSquares { readings } => {
                let is_valid = (2..=10_000).contains(&readings);
                let rule = "from 2 to 10000";
                InvalidSetting::unless(is_valid, POLICY, "method.readings", readings, rule)?;
            }
        }
        InvalidSetting::unless_some_time(POLICY, "interval", self.interval)?;
        let is_valid = (1..=1_000).contains(&self.horizon);
        InvalidSetting::unless(is_valid, POLICY, "horizon", self.horizon, "from 1 to 1000")?;
        let is_valid = (1..=10_000).contains(&self.window);
        InvalidSetting::unless(is_valid, POLICY, "window", self.window, "from 1 to 10000")
    }
}

/// A source of pressure that says what another one will read a few intervals from now, so that
/// what takes time to act can begin before the threshold.
///
/// A forecast can be worse than none. Each one is compared with what came, and so is the naive
/// forecast that nothing changes: the pressure is the forecast's only while its mean error over the
/// last [`window`](ForecastConfig::window) is less than that of the naive one, and otherwise what
/// is read now. It is never less than what is read now.
///
/// The source is read when the forecast is, once an interval at most: whoever uses it, such as a
/// [`Controller`](crate::Controller), drives it.
///
/// ```
/// use std::time::Duration;
/// use millstream::scheduler::VirtualTime;
/// use millstream_pressure::{
///     Forecast, ForecastConfig, LevelConfig, PressureSource as _, PressureTree, TreeConfig,
/// };
///
/// let time = VirtualTime::new();
/// let depth = PressureTree::new("depth", TreeConfig::default(), &time)?;
/// depth.add("queue", LevelConfig::default())?;
/// let forecast = Forecast::new("depth", ForecastConfig::default(), depth.clone(), &time)?;
/// for n in 0..60 {
///     depth.report("queue", f64::from(n) * 0.01)?;
///     forecast.pressure();
///     time.advance(Duration::from_secs(1));
/// }
/// // 0.59 was read, and 0.6 is next; three intervals later it will be 0.62.
/// assert!(forecast.pressure().unwrap().level() > 0.61);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Bad input
///
/// Settings that make no sense are refused by name. A reading that is missing, or was taken before
/// the last one, begins the forecast anew.
pub struct Forecast<S>(Arc<Shared<S>>);

struct Shared<S> {
    name: Arc<str>,
    clock: Clock,
    source: S,
    state: Mutex<State>,
}

struct State {
    config: ForecastConfig,
    model: Model,
    /// When the source was read last.
    read_at: Option<Duration>,
    /// What was said for the next readings, by the model and naively, the nearest first.
    said: VecDeque<(f64, f64)>,
    /// How far off that was, the latest last.
    errors: VecDeque<(f64, f64)>,
    /// The last forecast.
    forecast: Option<f64>,
}

#[derive(Default)]
struct Model {
    level: Option<f64>,
    trend: f64,
    readings: VecDeque<f64>,
}

/// What [`Forecast`] says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForecastSnapshot {
    /// What will be read after the horizon; none before there were enough readings.
    pub forecast: Option<f64>,
    /// The mean error of the last forecasts.
    pub error: Option<f64>,
    /// That of the naive ones.
    pub naive_error: Option<f64>,
    /// Whether the forecast is used now.
    pub is_used: bool,
}

impl<S: PressureSource + 'static> Forecast<S> {
    /// A forecast of `source`, by the clock of `scheduler`.
    ///
    /// # Errors
    ///
    /// The configuration is not valid.
    pub fn new(
        name: impl Into<Arc<str>>,
        config: ForecastConfig,
        source: S,
        scheduler: &impl Scheduler,
    ) -> Result<Self, InvalidSetting> {
        config.validate()?;
        let (clock, state) = (Clock::of(scheduler), Mutex::new(State::new(config)));
        Ok(Self(Arc::new(Shared { name: name.into(), clock, source, state })))
    }
}

impl State {
    fn new(config: ForecastConfig) -> Self {
        Self {
            config,
            model: Model::default(),
            read_at: None,
            said: VecDeque::new(),
            errors: VecDeque::new(),
            forecast: None,
        }
    }

    /// The source was read.
    fn read(&mut self, level: f64, now: Duration) {
        let ForecastConfig { method, interval, horizon, window } = self.config;
        if let Some(read_at) = self.read_at {
            let passed = now.saturating_sub(read_at);
            if passed < interval {
                return;
            }
            // Intervals of which nothing is known: what was said for them cannot be judged.
            if passed >= interval * 2 {
                *self = Self { errors: std::mem::take(&mut self.errors), ..Self::new(self.config) };
            }
        }
        self.read_at = Some(now);
        if self.said.len() >= horizon as usize
            && let Some((model, naive)) = self.said.pop_front()
        {
            self.errors.push_back(((model - level).abs(), (naive - level).abs()));
            let n_old = self.errors.len().saturating_sub(window);
            self.errors.drain(..n_old);
        }
        self.forecast = self.model.next(method, level, horizon);
        if let Some(forecast) = self.forecast {
            self.said.push_back((forecast.clamp(0.0, 1.0), level));
        }
    }

    /// The mean errors.
    fn errors(&self) -> Option<(f64, f64)> {
        let n = self.errors.len() as f64;
        let (model, naive) =
            self.errors.iter().fold((0.0, 0.0), |sum, error| (sum.0 + error.0, sum.1 + error.1));
        (n > 0.0).then_some((model / n, naive / n))
    }

    fn is_used(&self) -> bool {
        let is_judged = self.errors.len() >= self.config.window;
        is_judged && self.errors().is_some_and(|(model, naive)| model < naive)
    }
}

impl Model {
    /// What will be read after `horizon` intervals, given one more reading.
    fn next(&mut self, method: ForecastMethod, reading: f64, horizon: u32) -> Option<f64> {
        match method {
            ForecastMethod::Holt { alpha, beta } => {
                let Some(before) = self.level else {
                    self.level = Some(reading);
                    return None;
                };
                let level = alpha * reading + (1.0 - alpha) * (before + self.trend);
                self.trend += beta * (level - before - self.trend);
                self.level = Some(level);
                Some(level + self.trend * f64::from(horizon))
            }
            ForecastMethod::LeastSquares { readings } => {
                self.readings.push_back(reading);
                let n_old = self.readings.len().saturating_sub(readings);
                self.readings.drain(..n_old);
                if self.readings.len() < readings {
                    return None;
                }
                let n = self.readings.len() as f64;
                let middle = (n - 1.0) / 2.0;
                let mean = self.readings.iter().sum::<f64>() / n;
                let (mut products, mut squares) = (0.0, 0.0);
                for (x, y) in self.readings.iter().enumerate() {
                    products += (x as f64 - middle) * (y - mean);
                    squares += (x as f64 - middle).powi(2);
                }
                Some(mean + products / squares * (middle + f64::from(horizon)))
            }
        }
    }
}

impl<S: PressureSource + 'static> PressureSource for Forecast<S> {
    fn pressure(&self) -> Option<Pressure> {
        // The user's code: before the lock.
        let reading = self.0.source.pressure()?;
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        state.read(reading.level(), now);
        let forecast = state.forecast.filter(|_| state.is_used()).unwrap_or(0.0);
        Pressure::new(reading.level().max(forecast), reading.read_at())
    }
}

impl<S: PressureSource + 'static> Policy for Forecast<S> {
    type Config = ForecastConfig;
    type Snapshot = ForecastSnapshot;

    fn name(&self) -> &str {
        &self.0.name
    }

    fn config(&self) -> ForecastConfig {
        self.0.state.lock().config
    }

    fn snapshot(&self) -> ForecastSnapshot {
        let state = self.0.state.lock();
        let (error, naive_error) = state.errors().unzip();
        ForecastSnapshot { forecast: state.forecast, error, naive_error, is_used: state.is_used() }
    }

    /// Begins anew.
    fn reconfigure(&self, config: ForecastConfig) -> Result<(), InvalidSetting> {
        config.validate()?;
        *self.0.state.lock() = State::new(config);
        Ok(())
    }
}

impl<S> Clone for Forecast<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Forecast<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forecast").field("name", &self.0.name).finish_non_exhaustive()
    }
}
