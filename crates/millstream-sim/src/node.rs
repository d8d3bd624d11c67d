//! A node: workers, and the policies in front of them.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Admit as _, Bulkhead, Class, ConcurrencyLimit, Lanes, Outcome, Permit, Policy as _, Queue,
    QueueHooks, Random, Shedder,
};
use parking_lot::Mutex;

use crate::{Change, Clients, Law, Service, Variant, client::Key};

/// An attempt that a node has taken.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) clients: usize,
    pub(crate) key: Key,
    /// Attempts of the request before this one.
    pub(crate) n_before: u32,
    /// Of the shedder, the bulkhead and the limit.
    permits: [Option<Permit>; 3],
}

pub(crate) struct Node {
    shedder: Option<Shedder>,
    bulkhead: Option<Bulkhead>,
    lanes: Option<Lanes<Job>>,
    classes: Vec<Class>,
    limit: Option<ConcurrencyLimit>,
    /// For each kind of clients.
    partitions: Vec<Option<ConcurrencyLimit>>,
    queue: Option<Queue<Job>>,
    /// In place of a queue.
    plain: VecDeque<Job>,
    dropped: Arc<Mutex<Vec<Job>>>,
    running: Vec<Option<Job>>,
    idle: Vec<usize>,
    n_busy: u32,
    workers: u32,
    /// How many times as long requests of each kind of clients take.
    slower: Vec<f64>,
    laws: Vec<Law>,
    service: Service,
    random: Random,
}

impl Node {
    /// The settings were checked before.
    pub(crate) fn new(
        clients: &[Clients],
        service: &Service,
        variant: &Variant,
        time: &VirtualTime,
        random: Random,
    ) -> Self {
        let limit = variant.limit.clone().map(|config| {
            ConcurrencyLimit::new("limit", config, time).expect("it was checked before")
        });
        let partitions = clients.iter().map(|clients| {
            let limit = limit.as_ref()?;
            let partition = clients.partition.as_ref().and_then(|name| limit.partition(name));
            Some(partition.unwrap_or_else(|| limit.clone()))
        });
        let partitions = partitions.collect();
        let dropped = Arc::new(Mutex::new(Vec::new()));
        let seed = random.clone();
        let shedder = variant.shed.map(|config| {
            Shedder::with_random("shedder", config, time, seed).expect("it was checked before")
        });
        let bulkhead = variant
            .bulkhead
            .map(|config| Bulkhead::new("bulkhead", config, time).expect("it was checked before"));
        let lanes = variant.lanes.clone().map(|config| {
            let hooks = |_| {
                let dropped = Arc::clone(&dropped);
                QueueHooks::new().seed(1).on_drop(move |job, _| dropped.lock().push(job))
            };
            Lanes::with_hooks("lanes", config, time, hooks).expect("it was checked before")
        });
        let classes = clients.iter().enumerate().map(|(index, clients)| Class {
            criticality: clients.criticality,
            lane: clients.lane as u32,
            tenant: index as u64,
        });
        let queue = variant.queue.clone().map(|config| {
            let dropped = Arc::clone(&dropped);
            let hooks = QueueHooks::new().seed(1).on_drop(move |job, _| dropped.lock().push(job));
            Queue::with_hooks("queue", config, time, hooks).expect("it was checked before")
        });
        Self {
            shedder,
            bulkhead,
            lanes,
            classes: classes.collect(),
            limit,
            partitions,
            queue,
            plain: VecDeque::new(),
            dropped,
            running: Vec::new(),
            idle: Vec::new(),
            n_busy: 0,
            workers: service.workers,
            slower: vec![1.0; clients.len()],
            laws: clients.iter().map(|clients| clients.time.unwrap_or(service.time)).collect(),
            service: service.clone(),
            random,
        }
    }

    /// `only` are the clients whose requests change.
    pub(crate) fn change(&mut self, change: &Change, only: Option<usize>) {
        self.workers = change.workers.unwrap_or(self.workers);
        if let Some(slower) = change.slower {
            match only {
                Some(clients) => self.slower[clients] = slower,
                None => self.slower.fill(slower),
            }
        }
    }

    /// Requests a second that it could answer, of clients that nothing has made slower than others.
    pub(crate) fn capacity(&self) -> f64 {
        let slower = self.slower.iter().copied().reduce(f64::min).unwrap_or(1.0);
        f64::from(self.workers) / (self.service.time.mean().as_secs_f64() * slower)
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit.as_ref().map_or(0, ConcurrencyLimit::limit)
    }

    pub(crate) fn queued(&self) -> usize {
        match (&self.lanes, &self.queue) {
            (Some(lanes), _) => lanes.queues().map(Queue::len).sum(),
            (None, Some(queue)) => queue.len(),
            (None, None) => self.plain.len(),
        }
    }

    /// Takes an attempt. Whether it did; of a queue that drops, others may have gone instead.
    pub(crate) fn offer(&mut self, clients: usize, key: Key, n_before: u32) -> bool {
        let Some(permits) = self.admit(clients) else { return false };
        let job = Job { clients, key, n_before, permits };
        let lane = self.classes[clients].lane as usize;
        let queue = match &self.lanes {
            Some(lanes) => Some(lanes.lane(lane)),
            None => self.queue.as_ref(),
        };
        let Some(queue) = queue else {
            self.plain.push_back(job);
            return true;
        };
        match queue.try_put(job) {
            Ok(()) => true,
            Err(rejected) => {
                give_back(rejected.into_item());
                false
            }
        }
    }

    /// The permits for an attempt; none that was granted is kept if another is refused.
    fn admit(&self, clients: usize) -> Option<[Option<Permit>; 3]> {
        let class = self.classes[clients];
        let mut permits = [None, None, None];
        if let Some(shedder) = &self.shedder {
            permits[0] = Some(shedder.try_acquire(class).ok()?);
        }
        if let Some(bulkhead) = &self.bulkhead {
            permits[1] = Some(bulkhead.try_admit(class).ok()?);
        }
        if let Some(limit) = &self.partitions[clients] {
            permits[2] = Some(limit.try_acquire().ok()?);
        }
        Some(permits)
    }

    /// Begins with the next attempt, if a worker is free: its place among those running, and for
    /// how long.
    pub(crate) fn start(&mut self) -> Option<(usize, Duration)> {
        if self.n_busy >= self.workers {
            return None;
        }
        let job = match (&self.lanes, &self.queue) {
            (Some(lanes), _) => lanes.try_take()?.item,
            (None, Some(queue)) => queue.try_take()?.item,
            (None, None) => self.plain.pop_front()?,
        };
        let clients = job.clients;
        let place = self.idle.pop().unwrap_or_else(|| {
            self.running.push(None);
            self.running.len() - 1
        });
        self.running[place] = Some(job);
        self.n_busy += 1;
        let time = self.laws[clients].draw(&mut self.random).mul_f64(self.slower[clients]);
        Some((place, time.max(Duration::from_nanos(1))))
    }

    /// An attempt was answered.
    pub(crate) fn end(&mut self, place: usize) -> Option<Job> {
        let mut job = self.running[place].take()?;
        self.idle.push(place);
        self.n_busy -= 1;
        job.finish(Outcome::Success);
        Some(job)
    }

    /// Attempts that the queue has dropped since.
    pub(crate) fn dropped(&self) -> Vec<Job> {
        let dropped = std::mem::take(&mut *self.dropped.lock());
        dropped.into_iter().map(give_back).collect()
    }

    /// Whether the policies account for every attempt.
    pub(crate) fn is_whole(&self) -> bool {
        let shedder = self.shedder.iter().map(|shedder| shedder.snapshot().balance);
        let bulkhead = self.bulkhead.iter().map(|bulkhead| bulkhead.snapshot().balance);
        let limit = self.limit.iter().map(|limit| limit.snapshot().balance);
        let queue = self.queue.iter().map(|queue| queue.snapshot().balance);
        let lanes = self.lanes.iter().flat_map(|lanes| lanes.snapshot().lanes);
        let lanes = lanes.map(|lane| lane.queue.balance);
        shedder.chain(bulkhead).chain(limit).chain(queue).chain(lanes).all(|all| all.is_whole())
    }
}

impl Job {
    fn finish(&mut self, outcome: Outcome) {
        self.permits.iter_mut().filter_map(Option::take).for_each(|permit| permit.finish(outcome));
    }
}

/// Gives an attempt's permits back, with the news that it was dropped.
fn give_back(mut job: Job) -> Job {
    job.finish(Outcome::Failure);
    job
}
