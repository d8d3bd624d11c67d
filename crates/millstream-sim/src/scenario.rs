//! `Scenario`: who calls what, and how it is protected.

use std::{error, fmt, time::Duration};

use millstream_pressure::{
    BulkheadConfig, Criticality, LanesConfig, LimitConfig, QueueConfig, Settings as _, ShedConfig,
};
use serde::{Deserialize, Serialize};

use crate::{Expectation, Law, Phase, Report, world};

/// What is simulated, as a YAML file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub about: String,
    /// How long it lasts, by the simulated clock.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub duration: Duration,
    /// How many nodes serve; requests go to them in turn.
    #[serde(default = "one")]
    pub nodes: usize,
    /// Who calls.
    pub clients: Vec<Clients>,
    /// What they call.
    pub service: Service,
    /// How it is protected, in several ways.
    pub variants: Vec<Variant>,
}

/// Clients that behave alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// Their name, for expectations.
    #[serde(default)]
    pub name: String,
    /// How critical their requests are, for a shedder.
    #[serde(default)]
    pub criticality: Criticality,
    /// The index of their lane, where there are lanes.
    #[serde(default)]
    pub lane: usize,
    /// How long their requests take; as the service says if not set.
    #[serde(default)]
    pub time: Option<Law>,
    /// The partition of the limit that they are in.
    #[serde(default)]
    pub partition: Option<String>,
    /// When their requests arrive.
    pub arrivals: Vec<Phase>,
    /// How long they wait for an answer; for ever if not set.
    #[serde(default, with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional")]
    pub timeout: Option<Duration>,
    /// How often they try again after a time-out or a refusal.
    #[serde(default)]
    pub retries: u32,
    /// How long they wait before that.
    #[serde(default)]
    pub backoff: Backoff,
}

/// Waits between attempts: up to `base * 2^n`, but no more than `cap`, with full jitter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// The longest first wait.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub base: Duration,
    /// The longest wait.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_millis(50), cap: Duration::from_secs(1) }
    }
}

/// What each node does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// How many requests it serves at a time.
    pub workers: u32,
    /// How long each takes.
    pub time: Law,
    /// What changes meanwhile, in order.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// A change of a service. What is being served is not affected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// When.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub at: Duration,
    /// How many requests it serves at a time from then on.
    #[serde(default)]
    pub workers: Option<u32>,
    /// How many times as long each takes as at first.
    #[serde(default)]
    pub slower: Option<f64>,
    /// The only node that changes; all do if not set.
    #[serde(default)]
    pub node: Option<usize>,
    /// The only clients, by their name, whose requests take longer; all do if not set.
    #[serde(default)]
    pub clients: Option<String>,
}

/// A way to protect the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The limit in front of each node, where it refuses at once; none if not set.
    pub limit: Option<LimitConfig>,
    /// What refuses by class at each node; nothing if not set.
    pub shed: Option<ShedConfig>,
    /// How many requests of each kind of clients each node takes; any number if not set.
    pub bulkhead: Option<BulkheadConfig>,
    /// The lanes of each node, in place of a queue; none if not set.
    pub lanes: Option<LanesConfig>,
    /// The queue of each node; if not set, one without bound, first come, first served.
    pub queue: Option<QueueConfig>,
    /// The retries of clients are at most this share of their requests; as many as they like if not
    /// set.
    pub retry_budget: Option<f64>,
    /// What it is to show.
    pub expect: Vec<Expectation>,
}

/// A scenario that cannot be simulated.
#[derive(Debug)]
pub struct InvalidScenario(String);

impl fmt::Display for InvalidScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for InvalidScenario {}

fn one() -> usize {
    1
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// The text is no scenario: what is wrong, with line and column where a key is unknown or a
    /// value has another form; or a setting makes no sense, by its name.
    pub fn from_yaml(text: &str) -> Result<Self, InvalidScenario> {
        let scenario: Self =
            serde_saphyr::from_str(text).map_err(|error| InvalidScenario(error.to_string()))?;
        scenario.validate()?;
        Ok(scenario)
    }

    /// Checks each setting.
    ///
    /// # Errors
    ///
    /// The first setting that makes no sense.
    pub fn validate(&self) -> Result<(), InvalidScenario> {
        let check = |is_valid: bool, what: String| {
            if is_valid { Ok(()) } else { Err(InvalidScenario(what)) }
        };
        let day = Duration::from_secs(24 * 60 * 60);
        let is_time = !self.duration.is_zero() && self.duration <= day;
        check(is_time, "duration has to be more than 0 and at most a day".to_owned())?;
        let is_number = (1..=1_000).contains(&self.nodes);
        check(is_number, "nodes has to be from 1 to 1000".to_owned())?;
        check(!self.variants.is_empty(), "variants has none: name one at least".to_owned())?;
        for (index, clients) in self.clients.iter().enumerate() {
            let is_valid = clients.arrivals.iter().all(Phase::is_valid);
            let what = format!(
                "clients[{index}].arrivals: a phase lasts some time, with a rate from 0 to 1e7, a \
                 burst of at least 1, and a trace that is sorted and within it"
            );
            check(is_valid, what)?;
            let is_valid = clients.timeout != Some(Duration::ZERO) && clients.retries <= 100;
            let what = "timeout has to be more than 0, and retries at most 100";
            check(is_valid, format!("clients[{index}]: {what}"))?;
            let is_valid = clients.time.is_none_or(|time| time.is_valid());
            check(is_valid, format!("clients[{index}].time is as service.time"))?;
        }
        check(!self.variants.is_empty(), "variants: there has to be one".to_owned())?;
        let Service { workers, time, changes } = &self.service;
        let is_number = |workers: u32| (1..=100_000).contains(&workers);
        check(is_number(*workers), "service.workers has to be from 1 to 100000".to_owned())?;
        let what = "service.time has to be from 1us to 1h, with a sigma from 0 to 4 and a share from \
                    0 to 1";
        check(time.is_valid(), what.to_owned())?;
        let is_valid = changes.is_sorted_by_key(|change| change.at)
            && changes.iter().all(|change| {
                change.workers.is_none_or(is_number)
                    && change.slower.is_none_or(|slower| (1e-3..=1e3).contains(&slower))
                    && change.node.is_none_or(|node| node < self.nodes)
                    && change.clients.as_ref().is_none_or(|name| self.index_of(name).is_some())
            });
        let what = "service.changes have to be in order, with workers from 1, slower from 0.001 to \
                    1000, and nodes and clients that there are";
        check(is_valid, what.to_owned())?;
        self.variants.iter().try_for_each(|variant| self.check_variant(variant))
    }

    /// The clients with this name.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.clients.iter().position(|clients| clients.name == name)
    }

    fn check_variant(&self, variant: &Variant) -> Result<(), InvalidScenario> {
        let error = |what: String| InvalidScenario(format!("variant {:?}: {what}", variant.name));
        if let Some(limit) = &variant.limit {
            limit.validate().map_err(|invalid| error(invalid.to_string()))?;
        }
        if let Some(queue) = &variant.queue {
            queue.validate().map_err(|invalid| error(invalid.to_string()))?;
        }
        if let Some(shed) = &variant.shed {
            shed.validate().map_err(|invalid| error(invalid.to_string()))?;
        }
        if let Some(bulkhead) = &variant.bulkhead {
            bulkhead.validate().map_err(|invalid| error(invalid.to_string()))?;
        }
        if let Some(lanes) = &variant.lanes {
            lanes.validate().map_err(|invalid| error(invalid.to_string()))?;
            if let Some(lane) = self.clients.iter().map(|clients| clients.lane).max()
                && lane >= lanes.lanes.len()
            {
                return Err(error(format!("there is no lane {lane}")));
            }
            if variant.queue.is_some() {
                return Err(error("lanes and queue exclude each other".to_owned()));
            }
        }
        let names = variant.expect.iter().filter_map(|expectation| expectation.clients.as_ref());
        if let Some(name) = names.into_iter().find(|name| self.index_of(name).is_none()) {
            return Err(error(format!("expect: there are no clients {name:?}")));
        }
        let budget = variant.retry_budget.unwrap_or(0.0);
        if !(0.0..=100.0).contains(&budget) {
            return Err(error(format!("retry_budget is {budget}, but has to be from 0 to 100")));
        }
        let names = |name: &String| {
            let shares = variant.limit.iter().flat_map(|limit| &limit.partitions);
            shares.into_iter().any(|share| share.name == *name)
        };
        match self.clients.iter().filter_map(|clients| clients.partition.as_ref()).find(|name| {
            variant.limit.as_ref().is_some_and(|limit| !limit.partitions.is_empty()) && !names(name)
        }) {
            Some(name) => Err(error(format!("the limit has no partition {name:?}"))),
            None => Ok(()),
        }
    }

    /// Leaves the variant of this name alone.
    ///
    /// # Errors
    ///
    /// There is none; the error says which there are.
    pub fn only(mut self, variant: &str) -> Result<Self, InvalidScenario> {
        let names: Vec<_> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        if !names.contains(&variant) {
            let names = names.join(", ");
            return Err(InvalidScenario(format!("no variant `{variant}`; there are: {names}")));
        }
        self.variants.retain(|other| other.name == variant);
        Ok(self)
    }

    /// Plays each variant.
    ///
    /// # Panics
    ///
    /// If the scenario is not [valid](Self::validate).
    #[must_use]
    pub fn run(&self, seed: u64) -> Vec<Report> {
        if let Err(error) = self.validate() {
            panic!("{error}");
        }
        self.variants.iter().map(|variant| world::run(self, variant, seed)).collect()
    }
}
