//! The shop: customers who order as they like, a queue, and a till that is slower.

use std::{error::Error, fmt, sync::Arc, thread, time::Duration};

use hdrhistogram::Histogram;
use millstream::{
    KillSwitch, Registry,
    scheduler::{Pool, Scheduler as _, Worker},
};
use millstream_observe::Inventory;
use millstream_pressure::{
    FlowExt as _, Policy as _, Queue, QueueConfig, QueueSnapshot, RateConfig, RateLimit,
};

use super::Policy;

/// How many orders wait at the most.
const ROOM: usize = 5_000;

/// How long a customer waits for room.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often customers come in.
const TICK: Duration = Duration::from_millis(2);

/// An order: when it was made.
#[derive(Clone, Copy, Debug)]
struct Order(Duration);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The shop, open until [`close`](Self::close).
pub(super) struct Shop {
    parts: Parts,
    customers: Option<thread::JoinHandle<()>>,
    till: Option<millstream::Outcome<()>>,
    pool: Pool,
}

/// What those who look at a shop, and change it, have of it.
#[derive(Clone)]
pub(super) struct Parts {
    queue: Queue<Order>,
    till: RateLimit,
    /// How many come in a second: a limit that is only asked.
    load: RateLimit,
    inventory: Inventory,
    switch: KillSwitch,
    sales: Arc<parking_lot::Mutex<Sales>>,
    clock: Worker,
}

/// What the till has done.
struct Sales {
    n: u64,
    /// Orders that customers have made until now.
    n_made: u64,
    total: Histogram<u64>,
    /// Since the last row.
    recent: Histogram<u64>,
}

/// What has come of a second, or of it all.
pub(super) struct Row {
    pub(super) elapsed: Duration,
    pub(super) policy: Policy,
    pub(super) made: u64,
    pub(super) sold: u64,
    pub(super) queue: QueueSnapshot,
    pub(super) p99: Duration,
    /// What the process takes, in bytes, where the system says.
    pub(super) memory: Option<u64>,
}

impl Shop {
    pub(super) fn open(load: f64, till: f64, policy: Policy) -> Result<Self> {
        let pool = Pool::try_named("shop", 2)?;
        let queue = Queue::new("orders", config(policy), &pool)?;
        let till = RateLimit::new("till", per_second(till), &pool)?;
        let load = RateLimit::new("load", per_second(load), &pool)?;
        let inventory = Inventory::new("flash sale", &pool);
        let registry = Registry::new();
        let histogram = || Histogram::new(2).expect("two digits are allowed");
        let sales = Sales { n: 0, n_made: 0, total: histogram(), recent: histogram() };
        let parts = Parts {
            queue,
            till,
            load,
            inventory,
            switch: KillSwitch::new(),
            sales: Arc::new(parking_lot::Mutex::new(sales)),
            clock: pool.worker(),
        };
        let (sales, clock) = (Arc::clone(&parts.sales), parts.clock.clone());
        let sold = parts
            .queue
            .flow()
            .kill_switch(&parts.switch)
            .inspect_demand("orders taken", &registry)
            .rate_limit(&parts.till)
            .publish_on(&pool)
            .capacity(16)
            .inspect_demand("till", &registry)
            .for_each(move |Order(made)| {
                let took = clock.now().saturating_sub(made);
                let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                let mut sales = sales.lock();
                sales.n += 1;
                // They grow as far as they have to: 64 bits of microseconds fit.
                sales.total.record(micros).ok();
                sales.recent.record(micros).ok();
            });
        let orders = parts.inventory.policy(&parts.queue);
        let flow = parts.inventory.flow("shop", &registry);
        let limit = parts.inventory.policy(&parts.till);
        parts.inventory.connect(orders, flow.clone())?;
        parts.inventory.guard(limit, flow.stage("till"))?;
        let customers = parts.clone();
        let customers =
            thread::Builder::new().name("customers".to_owned()).spawn(move || customers.order())?;
        Ok(Self { parts, customers: Some(customers), till: Some(sold), pool })
    }

    pub(super) fn inventory(&self) -> &Inventory {
        &self.parts.inventory
    }

    pub(super) fn parts(&self) -> Parts {
        self.parts.clone()
    }

    /// Orders that come a second, and that the till takes.
    pub(super) fn rates(&self) -> (f64, f64) {
        (self.parts.load.config().rate, self.parts.till.config().rate)
    }

    pub(super) fn set_policy(&self, policy: Policy) -> Result<()> {
        self.parts.set_policy(policy).map_err(Into::into)
    }

    /// What has come of it since the last row.
    pub(super) fn row(&self, elapsed: Duration) -> Row {
        let Parts { queue, sales, .. } = &self.parts;
        let mut sales = sales.lock();
        let p99 = Duration::from_micros(sales.recent.value_at_quantile(0.99));
        sales.recent.reset();
        Row {
            elapsed,
            policy: Policy::of(queue.config().when_full),
            made: sales.n_made,
            sold: sales.n,
            queue: queue.snapshot(),
            p99,
            memory: memory(),
        }
    }

    /// Closes the shop, and says what came of the day.
    pub(super) fn close(mut self) -> Result<Total> {
        self.parts.switch.complete();
        self.parts.queue.close();
        if let Some(customers) = self.customers.take() {
            customers.join().map_err(|_| "a customer panicked")?;
        }
        if let Some(till) = self.till.take() {
            till.wait()?;
        }
        self.pool.shutdown();
        let snapshot = self.parts.queue.snapshot();
        let sales = self.parts.sales.lock();
        Ok(Total {
            made: sales.n_made,
            sold: sales.n,
            lost: snapshot.balance.total_dropped(),
            p50: Duration::from_micros(sales.total.value_at_quantile(0.5)),
            p99: Duration::from_micros(sales.total.value_at_quantile(0.99)),
        })
    }
}

/// What came of it all.
pub(super) struct Total {
    made: u64,
    sold: u64,
    lost: u64,
    p50: Duration,
    p99: Duration,
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { made, sold, lost, p50, p99 } = self;
        write!(
            f,
            "{made} orders: {sold} sold, {lost} lost, {} left; from order to till p50 {p50:.1?}, p99 {p99:.1?}",
            made.saturating_sub(sold + lost),
        )
    }
}

impl Parts {
    /// Customers come as they like; one who has to wait delays those behind.
    fn order(&self) {
        let mut due = self.clock.now();
        while !self.switch.is_thrown() {
            let now = self.clock.now();
            let gap = Duration::from_secs_f64(1.0 / self.load.config().rate);
            while due <= now && !self.switch.is_thrown() {
                let waits = self.queue.config().when_full.waits();
                self.sales.lock().n_made += 1;
                // One that is refused is counted by the queue.
                if waits {
                    self.queue.put_blocking(Order(due)).ok();
                } else {
                    self.queue.try_put(Order(due)).ok();
                }
                due += gap;
            }
            // Who did not get in for long has gone away.
            due = due.max(self.clock.now().saturating_sub(PATIENCE));
            pause(TICK);
        }
    }

    pub(super) fn set_policy(&self, policy: Policy) -> std::result::Result<(), String> {
        self.queue.reconfigure(config(policy)).map_err(|error| error.to_string())
    }

    pub(super) fn set_load(&self, rate: f64) -> std::result::Result<(), String> {
        self.load.reconfigure(per_second(rate)).map_err(|error| error.to_string())
    }

    pub(super) fn set_till(&self, rate: f64) -> std::result::Result<(), String> {
        self.till.reconfigure(per_second(rate)).map_err(|error| error.to_string())
    }
}

fn config(policy: Policy) -> QueueConfig {
    QueueConfig {
        capacity: ROOM,
        when_full: policy.when_full(),
        timeout: PATIENCE,
        ..QueueConfig::default()
    }
}

/// A rate, in bursts of a twentieth of a second: a machine that has other work wakes threads late.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive")]
fn per_second(rate: f64) -> RateConfig {
    RateConfig { rate, burst: ((rate / 20.0) as u64).max(1) }
}

#[expect(clippy::disallowed_methods, reason = "customers have the time of the system")]
fn pause(time: Duration) {
    thread::sleep(time);
}

/// What the process takes, where the system says.
fn memory() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let resident: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(resident * 4096)
}
