//! Credits: conserved whatever is dropped, forgotten or changed, and recovered when they are lost.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::scheduler::{Immediate, VirtualTime};
use millstream_pressure::{
    Credits, CreditsConfig, Outcome, Permit, Policy as _, PressureSource as _, Reason,
};
use proptest::prelude::*;

/// What a program does that loses a permit.
#[expect(clippy::mem_forget, reason = "what is tested")]
fn forget<T>(permit: T) {
    std::mem::forget(permit);
}

const SECOND: Duration = Duration::from_secs(1);

fn credits(config: CreditsConfig, time: &VirtualTime) -> Credits {
    Credits::new("test", config, time).unwrap()
}

fn fixed(n: u64, time: &VirtualTime) -> Credits {
    credits(CreditsConfig::fixed(n), time)
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_batch_gives_back_what_it_took() {
    let time = VirtualTime::new();
    let credits = fixed(10, &time);
    let batch = credits.try_acquire(8).unwrap();
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.free, snapshot.held, snapshot.granted), (2, 8, 10));
    assert!((snapshot.utilization() - 0.8).abs() < 1e-9);
    assert_eq!(credits.pressure().unwrap().level(), snapshot.utilization());
    assert_eq!(credits.try_acquire(3).unwrap_err().reason, Reason::Full);
    assert_eq!(credits.try_acquire(11).unwrap_err().reason, Reason::TooHeavy);
    batch.finish(Outcome::Failure);
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.free, snapshot.starved), (10, 1));
    assert_eq!(snapshot.outcomes(Outcome::Failure), 1);
}

#[test]
fn refusals_keep_no_credit() {
    // After a hundred refusals behind it, a credit is still there (C04).
    let time = VirtualTime::new();
    let credits = fixed(10, &time);
    for _ in 0..1_000 {
        let permit = credits.try_acquire(1).unwrap();
        // The next check refuses, and returns early.
        drop(permit);
    }
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.free, snapshot.outcomes(Outcome::Canceled)), (10, 1_000));
}

#[test]
fn a_credit_that_is_lost_is_recovered_when_its_time_is_over_and_not_before() {
    let time = VirtualTime::new();
    let credits = fixed(2, &time);
    forget(credits.try_acquire(2).unwrap());
    time.advance(30 * SECOND - Duration::from_nanos(1));
    assert_eq!(credits.try_acquire(1).unwrap_err().reason, Reason::Full);
    time.advance(Duration::from_nanos(1));
    let permit = credits.try_acquire(2).unwrap();
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.granted, snapshot.held, snapshot.expired), (4, 2, 2));
    assert!(snapshot.is_whole());
    drop(permit);
}

#[test]
fn one_that_comes_back_late_changes_nothing() {
    let time = VirtualTime::new();
    let credits = fixed(1, &time);
    let slow = credits.try_acquire(1).unwrap();
    time.advance(30 * SECOND);
    // In the same place as the one that has expired.
    let next = credits.try_acquire(1).unwrap();
    slow.finish(Outcome::Success);
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.held, snapshot.free, snapshot.late), (1, 0, 1));
    drop(next);
    assert_eq!(credits.snapshot().free, 1);
}

#[test]
fn one_who_waits_is_served_when_a_lost_credit_expires() {
    let time = VirtualTime::new();
    let credits = fixed(1, &time);
    forget(credits.try_acquire(1).unwrap());
    let mut waiting = Box::pin(credits.acquire(1));
    assert!(poll(&mut waiting).is_pending());
    time.advance(30 * SECOND);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
    drop(waiting);
    assert_eq!((time.n_timers(), credits.snapshot().free), (0, 1));
    assert_eq!(credits.snapshot().waited, 30 * SECOND);
}

#[test]
fn those_who_wait_are_served_in_order_and_not_overtaken() {
    let time = VirtualTime::new();
    let credits = fixed(3, &time);
    let held = [(); 3].map(|()| credits.try_acquire(1).unwrap());
    let (mut two, mut one) = (Box::pin(credits.acquire(2)), Box::pin(credits.acquire(1)));
    assert!(poll(&mut two).is_pending() && poll(&mut one).is_pending());
    let mut held = held.into_iter();
    drop(held.next());
    // One is free, but the first needs two.
    assert!(poll(&mut one).is_pending());
    assert_eq!(credits.try_acquire(1).unwrap_err().reason, Reason::Full);
    assert_eq!(credits.pressure().unwrap().level(), 1.0);
    drop(held.next());
    let Poll::Ready(Ok(first)) = poll(&mut two) else { panic!("two are free") };
    assert!(poll(&mut one).is_pending());
    drop(first);
    assert!(matches!(poll(&mut one), Poll::Ready(Ok(_))));
}

#[test]
fn one_who_gives_up_after_it_was_served_gives_back() {
    let time = VirtualTime::new();
    let credits = fixed(1, &time);
    let held = credits.try_acquire(1).unwrap();
    let (mut first, mut second) = (Box::pin(credits.acquire(1)), Box::pin(credits.acquire(1)));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    drop(held);
    drop(first);
    assert!(matches!(poll(&mut second), Poll::Ready(Ok(_))));
    drop(second);
    assert_eq!((credits.snapshot().free, time.n_timers()), (1, 0));
}

#[test]
fn a_wait_is_bounded() {
    let time = VirtualTime::new();
    let credits = fixed(1, &time);
    let held = credits.try_acquire(1).unwrap();
    let mut waiting = Box::pin(credits.acquire_timeout(1, SECOND));
    assert!(poll(&mut waiting).is_pending());
    time.advance(SECOND);
    assert!(
        matches!(poll(&mut waiting), Poll::Ready(Err(rejected)) if rejected.reason == Reason::Timeout)
    );
    drop((waiting, held));
    assert_eq!(credits.snapshot().n_waiting, 0);
}

#[test]
fn grants_stop_at_the_ceiling_and_shrinking_at_the_floor() {
    let time = VirtualTime::new();
    let config =
        CreditsConfig { credits: 10, min_credits: 4, max_credits: 16, ..CreditsConfig::default() };
    let credits = credits(config, &time);
    assert_eq!((credits.grant(4), credits.grant(u64::MAX), credits.grant(1)), (4, 2, 0));
    let held = credits.try_acquire(10).unwrap();
    assert_eq!(credits.set_window(0), 4);
    let snapshot = credits.snapshot();
    // Nothing that is held is taken back.
    assert_eq!((snapshot.free, snapshot.held, snapshot.granted), (0, 10, 10));
    drop(held);
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.free, snapshot.held, snapshot.granted), (4, 0, 4));
}

#[test]
fn one_who_waits_for_more_than_a_window_that_shrank_is_served_alone() {
    let time = VirtualTime::new();
    let config =
        CreditsConfig { credits: 10, min_credits: 4, max_credits: 16, ..CreditsConfig::default() };
    let credits = credits(config, &time);
    let held = credits.try_acquire(5).unwrap();
    let mut waiting = Box::pin(credits.acquire(10));
    assert!(poll(&mut waiting).is_pending());
    credits.set_window(4);
    drop(held);
    let Poll::Ready(Ok(permit)) = poll(&mut waiting) else { panic!("it is alone") };
    assert_eq!(credits.snapshot().held, 10);
    assert!(credits.snapshot().is_whole());
    drop(permit);
    assert_eq!((credits.snapshot().free, credits.snapshot().granted), (4, 4));
}

#[test]
fn after_a_stop_nothing_is_given_out_until_enough_are_free() {
    let time = VirtualTime::new();
    let config = CreditsConfig { resume_at: 3, ..CreditsConfig::fixed(4) };
    let credits = credits(config, &time);
    let mut held: Vec<_> = (0..4).map(|_| credits.try_acquire(1).unwrap()).collect();
    assert!(credits.snapshot().is_stopped);
    for _ in 0..2 {
        held.pop();
        assert!(credits.try_acquire(1).is_err());
    }
    held.pop();
    assert!(!credits.snapshot().is_stopped);
    // And then until none is free again.
    held.extend((0..2).map(|_| credits.try_acquire(1).unwrap()));
    held.push(credits.try_acquire(1).unwrap());
    assert!(credits.snapshot().is_stopped);
}

#[test]
fn without_a_clock_nothing_expires_and_what_comes_back_counts() {
    let credits = Credits::new("test", CreditsConfig::fixed(1), &Immediate).unwrap();
    let held = credits.try_acquire(1).unwrap();
    let mut waiting = Box::pin(credits.acquire(1));
    assert!(poll(&mut waiting).is_pending());
    assert!(poll(&mut waiting).is_pending());
    drop(held);
    assert!(matches!(poll(&mut waiting), Poll::Ready(Ok(_))));
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let time = VirtualTime::new();
    let good = CreditsConfig::default;
    for (config, setting) in [
        (CreditsConfig { credits: 0, ..good() }, "min_credits"),
        (CreditsConfig { min_credits: 0, ..good() }, "min_credits"),
        (CreditsConfig { min_credits: 1_001, ..good() }, "min_credits"),
        (CreditsConfig { max_credits: 999, ..good() }, "max_credits"),
        (CreditsConfig { max_credits: u64::MAX, ..good() }, "max_credits"),
        (CreditsConfig { credit_timeout: Duration::ZERO, ..good() }, "credit_timeout"),
        (CreditsConfig { resume_at: 0, ..good() }, "resume_at"),
        (CreditsConfig { resume_at: 101, ..good() }, "resume_at"),
    ] {
        let error = Credits::new("test", config, &time).unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
    }
    let for_ever = CreditsConfig { credit_timeout: Duration::MAX, ..good() };
    let credits = credits(for_ever, &time);
    forget(credits.try_acquire(1).unwrap());
    time.advance(1_000_000 * SECOND);
    assert_eq!(credits.snapshot().expired, 0);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Acquire(u64),
    Drop(usize),
    Finish(usize),
    Forget(usize),
    Advance(u64),
    Grant(u64),
    Window(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..6_u64).prop_map(Act::Acquire),
        2 => any::<usize>().prop_map(Act::Drop),
        2 => any::<usize>().prop_map(Act::Finish),
        1 => any::<usize>().prop_map(Act::Forget),
        1 => (0..20_u64).prop_map(Act::Advance),
        1 => (0..5_u64).prop_map(Act::Grant),
        1 => (0..30_u64).prop_map(Act::Window),
    ]
}

/// A permit that is out, by the model: until when, and how much.
struct Out {
    permit: Option<Permit>,
    weight: u64,
    expires: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// G09: at every step granted = free + held + expired, held and expired are what a plain model
    /// says, and once everything was dropped or has expired, the window is free.
    #[test]
    fn credits_are_conserved(acts in prop::collection::vec(act(), 1..200)) {
        const TIMEOUT: u64 = 30;
        let time = VirtualTime::new();
        let config = CreditsConfig { credits: 10, min_credits: 2, max_credits: 20, ..CreditsConfig::default() };
        let credits = credits(config, &time);
        let (mut now, mut window, mut expired, mut late) = (0, 10_u64, 0, 0);
        let mut out: Vec<Out> = Vec::new();
        for act in acts {
            match act {
                Act::Acquire(n) => {
                    let held: u64 = out.iter().filter(|out| out.expires > now).map(|out| out.weight).sum();
                    let is_due = n <= window && n <= window.saturating_sub(held);
                    let result = credits.try_acquire(n);
                    prop_assert_eq!(result.is_ok(), is_due, "{} of {} with {} held", n, window, held);
                    if let Ok(permit) = result {
                        out.push(Out { permit: Some(permit), weight: n, expires: now + TIMEOUT });
                    }
                }
                Act::Drop(i) | Act::Finish(i) if !out.is_empty() => {
                    let index = i % out.len();
                    let Some(permit) = out[index].permit.take() else { continue };
                    let ended = out.swap_remove(index);
                    late += u64::from(ended.expires <= now);
                    if matches!(act, Act::Drop(_)) { drop(permit) } else { permit.finish(Outcome::Success) }
                }
                Act::Forget(i) if !out.is_empty() => {
                    let index = i % out.len();
                    if let Some(permit) = out[index].permit.take() {
                        forget(permit);
                    }
                }
                Act::Advance(seconds) => {
                    time.advance(seconds as u32 * SECOND);
                    now += seconds;
                    let lost = |out: &&Out| out.expires <= now && out.expires + seconds > now;
                    expired += out.iter().filter(lost).map(|out| out.weight).sum::<u64>();
                    out.retain(|out| out.expires > now || out.permit.is_some());
                }
                Act::Grant(n) => {
                    let granted = credits.grant(n);
                    prop_assert_eq!(granted, n.min(20 - window));
                    window += granted;
                }
                Act::Window(n) => window = credits.set_window(n),
                Act::Drop(_) | Act::Finish(_) | Act::Forget(_) => {}
            }
            let snapshot = credits.snapshot();
            let held: u64 = out.iter().filter(|out| out.expires > now).map(|out| out.weight).sum();
            prop_assert_eq!(snapshot.granted, snapshot.free + snapshot.held + snapshot.expired);
            prop_assert_eq!((snapshot.held, snapshot.expired, snapshot.late), (held, expired, late));
            prop_assert_eq!(snapshot.free, window.saturating_sub(held));
        }
        time.advance(TIMEOUT as u32 * SECOND);
        let snapshot = credits.snapshot();
        prop_assert_eq!((snapshot.held, snapshot.free), (0, window));
    }
}

#[test]
fn sixty_four_threads_conserve_credits() {
    let time = VirtualTime::new();
    let credits = fixed(16, &time);
    let lost: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..64_u64)
            .map(|worker| {
                let credits = &credits;
                scope.spawn(move || {
                    let mut lost = 0;
                    for n in 0..300 {
                        let weight = (worker + n) % 3 + 1;
                        let permit = match n % 10 {
                            0 => credits.acquire_blocking(weight).ok(),
                            _ => credits.try_acquire(weight).ok(),
                        };
                        assert!(credits.snapshot().is_whole());
                        match permit {
                            // Few enough that somebody can still go on.
                            Some(permit) if worker < 8 && n == 299 => {
                                lost += permit.grant().weight.min(1);
                                let one = permit.grant().weight == 1;
                                if one { forget(permit) } else { lost -= 1 }
                            }
                            Some(permit) if n % 2 == 0 => permit.finish(Outcome::Success),
                            permit => drop(permit),
                        }
                    }
                    lost
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.held, snapshot.free, snapshot.n_waiting), (lost, 16 - lost, 0));
    time.advance(30 * SECOND);
    let snapshot = credits.snapshot();
    assert_eq!((snapshot.expired, snapshot.free, snapshot.granted), (lost, 16, 16 + lost));
}
