//! The stream processor: pressure goes from results to submitters, and nothing is lost.

use std::{future::pending, io, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    AdaptiveRateConfig, Clock, CreditsConfig, LoadLevel, Policy as _, ProcessorConfig, QueueConfig,
    Reason, Settings as _, StreamProcessor, WhenFull,
};
use millstream_testkit::Probe;

const MS: Duration = Duration::from_millis(1);

fn config() -> ProcessorConfig {
    let rate = AdaptiveRateConfig { burst: 1_000, ..AdaptiveRateConfig::default() };
    let queue = QueueConfig { capacity: 10, when_full: WhenFull::Reject, ..QueueConfig::default() };
    ProcessorConfig { rate, queue, workers: 2, ..ProcessorConfig::default() }
}

fn processor(config: ProcessorConfig, time: &VirtualTime) -> StreamProcessor<u64> {
    StreamProcessor::new("test", config, time).unwrap()
}

/// Answers after 10 ms.
fn slowly(
    time: &VirtualTime,
) -> impl FnMut(u64) -> std::pin::Pin<Box<dyn Future<Output = Result<u64, io::Error>> + Send>>
+ Send
+ use<> {
    let clock = Clock::of(time);
    move |n| {
        let clock = clock.clone();
        Box::pin(async move {
            clock.sleep_until(clock.after(10 * MS)).await;
            Ok(n)
        })
    }
}

#[test]
fn refusals_give_no_credit_away() {
    let time = VirtualTime::new();
    let processor = processor(config(), &time);
    // Ten times as many refusals as there are credits.
    (0..10).for_each(|n| processor.submit(n).unwrap());
    for n in 0..1_000 {
        let rejected = processor.submit(n).unwrap_err();
        assert_eq!((rejected.reason, rejected.item), (Reason::Full, n));
    }
    let probe = Probe::subscribe_to(processor.run_on(&time, slowly(&time)));
    probe.request(u64::MAX);
    (0..10).for_each(|_| time.advance(10 * MS));
    assert_eq!(probe.n_items(), 10);
    (0..10).for_each(|n| processor.submit(n).unwrap());
    (0..10).for_each(|_| time.advance(10 * MS));
    assert_eq!(probe.n_items(), 20);
    // Those that are held are for items that were asked for and have not come.
    let credits = processor.snapshot().credits;
    assert_eq!(credits.held, credits.reserved);
}

#[test]
fn results_that_nobody_takes_hold_the_submitters_up_and_are_not_dropped() {
    let time = VirtualTime::new();
    let processor = processor(config(), &time);
    let probe = Probe::subscribe_to(processor.run_on(&time, slowly(&time)));
    probe.request(1);
    let mut n_taken = 0;
    for n in 0..100 {
        n_taken += u64::from(processor.submit(n).is_ok());
        time.advance(10 * MS);
    }
    assert!(n_taken < 20, "the queue, the workers, and one result: {n_taken}");
    probe.request(u64::MAX);
    processor.drain();
    (0..50).for_each(|_| time.advance(10 * MS));
    assert_eq!(probe.n_items() as u64, n_taken);
    assert!(probe.is_completed());
}

#[test]
fn a_stop_gives_back_what_waits_and_finishes_what_has_begun() {
    let time = VirtualTime::new();
    let processor = processor(config(), &time);
    let probe = Probe::subscribe_to(processor.run_on(&time, slowly(&time)));
    probe.request(u64::MAX);
    (0..10).for_each(|n| processor.submit(n).unwrap());
    let back = processor.stop();
    assert_eq!(processor.submit(7).unwrap_err().reason, Reason::Shutdown);
    (0..5).for_each(|_| time.advance(10 * MS));
    assert!(probe.is_completed());
    assert_eq!(back.len() + probe.n_items(), 10);
    assert!(!back.is_empty());
}

#[test]
fn failures_are_results_and_lower_the_rate() {
    let time = VirtualTime::new();
    let processor = processor(config(), &time);
    let before = processor.snapshot().rate.rate;
    let results = processor.run_on(&time, |n| async move { if n < 100 { Err(n) } else { Ok(n) } });
    let probe = Probe::subscribe_to(results);
    probe.request(u64::MAX);
    for n in 0..50 {
        processor.submit(n).unwrap();
        time.advance(100 * MS);
    }
    assert_eq!(probe.items(), (0..50).map(Err).collect::<Vec<_>>());
    assert!(processor.snapshot().rate.rate < before);
}

#[test]
fn a_cancel_brings_all_credits_back() {
    let time = VirtualTime::new();
    let credits = CreditsConfig::fixed(2);
    let processor = processor(ProcessorConfig { credits, ..config() }, &time);
    let results = processor.run_on(&time, |_| pending::<Result<u64, io::Error>>());
    let probe = Probe::subscribe_to(results.map(|result| result.is_ok()));
    probe.request(9);
    (0..5).for_each(|n| processor.submit(n).unwrap());
    time.advance(MS);
    assert_eq!(processor.snapshot().credits.held, 2);
    probe.cancel();
    time.advance(MS);
    assert_eq!(processor.snapshot().credits.free, 2);
}

#[test]
fn the_load_level_says_what_happens_when_the_queue_is_full() {
    let time = VirtualTime::new();
    let mut when_full = [None; 4];
    when_full[LoadLevel::Critical as usize] = Some(WhenFull::DropOldest);
    let processor = processor(ProcessorConfig { when_full, ..config() }, &time);
    assert_eq!(processor.decide(), LoadLevel::Normal);
    (0..10).for_each(|n| processor.submit(n).unwrap());
    assert!(processor.submit(10).is_err());
    assert_eq!(processor.decide(), LoadLevel::Critical);
    processor.submit(11).unwrap();
    let snapshot = processor.snapshot();
    assert_eq!(snapshot.queue.balance.dropped(Reason::Evicted), 1);
    assert_eq!(snapshot.controller.last.worst.as_deref(), Some("queue"));
    drop(processor.stop());
    assert_eq!(processor.decide(), LoadLevel::Normal);
    assert_eq!(processor.config().queue.when_full, WhenFull::Reject);
}

#[test]
fn settings_that_make_no_sense_are_named_and_change_nothing() {
    let time = VirtualTime::new();
    let processor = processor(config(), &time);
    for (config, name) in [
        (ProcessorConfig { workers: 0, ..config() }, "workers"),
        (
            ProcessorConfig { queue: QueueConfig { capacity: 0, ..config().queue }, ..config() },
            "capacity",
        ),
        (
            ProcessorConfig { when_full: [Some(WhenFull::Sample { one_of: 0 }); 4], ..config() },
            "when_full.one_of",
        ),
    ] {
        assert_eq!(config.validate().unwrap_err().setting(), name);
        assert!(processor.reconfigure(config).is_err());
    }
    assert_eq!(processor.config(), config());
    let other = ProcessorConfig { workers: 3, ..config() };
    processor.reconfigure(other.clone()).unwrap();
    assert_eq!(processor.config(), other);
}
