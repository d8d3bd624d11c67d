//! What being observed costs a chain that is asked for one item at a time: with nothing, with an
//! inventory and its metrics, with the flight recorder, and with a thousand browsers that connected
//! to the page and stopped to read.
//!
//! ```text
//! cargo bench --package millstream-observe --all-features --bench cost
//! ```
//!
//! Compare the cases of one run with each other.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use millstream::{
    Error, Flow, Publisher, Registry, Subscriber, Subscription, range,
    scheduler::{Pool, VirtualTime},
};
use millstream_observe::{Inventory, page::Page};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, runtime::Builder};

const N_ITEMS: u64 = 10_000;
const N_BROWSERS: usize = 1_000;

/// Asks for the next item when it has one.
struct OneByOne(Option<Arc<dyn Subscription>>);

impl Subscriber<u64> for OneByOne {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.0 = Some(Arc::clone(&subscription));
        subscription.request(1);
    }

    fn on_next(&mut self, item: u64) {
        black_box(work(item));
        if let Some(subscription) = &self.0 {
            subscription.request(1);
        }
    }

    fn on_error(self, _: Error) {}

    fn on_complete(self) {}
}

/// About as much as it takes to parse a short line: a chain in which nothing is done is none.
fn work(item: u64) -> u64 {
    (0..64).fold(item, |hash, n| (hash ^ n).wrapping_mul(0x0100_0000_01b3))
}

fn plain() -> Flow<impl Publisher<Item = u64> + Clone> {
    range(0..N_ITEMS).map(work).map(work).map(work)
}

/// The same, in an inventory.
fn observed(
    registry: &Registry,
    inventory: &Inventory,
) -> Flow<impl Publisher<Item = u64> + Clone> {
    let flow = range(0..N_ITEMS)
        .inspect_demand("read", registry)
        .map(work)
        .map(work)
        .inspect_demand("parse", registry)
        .map(work);
    inventory.flow("main", registry);
    flow
}

fn cost(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("observed, request(1)");
    group.throughput(Throughput::Elements(N_ITEMS));
    let pool = Pool::new(1);
    let inventory = Inventory::new("bench", &pool);
    let flow = plain();
    group.bench_function("nothing", |bench| bench.iter(|| run(&flow)));
    let coarse = Registry::recording_coarsely(64, &pool, Duration::from_millis(1));
    for (name, registry) in [
        ("inventory", Registry::new()),
        ("inventory and recorder, to the millisecond", coarse),
        ("inventory and recorder, exact", Registry::recording_last(64, &pool)),
    ] {
        let flow = observed(&registry, &inventory);
        group.bench_function(name, |bench| bench.iter(|| run(&flow)));
    }
    group.finish();
}

fn run(flow: &Flow<impl Publisher<Item = u64> + Clone>) {
    flow.clone().subscribe(OneByOne(None));
}

/// What the flow does while browsers are connected that read nothing.
fn browsers(criterion: &mut Criterion) {
    let registry = Registry::new();
    let inventory = Inventory::new("bench", &VirtualTime::new());
    let flow = observed(&registry, &inventory);
    let mut group = criterion.benchmark_group("browsers that do not read");
    group.throughput(Throughput::Elements(N_ITEMS));
    group.bench_function("none", |bench| bench.iter(|| run(&flow)));
    let Ok(runtime) = Builder::new_multi_thread().worker_threads(1).enable_all().build() else {
        return;
    };
    let served = runtime.block_on(async {
        let page = Page::new(&inventory).max_browsers(N_BROWSERS).bind("127.0.0.1:0").await?;
        let mut browsers = Vec::new();
        for _ in 0..N_BROWSERS {
            let mut browser = TcpStream::connect(page.address()).await?;
            browser.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
            browsers.push(browser);
        }
        std::io::Result::Ok((page, browsers))
    });
    let Ok((page, browsers)) = served else { return };
    group.bench_function(browsers.len().to_string(), |bench| bench.iter(|| run(&flow)));
    group.finish();
    runtime.block_on(page.shutdown());
}

criterion_group!(benches, cost, browsers);
criterion_main!(benches);
