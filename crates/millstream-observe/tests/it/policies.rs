//! What each kind of policy says of itself.

use std::{sync::Arc, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_observe::{Bound, Observe, Reading, Severity};
use millstream_pressure::{
    AdaptiveRate, AdaptiveRateConfig, BatchSizer, BatchSizerConfig, Breaker, BreakerConfig,
    BreakerWindow, Bulkhead, BulkheadConfig, ConcurrencyLimit, Controller, ControllerConfig,
    Credits, CreditsConfig, Forecast, ForecastConfig, Hedge, HedgeConfig, KeyedRate,
    KeyedRateConfig, Lag, LagConfig, Lanes, LanesConfig, LimitConfig, Outcome, Policy as _,
    PollConfig, PollSizer, PoolConfig, PoolGate, PressureTree, ProcessorConfig, Queue, QueueConfig,
    RateConfig, RateLimit, RetryBudget, RetryConfig, ScaleConfig, Scaler, ShedConfig, Shedder,
    StreamProcessor, ThrottleConfig, Throttler, TimeLimit, TimeLimitConfig, TreeConfig, WhenFull,
};

/// State, severity and reason.
fn condition(policy: &impl Observe) -> (String, Severity, String) {
    let condition = policy.reading().condition;
    (condition.state.into_owned(), condition.severity, condition.reason.unwrap_or_default())
}

fn value(policy: &impl Observe, name: &str) -> Option<f64> {
    policy.reading().value(name)
}

#[test]
fn a_queue_is_empty_flows_is_high_and_is_full() {
    let time = VirtualTime::new();
    let config = QueueConfig { capacity: 10, ..QueueConfig::default() };
    let queue = Queue::new("q", config.clone(), &time).unwrap();

    assert_eq!(condition(&queue).0, "empty");
    queue.try_put(1).unwrap();
    time.advance(Duration::from_secs(2));
    assert_eq!(condition(&queue).0, "flowing");
    let usage = queue.reading().usage.unwrap();
    assert_eq!((usage.used, usage.capacity, usage.oldest_seconds), (1, 10, Some(2.0)));

    (2..=8).for_each(|n| queue.try_put(n).unwrap());
    let reason = "8 of 10 places are taken; high until 60 % are";
    assert_eq!(condition(&queue), ("high".into(), Severity::Warning, reason.into()));
    (9..=10).for_each(|n| queue.try_put(n).unwrap());
    let reason = "10 of 10 places are taken: producers wait";
    assert_eq!(condition(&queue), ("full".into(), Severity::Warning, reason.into()));

    queue.reconfigure(QueueConfig { when_full: WhenFull::Reject, ..config }).unwrap();
    assert!(queue.try_put(11).is_err());
    let (_, severity, reason) = condition(&queue);
    assert_eq!(severity, Severity::Critical);
    assert_eq!(reason, "10 of 10 places are taken: new items are refused");
    let ledger = queue.reading().ledger.unwrap();
    assert_eq!((ledger.offered, ledger.queued, ledger.dropped.get("full")), (11, 10, Some(&1)));
    assert_eq!(queue.reading().settings["capacity"], 10);
    assert_eq!(queue.reading().settings["timeout"], "5s");
}

#[test]
fn an_open_breaker_says_what_it_saw() {
    let time = VirtualTime::new();
    let config = BreakerConfig {
        window: BreakerWindow::Count(4),
        min_calls: 4,
        open_for: Duration::from_secs(5),
        ..BreakerConfig::default()
    };
    let breaker = Breaker::new("b", config, &time).unwrap();
    assert_eq!(condition(&breaker).0, "closed");

    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Failure, Outcome::Failure] {
        breaker.try_acquire().unwrap().finish(outcome);
    }

    let reason = "75 % of 4 calls failed, 0 % were slow";
    assert_eq!(condition(&breaker), ("open".into(), Severity::Critical, reason.into()));
    assert_eq!(
        (value(&breaker, "breaker_state"), value(&breaker, "openings")),
        (Some(2.0), Some(1.0))
    );

    assert!(breaker.try_acquire().is_err());
    assert_eq!(breaker.reading().ledger.unwrap().dropped["breaker_open"], 1);
    time.advance(Duration::from_secs(6));
    let _probe = breaker.try_acquire().unwrap();
    assert_eq!(condition(&breaker).0, "half open");
}

#[test]
fn credits_say_when_they_are_used_up() {
    let time = VirtualTime::new();
    let config = CreditsConfig { credits: 2, min_credits: 1, ..CreditsConfig::default() };
    let credits = Credits::new("c", config, &time).unwrap();
    let held = [credits.try_acquire(1).unwrap(), credits.try_acquire(1).unwrap()];
    assert!(credits.try_acquire(1).is_err());

    let (state, severity, _) = condition(&credits);
    assert_eq!((state.as_str(), severity), ("used up", Severity::Warning));
    assert_eq!(value(&credits, "credits_available"), Some(0.0));
    assert_eq!(value(&credits, "credit_starvation"), Some(1.0));
    drop(held);
    assert_eq!(condition(&credits).0, "available");
}

#[test]
fn a_concurrency_limit_says_who_waits() {
    let time = VirtualTime::new();
    let limit = ConcurrencyLimit::new("l", LimitConfig::default(), &time).unwrap();
    let n = limit.snapshot().limit;
    let _held: Vec<_> = (0..n).map(|_| limit.try_acquire().unwrap()).collect();

    let reason = format!("{n} of {n} calls are in flight, 0 wait");
    assert_eq!(condition(&limit), ("at the limit".into(), Severity::Warning, reason));
    assert_eq!(limit.reading().usage.unwrap().share(), Some(1.0));
}

/// All kinds, as they are at the beginning.
pub(crate) fn all(time: &VirtualTime) -> Vec<Arc<dyn Observe>> {
    let queue = Queue::<u64>::new("queue", QueueConfig::default(), time).expect("valid");
    let lag = Lag::new("lag", LagConfig::default(), time).expect("valid");
    let budget = RetryBudget::new("retry_budget", RetryConfig::default(), time).expect("valid");
    vec![
        Arc::new(Lanes::<u64>::new("lanes", LanesConfig::default(), time).expect("valid")),
        Arc::new(Credits::new("credits", CreditsConfig::default(), time).expect("valid")),
        Arc::new(
            StreamProcessor::<u64>::new("processor", ProcessorConfig::default(), time)
                .expect("valid"),
        ),
        Arc::new(RateLimit::new("rate", RateConfig::default(), time).expect("valid")),
        Arc::new(
            AdaptiveRate::new("adaptive_rate", AdaptiveRateConfig::default(), time).expect("valid"),
        ),
        Arc::new(KeyedRate::new("keyed_rate", KeyedRateConfig::default(), time).expect("valid")),
        Arc::new(
            ConcurrencyLimit::new("concurrency_limit", LimitConfig::default(), time)
                .expect("valid"),
        ),
        Arc::new(Breaker::new("breaker", BreakerConfig::default(), time).expect("valid")),
        Arc::new(Bulkhead::new("bulkhead", BulkheadConfig::default(), time).expect("valid")),
        Arc::new(Shedder::new("shedder", ShedConfig::default(), time).expect("valid")),
        Arc::new(Throttler::new("throttler", ThrottleConfig::default(), time).expect("valid")),
        Arc::new(TimeLimit::new("time_limit", TimeLimitConfig::default(), time).expect("valid")),
        Arc::new(Hedge::new("hedge", HedgeConfig::default(), &budget, time).expect("valid")),
        Arc::new(Controller::new("controller", ControllerConfig::default(), time).expect("valid")),
        Arc::new(PressureTree::new("pressure_tree", TreeConfig::default(), time).expect("valid")),
        Arc::new(
            Forecast::new("forecast", ForecastConfig::default(), queue.clone(), time)
                .expect("valid"),
        ),
        Arc::new(PollSizer::new("poll_sizer", PollConfig::default(), time).expect("valid")),
        Arc::new(
            BatchSizer::new("batch_sizer", BatchSizerConfig::default(), queue.clone(), time)
                .expect("valid"),
        ),
        Arc::new(lag.clone()),
        Arc::new(Scaler::new("scaler", ScaleConfig::default(), lag, time).expect("valid")),
        Arc::new(PoolGate::new("pool_gate", PoolConfig::default(), time).expect("valid")),
        Arc::new(budget),
        Arc::new(queue),
    ]
}

#[test]
fn every_kind_is_normal_at_first_and_says_its_kind_settings_and_bound() {
    let time = VirtualTime::new();
    for policy in all(&time) {
        let name = policy.name().to_owned();
        let Reading { kind, condition, settings, bound, values, .. } = policy.reading();

        assert_eq!(kind, name);
        assert_eq!(condition.severity, Severity::Normal, "{name}: {condition:?}");
        assert!(settings.is_object(), "{name}: {settings}");
        let holds = matches!(&*name, "queue" | "lanes" | "processor");
        assert_eq!(bound != Bound::NOTHING, holds, "{name}: {bound:?}");
        assert!(bound.memory().is_some(), "{name}: {bound:?}");
        for value in values {
            let is_word =
                |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
            assert!(value.name.chars().all(is_word), "{name}: {value:?}");
        }
    }
}

#[cfg(feature = "spill")]
#[test]
fn a_spill_says_how_much_of_its_disk_is_used() {
    use millstream::scheduler::Pool;
    use millstream_observe::SpillQueue;
    use millstream_spill::{Config, Spill, codec::U64};

    let directory = tempfile::tempdir().unwrap();
    let disk = Pool::named("disk", 1);
    let config = Config { segment_bytes: 1024, max_bytes: 4096, ..Config::default() };
    let spill = Spill::at(directory.path()).config(config.clone());
    let (sender, receiver) = spill.open(U64, &disk).unwrap();
    sender.send_all_blocking(0..60).unwrap();
    drop((sender, receiver));
    let spill = Spill::at(directory.path()).config(config);
    let processor = spill.processor(U64, 16, &disk).unwrap();

    let queue = SpillQueue::new("journal", processor.monitor(), 4096);

    let (state, severity, reason) = condition(&queue);
    assert_eq!((state.as_str(), severity), ("spilling", Severity::Normal));
    assert_eq!(reason, "60 items wait on the disk");
    let reading = queue.reading();
    let ledger = reading.ledger.unwrap();
    assert_eq!((ledger.offered, ledger.queued, ledger.total_dropped()), (60, 60, 0));
    assert!(reading.usage.unwrap().used > 60 * 8);
}
