//! Serves a page whose numbers are known, for the test in a browser: `cargo xtask page`.
//!
//! It prints its address, and reads commands from its standard input: `request N` asks the flow
//! `main` for so many items and lets a second pass.

use std::{
    error::Error,
    io::{self, BufRead as _, Write as _},
    time::Duration,
};

use millstream::{Registry, range, scheduler::VirtualTime};
use millstream_observe::{
    Bound, Inventory,
    page::{Controls, Page},
};
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerWindow, Outcome, Queue, QueueConfig, WhenFull,
};
use millstream_testkit::Probe;

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let time = VirtualTime::new();
    let inventory = Inventory::new("under test", &time);

    if std::env::args().nth(2).as_deref() == Some("large") {
        return large(&port);
    }
    let registry = Registry::recording_last(64, &time);
    let flow = range(0..u64::MAX)
        .inspect_demand("read", &registry)
        .map(|n| n + 1)
        .inspect_demand("write", &registry);
    inventory.bounded_flow("main", &registry, &flow);
    let main = Probe::subscribe_to(flow);
    main.request(3);

    let orders = Queue::new(
        "orders",
        QueueConfig { capacity: 10, when_full: WhenFull::Reject, ..QueueConfig::default() },
        &time,
    )?;
    inventory.policy(&orders);
    inventory.connect("orders", "main")?;
    for n in 0..7 {
        orders.try_put(n)?;
    }

    let bank = Breaker::new(
        "bank",
        BreakerConfig { window: BreakerWindow::Count(4), min_calls: 4, ..BreakerConfig::default() },
        &time,
    )?;
    inventory.policy(&bank);
    for _ in 0..4 {
        bank.try_acquire()
            .map_err(|rejected| rejected.reason.to_string())?
            .finish(Outcome::Failure);
    }

    let (_stuck, _hostile) = (stuck(&inventory)?, hostile(&inventory));
    let press = bank.clone();
    let controls = Controls::new().button("close", "Close the bank's breaker", move || {
        press.close();
        Ok(())
    });

    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let page = runtime.block_on(
        Page::new(&inventory)
            .interval(Duration::from_millis(100))
            .with_controls(controls)
            .bind(format!("127.0.0.1:{port}")),
    )?;
    writeln!(io::stdout(), "{}", page.address())?;
    for line in io::stdin().lock().lines() {
        if let Some(n) = line?.strip_prefix("request ") {
            main.request(n.parse()?);
            time.advance(Duration::from_secs(1));
        }
    }
    runtime.block_on(page.shutdown());
    Ok(())
}

/// 40 flows of 10 stages each, all of which change with every frame, until the input ends.
fn large(port: &str) -> Result<(), Box<dyn Error>> {
    let time = VirtualTime::new();
    let inventory = Inventory::new("large", &time);
    let probes: Vec<Probe<u64>> = (0..40)
        .map(|flow| {
            let registry = Registry::new();
            let stage = |n: u64| format!("stage {n}");
            let mut stages = range(0..u64::MAX).inspect_demand(&stage(0), &registry).boxed();
            for n in 1..10 {
                stages = stages.inspect_demand(&stage(n), &registry).boxed();
            }
            inventory.flow(&format!("flow {flow}"), &registry);
            Probe::subscribe_to(stages)
        })
        .collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let page = Page::new(&inventory).interval(Duration::from_millis(250));
    let page = runtime.block_on(page.bind(format!("127.0.0.1:{port}")))?;
    writeln!(io::stdout(), "{}", page.address())?;
    runtime.spawn(async move {
        for n in 1.. {
            tokio::time::sleep(Duration::from_millis(100)).await;
            probes.iter().for_each(|probe| probe.request(n % 7 + 1));
            time.advance(Duration::from_millis(100));
        }
    });
    io::stdin().lock().lines().for_each(drop);
    runtime.block_on(page.shutdown());
    Ok(())
}

/// A flow whose stage `enrich` has 16 items that are never done.
fn stuck(inventory: &Inventory) -> Result<Probe<u64>, Box<dyn Error>> {
    let registry = Registry::new();
    let flow = range(0..u64::MAX)
        .inspect_demand("fetch", &registry)
        .map_async(16, |n| async move {
            std::future::pending::<()>().await;
            n
        })
        .inspect_demand("enrich", &registry);
    inventory.bounded_flow("stuck", &registry, &flow);
    inventory.bound(("stuck", "enrich"), Bound::items(16))?;
    inventory.guard("bank", ("stuck", "enrich"))?;
    let probe = Probe::subscribe_to(flow);
    probe.request(3);
    Ok(probe)
}

/// A flow whose names are made to do harm.
fn hostile(inventory: &Inventory) -> Probe<u64> {
    let registry = Registry::new();
    let flow = range(0..u64::MAX)
        .inspect_demand("<img src=x onerror=\"window.harmed=1\">", &registry)
        .inspect_demand("</script><script>window.harmed=1</script>", &registry)
        .inspect_demand("\u{202e}desrever שלום", &registry)
        .inspect_demand("🦀 👩‍👩‍👧‍👦\u{0}\n\"'`", &registry)
        .inspect_demand(&"long".repeat(2500), &registry);
    inventory.flow("<b>hostile</b>", &registry);
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    probe
}
