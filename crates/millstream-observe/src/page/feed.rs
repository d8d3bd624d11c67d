//! What browsers are told: one frame for all of them, made once.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::access::random;
use crate::{Event, Inventory, View, Watch};

/// Points of the sparklines: two minutes at the default interval.
const N_POINTS: usize = 240;
/// Events that a browser that comes later is told.
const N_EVENTS: usize = 200;

/// What all browsers read.
#[derive(Debug)]
pub(super) struct Feed {
    inventory: Inventory,
    state: Mutex<State>,
    /// The latest frame, so that one who is slow misses those between.
    frames: watch::Sender<Arc<str>>,
    places: Arc<Semaphore>,
    /// Tells one server from the next at the same address.
    instance: String,
}

#[derive(Debug)]
struct State {
    watch: Watch,
    /// Of the last look.
    view: Arc<View>,
    history: History,
    events: VecDeque<Event>,
}

/// What has been, in few numbers: for each stage its rate and outstanding demand, for each policy
/// its usage and rate; -1 is none or without bound.
#[derive(Debug, Default, Serialize)]
struct History {
    /// The names of what there was: with others, it begins anew.
    #[serde(skip)]
    names: Vec<String>,
    at_seconds: VecDeque<f64>,
    points: VecDeque<Vec<f64>>,
}

/// What a browser is told first.
#[derive(Serialize)]
struct Hello<'a> {
    instance: &'a str,
    interval_ms: u64,
    history: &'a History,
    events: &'a VecDeque<Event>,
    view: &'a View,
}

impl Feed {
    pub(super) fn new(inventory: &Inventory, max_browsers: usize) -> io::Result<Self> {
        let mut watch = inventory.watch();
        let view = Arc::new(watch.look());
        let (frames, _) = watch::channel(Arc::from(""));
        let events = view.events.iter().cloned().collect();
        let state = State { watch, view, history: History::default(), events };
        Ok(Self {
            inventory: inventory.clone(),
            state: Mutex::new(state),
            frames,
            places: Arc::new(Semaphore::new(max_browsers.min(Semaphore::MAX_PERMITS))),
            instance: random()?,
        })
    }

    pub(super) fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// The view of the last look.
    pub(super) fn view(&self) -> Arc<View> {
        Arc::clone(&self.state.lock().view)
    }

    /// The first message to a browser, the frames after it, and its place; none if all are taken.
    pub(super) fn subscribe(
        &self,
        interval: Duration,
    ) -> Option<(String, watch::Receiver<Arc<str>>, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let state = self.state.lock();
        let mut frames = self.frames.subscribe();
        frames.mark_unchanged();
        let hello = Hello {
            instance: &self.instance,
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
            history: &state.history,
            events: &state.events,
            view: &state.view,
        };
        Some((json(&hello), frames, place))
    }

    /// Looks, remembers, and tells.
    fn look(&self) {
        let mut state = self.state.lock();
        let view = Arc::new(state.watch.look());
        state.history.push(&view);
        state.events.extend(view.events.iter().cloned());
        let n_old = state.events.len().saturating_sub(N_EVENTS);
        state.events.drain(..n_old);
        state.view = Arc::clone(&view);
        // Under the lock, so that a browser's first frame comes after its first message.
        if self.frames.receiver_count() > 0 {
            self.frames.send_replace(Arc::from(json(&*view)));
        }
    }
}

/// Looks again and again, until it is told to stop.
pub(super) async fn run(feed: Arc<Feed>, every: Duration, mut stopped: watch::Receiver<bool>) {
    // The first look was made before the first browser came.
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => feed.look(),
            _ = stopped.wait_for(|is_stopped| *is_stopped) => return,
        }
    }
}

pub(super) fn json(value: &impl Serialize) -> String {
    // Names, numbers and texts: there is nothing in it that cannot be written.
    serde_json::to_string(value).unwrap_or_default()
}

impl History {
    fn push(&mut self, view: &View) {
        let names = names_of(view);
        if names != self.names {
            *self = Self { names, ..Self::default() };
        }
        if self.points.len() == N_POINTS {
            self.points.pop_front();
            self.at_seconds.pop_front();
        }
        self.at_seconds.push_back(view.snapshot.at_seconds);
        self.points.push_back(point_of(view));
    }
}

fn names_of(view: &View) -> Vec<String> {
    let flows = view.snapshot.flows.iter().flat_map(|flow| {
        flow.stages.iter().map(move |stage| format!("{}\n{}", flow.name, stage.name))
    });
    flows.chain(view.snapshot.policies.iter().map(|policy| policy.name.clone())).collect()
}

fn point_of(view: &View) -> Vec<f64> {
    let short = |number: f64| (number * 100.0).round() / 100.0;
    let stages = view.snapshot.flows.iter().zip(&view.flows).flat_map(|(flow, more)| {
        flow.stages.iter().zip(&more.stages).flat_map(move |(stage, more)| {
            let outstanding = stage.outstanding.map_or(-1.0, |n| n as f64);
            [short(more.per_second), outstanding]
        })
    });
    let policies = view.snapshot.policies.iter().zip(&view.policies).flat_map(|(policy, more)| {
        let share = policy.reading.usage.as_ref().and_then(|usage| usage.share());
        [short(share.unwrap_or(-1.0)), short(more.offered_per_second.unwrap_or(-1.0))]
    });
    stages.chain(policies).collect()
}
