//! The loop: what happens next, at its time.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{Attempts, Random, RetryBudget, RetryConfig};

use crate::{
    Measures, Report, Scenario, Variant,
    arrivals::Arrivals,
    client::{Key, Request, Requests},
    node::{Job, Node},
    report::Played,
};

/// How often limits and queues are looked at.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival { clients: usize, n: u32 },
    Attempt(Key),
    End { node: usize, place: usize },
    Timeout { key: Key, n_before: u32 },
    Change(usize),
    Look,
}

struct World<'a> {
    scenario: &'a Scenario,
    time: VirtualTime,
    now: Duration,
    /// Ordered by time, and then by which was added first.
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    n_events: u64,
    arrivals: Vec<Arrivals>,
    requests: Requests,
    budget: Option<RetryBudget>,
    nodes: Vec<Node>,
    next_node: usize,
    jitter: Random,
    /// Of each kind of clients.
    by_clients: Vec<Vec<Measures>>,
    /// What does not belong to one kind.
    seconds: Vec<Measures>,
    limits: Vec<f64>,
}

pub(crate) fn run(scenario: &Scenario, variant: &Variant, seed: u64) -> Report {
    let mut seeds = Random::seeded(seed);
    let mut random = || Random::seeded(seeds.number());
    let time = VirtualTime::new();
    let arrivals = scenario.clients.iter();
    let arrivals = arrivals.map(|clients| Arrivals::new(clients.arrivals.clone(), random()));
    let arrivals: Vec<Arrivals> = arrivals.collect();
    let nodes = (0..scenario.nodes)
        .map(|_| Node::new(&scenario.clients, &scenario.service, variant, &time, random()));
    let nodes: Vec<Node> = nodes.collect();
    let n_seconds = scenario.duration.as_secs_f64().ceil() as usize;
    let mut world = World {
        scenario,
        now: Duration::ZERO,
        events: BinaryHeap::new(),
        n_events: 0,
        arrivals,
        requests: Requests::default(),
        nodes,
        next_node: 0,
        jitter: random(),
        budget: variant.retry_budget.map(|ratio| budget(ratio, &time, random())),
        by_clients: vec![vec![Measures::default(); n_seconds]; scenario.clients.len()],
        seconds: vec![Measures::default(); n_seconds],
        limits: Vec::new(),
        time,
    };
    world.play();
    let is_whole = world.nodes.iter().all(Node::is_whole);
    let World { mut seconds, mut by_clients, limits, .. } = world;
    for (index, second) in seconds.iter_mut().enumerate() {
        for of_some in &mut by_clients {
            of_some[index].share(second);
        }
        by_clients.iter().for_each(|of_some| second.add(&of_some[index]));
    }
    Report::new(scenario, variant, seed, Played { seconds, by_clients, limits, is_whole })
}

/// A budget of the share `ratio`. How often and after which wait a request is retried is up to its
/// clients.
fn budget(ratio: f64, time: &VirtualTime, random: Random) -> RetryBudget {
    let config = RetryConfig { max_attempts: u32::MAX, ratio, ..RetryConfig::default() };
    RetryBudget::with_random("retries", config, time, random).expect("it was checked before")
}

impl World<'_> {
    fn play(&mut self) {
        (0..self.arrivals.len()).for_each(|clients| self.expect_arrival(clients));
        for (index, change) in self.scenario.service.changes.iter().enumerate() {
            self.add(change.at, Event::Change(index));
        }
        self.add(LOOK / 2, Event::Look);
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at >= self.scenario.duration {
                return;
            }
            self.time.advance(at.saturating_sub(self.now));
            self.now = at;
            self.happen(event);
        }
    }

    fn add(&mut self, at: Duration, event: Event) {
        self.n_events += 1;
        self.events.push(Reverse((at, self.n_events, event)));
    }

    fn second(&mut self, clients: usize) -> &mut Measures {
        &mut self.by_clients[clients][self.now.as_secs() as usize]
    }

    fn expect_arrival(&mut self, clients: usize) {
        if let Some((at, n)) = self.arrivals[clients].next() {
            self.add(at, Event::Arrival { clients, n });
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrival { clients, n } => {
                self.expect_arrival(clients);
                for _ in 0..n {
                    self.second(clients).offered += 1;
                    let (started, n_before) = (self.now, 0);
                    let attempts = self.budget.as_ref().map(RetryBudget::start);
                    let request = Request { clients, started, n_before, attempts };
                    let key = self.requests.add(request);
                    self.attempt(key);
                }
            }
            Event::Attempt(key) => self.attempt(key),
            Event::End { node, place } => {
                if let Some(job) = self.nodes[node].end(place) {
                    self.answer(&job);
                }
                self.start(node);
            }
            Event::Timeout { key, n_before } => {
                if self.requests.get(key).is_some_and(|request| request.n_before == n_before) {
                    self.try_again(key);
                }
            }
            Event::Change(index) => {
                let change = &self.scenario.service.changes[index];
                let only = change.clients.as_ref().and_then(|name| self.scenario.index_of(name));
                for node in 0..self.nodes.len() {
                    if change.node.is_none_or(|only| only == node) {
                        self.nodes[node].change(change, only);
                        self.start(node);
                    }
                }
            }
            Event::Look => {
                self.add(self.now + LOOK, Event::Look);
                let limit: u64 = self.nodes.iter().map(Node::limit).sum();
                let queued: usize = self.nodes.iter().map(Node::queued).sum();
                let capacity: f64 = self.nodes.iter().map(Node::capacity).sum();
                self.limits.push(limit as f64);
                let second = &mut self.seconds[self.now.as_secs() as usize];
                second.read(limit as f64, queued as f64);
                second.capacity += capacity * LOOK.as_secs_f64();
            }
        }
    }

    fn attempt(&mut self, key: Key) {
        let Some(&mut Request { clients, n_before, .. }) = self.requests.get(key) else { return };
        self.second(clients).attempts += 1;
        if let Some(timeout) = self.scenario.clients[clients].timeout {
            self.add(self.now + timeout, Event::Timeout { key, n_before });
        }
        let node = self.next_node;
        self.next_node = (node + 1) % self.nodes.len();
        if self.nodes[node].offer(clients, key, n_before) {
            self.start(node);
        } else {
            self.refuse(clients, key, n_before);
        }
        self.refuse_dropped(node);
    }

    fn start(&mut self, node: usize) {
        while let Some((place, time)) = self.nodes[node].start() {
            self.add(self.now + time, Event::End { node, place });
        }
        self.refuse_dropped(node);
    }

    fn refuse_dropped(&mut self, node: usize) {
        for Job { clients, key, n_before, .. } in self.nodes[node].dropped() {
            self.refuse(clients, key, n_before);
        }
    }

    fn refuse(&mut self, clients: usize, key: Key, n_before: u32) {
        self.second(clients).refused += 1;
        if self.requests.get(key).is_some_and(|request| request.n_before == n_before) {
            self.try_again(key);
        }
    }

    fn answer(&mut self, job: &Job) {
        let (now, key) = (self.now, job.key);
        match self.requests.get(key) {
            Some(request) if request.n_before == job.n_before => {
                let latency = now - request.started;
                self.requests.remove(key);
                self.second(job.clients).answer(latency);
            }
            _ => self.second(job.clients).late += 1,
        }
    }

    /// An attempt has failed.
    fn try_again(&mut self, key: Key) {
        let Some(request) = self.requests.get(key) else { return };
        let index = request.clients;
        let clients = &self.scenario.clients[index];
        let may_retry = |attempts: &mut Attempts| attempts.retry().is_some();
        if request.n_before >= clients.retries || !request.attempts.as_mut().is_none_or(may_retry) {
            self.requests.remove(key);
            self.second(index).failed += 1;
            return;
        }
        request.n_before += 1;
        let wait = clients.backoff.wait(request.n_before, &mut self.jitter);
        self.add(self.now + wait, Event::Attempt(key));
    }
}
