//! When those who were refused come back: at the pace at which work is done.

use std::{collections::BTreeMap, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{Policy as _, RetrySpread, RetrySpreadConfig, Settings as _};

const SECOND: Duration = Duration::from_secs(1);

fn spread(time: &VirtualTime) -> RetrySpread {
    RetrySpread::new("test", RetrySpreadConfig::default(), time).unwrap()
}

/// How many come back in each second, of so many refused a millisecond while one is done.
fn returns(time: &VirtualTime, spread: &RetrySpread, per_done: u32) -> BTreeMap<u64, u32> {
    let mut returns = BTreeMap::new();
    for ms in 0..10_000_u64 {
        if ms % 10 == 0 {
            spread.note_done();
            for _ in 0..per_done {
                let second = (Duration::from_millis(ms) + spread.retry_after()).as_secs();
                *returns.entry(second).or_default() += 1;
            }
        }
        time.advance(Duration::from_millis(1));
    }
    returns
}

#[test]
fn at_ten_times_the_load_no_second_gets_more_than_twice_the_mean() {
    let time = VirtualTime::new();
    let returns = returns(&time, &spread(&time), 9);
    let n: u32 = returns.values().sum();
    assert_eq!(n, 9_000);
    // They come back over half a minute and more.
    let mean = f64::from(n) / returns.len() as f64;
    assert!(returns.len() >= 30, "{returns:?}");
    for (second, n) in &returns {
        assert!(f64::from(*n) <= 2.0 * mean, "{n} in second {second}, {mean} on average");
    }
}

#[test]
fn as_many_come_back_as_are_done() {
    let time = VirtualTime::new();
    // As many are refused as are done: about a hundred a second come back.
    let returns = returns(&time, &spread(&time), 1);
    // In the first seconds it is not known yet how much is done, and fewer are let come.
    let whole = returns.range(6..10).map(|(_, n)| *n);
    assert!(whole.clone().all(|n| (80..=120).contains(&n)), "{returns:?}");
}

#[test]
fn while_nothing_is_done_all_times_are_as_likely() {
    let time = VirtualTime::new();
    let spread = spread(&time);
    let waits: Vec<Duration> = (0..3_000).map(|_| spread.retry_after()).collect();
    assert!(waits.iter().all(|wait| (SECOND..=SECOND * 30).contains(wait)));
    let early = waits.iter().filter(|wait| **wait < SECOND * 15).count();
    assert!((1_200..=1_700).contains(&early), "{early}");
    let snapshot = spread.snapshot();
    assert_eq!((snapshot.rate, snapshot.n_spread, snapshot.delay), (0.0, 3_000, SECOND));
}

#[test]
fn settings_are_checked_and_take_effect() {
    let time = VirtualTime::new();
    let spread = spread(&time);
    let wrong = RetrySpreadConfig { max_delay: SECOND / 2, ..spread.config() };
    assert_eq!(wrong.validate().unwrap_err().setting(), "max_delay");
    assert!(spread.reconfigure(wrong).is_err());
    let short = RetrySpreadConfig { min_delay: SECOND * 2, max_delay: SECOND * 2, window: SECOND };
    spread.reconfigure(short).unwrap();
    assert_eq!(spread.retry_after(), SECOND * 2);
}
