//! A shop whose page shows a slow stage, a full queue and an open breaker.
//!
//! ```text
//! cargo run --release --example live_page
//! ```
//!
//! Orders come faster than `enrich` is, so that the queue in front is full; the bank fails, so that
//! its breaker opens. Both can be changed on the page.

use std::{error::Error, io::Write as _, sync::Arc, time::Duration};

use clap::Parser;
use millstream::{MissedTick, Outcome, Registry, assert_bounded, interval, scheduler::Pool};
use millstream_observe::{
    Bound, Inventory,
    page::{Controls, Page},
};
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerWindow, Clock, ConcurrencyLimit, Controller, ControllerConfig,
    LimitConfig, Outcome as CallOutcome, Queue, QueueConfig, RateConfig, RateLimit, RetryBudget,
    RetryConfig, WhenFull,
};
use parking_lot::Mutex;

/// Serves a page of a shop that has too much to do.
#[derive(Parser)]
struct Args {
    /// Where the page is.
    #[arg(long, default_value = "127.0.0.1:7777")]
    listen: String,
    /// Ends after so many seconds instead of by Ctrl-C.
    #[arg(long)]
    seconds: Option<u64>,
}

/// What the page can change.
struct Knobs {
    orders_per_second: f64,
    enrich: Duration,
    bank_fails: bool,
}

#[derive(Clone)]
struct Order {
    number: u64,
    _lines: [u64; 7],
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let pool = Pool::new(2);
    let knobs = Arc::new(Mutex::new(Knobs {
        orders_per_second: 400.0,
        enrich: Duration::from_millis(60),
        bank_fails: true,
    }));
    let inventory = Inventory::new("shop", &pool);
    let _checkout = checkout(&inventory, &pool, &knobs)?;
    let _audit = audit(&inventory, &pool)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let page = Page::new(&inventory).with_controls(controls(&knobs)).bind(&args.listen).await?;
        let mut terminal = std::io::stderr();
        writeln!(terminal, "{}\nhttp://{}", inventory.describe(), page.address())?;
        match args.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => tokio::signal::ctrl_c().await?,
        }
        page.shutdown().await;
        Ok(())
    })
}

/// Orders wait in a queue, are validated, enriched (slowly), charged (by a bank that fails), and
/// stored.
fn checkout(
    inventory: &Inventory,
    pool: &Pool,
    knobs: &Arc<Mutex<Knobs>>,
) -> Result<[Outcome<()>; 2], Box<dyn Error>> {
    let config =
        QueueConfig { capacity: 256, when_full: WhenFull::Reject, ..QueueConfig::default() };
    let orders = Queue::new("orders", config, pool)?;
    let bank = Breaker::new(
        "bank",
        BreakerConfig {
            window: BreakerWindow::Count(20),
            min_calls: 20,
            open_for: Duration::from_secs(8),
            probes: 4,
            ..BreakerConfig::default()
        },
        pool,
    )?;
    let retries = RetryBudget::new("bank retries", RetryConfig::default(), pool)?;
    let catalog = ConcurrencyLimit::new("catalog", LimitConfig::default(), pool)?;
    let load = Controller::new("load", ControllerConfig::default(), pool)?;
    load.watch("orders", orders.clone());

    let arrivals = {
        let (orders, knobs, load) = (orders.clone(), Arc::clone(knobs), load.clone());
        let (mut number, mut owed, mut ticks) = (0, 0.0, 0_u32);
        interval(pool, Duration::from_millis(20), MissedTick::Skip).for_each(move |_| {
            owed += knobs.lock().orders_per_second * 0.02;
            while owed >= 1.0 {
                owed -= 1.0;
                number += 1;
                // The queue counts those that it refuses.
                let _refused = orders.try_put(Order { number, _lines: [0; 7] });
            }
            ticks += 1;
            if ticks.is_multiple_of(50) {
                load.decide();
            }
        })
    };

    let registry = Registry::new();
    let clock = Clock::of(pool);
    let (enrich_clock, charge_clock) = (clock.clone(), clock.clone());
    let (enrich_knobs, bank_knobs) = (Arc::clone(knobs), Arc::clone(knobs));
    let (limit, breaker, budget) = (catalog.clone(), bank.clone(), retries.clone());
    let flow = orders
        .flow()
        .inspect_demand("read", &registry)
        .filter(|order| order.number % 50 != 0)
        .inspect_demand("validate", &registry)
        .map_async(8, move |order| {
            let (clock, limit, knobs) =
                (enrich_clock.clone(), limit.clone(), Arc::clone(&enrich_knobs));
            async move {
                let permit = limit.acquire().await;
                let time = knobs.lock().enrich;
                clock.sleep_until(clock.after(time)).await;
                if let Ok(permit) = permit {
                    permit.finish(CallOutcome::Success);
                }
                order
            }
        })
        .inspect_demand("enrich", &registry)
        .map_async(4, move |order| {
            let (clock, breaker, knobs) =
                (charge_clock.clone(), breaker.clone(), Arc::clone(&bank_knobs));
            let mut attempts = budget.start();
            async move {
                while let Ok(permit) = breaker.try_acquire() {
                    clock.sleep_until(clock.after(Duration::from_millis(4))).await;
                    let fails = knobs.lock().bank_fails;
                    permit.finish(if fails { CallOutcome::Failure } else { CallOutcome::Success });
                    let Some(wait) = attempts.retry().filter(|_| fails) else { break };
                    clock.sleep_until(clock.after(wait)).await;
                }
                order
            }
        })
        .inspect_demand("charge", &registry)
        .publish_on(pool)
        .capacity(64)
        .inspect_demand("store", &registry);
    let flow = assert_bounded(flow);

    for place in [
        inventory.policy(&orders),
        inventory.policy(&bank),
        inventory.policy(&retries),
        inventory.policy(&catalog),
        inventory.policy(&load),
    ] {
        debug_assert!(!place.name().is_empty());
    }
    inventory.bounded_flow("checkout", &registry, &flow);
    inventory.connect("orders", "checkout")?;
    inventory.guard("catalog", ("checkout", "enrich"))?;
    inventory.guard("bank", ("checkout", "charge"))?;
    inventory.guard("bank retries", ("checkout", "charge"))?;
    inventory.bound(("checkout", "enrich"), Bound::items(8))?;
    inventory.bound(("checkout", "charge"), Bound::items(4))?;
    inventory.bound(("checkout", "store"), Bound::items(64))?;
    inventory
        .note(("checkout", "enrich"), "Asks the catalog for names and prices, 8 at a time.")?;
    inventory
        .note(("checkout", "charge"), "Asks the bank; passes the order on unpaid if it may not.")?;
    Ok([arrivals, flow.for_each(|_| {})])
}

/// Something that is well: a reading every few milliseconds, in batches.
fn audit(inventory: &Inventory, pool: &Pool) -> Result<Outcome<()>, Box<dyn Error>> {
    let writes = RateLimit::new("writes", RateConfig { rate: 50.0, burst: 10 }, pool)?;
    let registry = Registry::new();
    let limit = writes.clone();
    let flow = interval(pool, Duration::from_millis(10), MissedTick::Skip)
        .inspect_demand("sample", &registry)
        .buffer(25)
        .inspect_demand("batch", &registry);
    inventory.bounded_flow("audit", &registry, &flow);
    inventory.policy(&writes);
    inventory.guard("writes", ("audit", "batch"))?;
    Ok(flow.for_each(move |_| {
        // Four batches a second: it always may.
        let _may = limit.try_acquire(1);
    }))
}

fn controls(knobs: &Arc<Mutex<Knobs>>) -> Controls {
    let (rate, time, breaks, mends) =
        (Arc::clone(knobs), Arc::clone(knobs), Arc::clone(knobs), Arc::clone(knobs));
    Controls::new()
        .slider("orders", "Orders a second", (0.0, 1000.0), 400.0, move |n| {
            rate.lock().orders_per_second = n;
            Ok(())
        })
        .slider("enrich", "Milliseconds to enrich", (1.0, 500.0), 60.0, move |ms| {
            time.lock().enrich = Duration::from_millis(ms as u64);
            Ok(())
        })
        .button("break", "Break the bank", move || {
            breaks.lock().bank_fails = true;
            Ok(())
        })
        .button("mend", "Mend the bank", move || {
            mends.lock().bank_fails = false;
            Ok(())
        })
}
