//! Credits as an operator: what is asked for, what expires and what is given back.

use std::{mem::forget, time::Duration};

use millstream::{Flow, range, scheduler::VirtualTime};
use millstream_pressure::{Credited, Credits, CreditsConfig, FlowExt as _, Policy as _};
use millstream_testkit::{Probe, Puppet};

const SECOND: Duration = Duration::from_secs(1);

fn credits(n: u64, time: &VirtualTime) -> Credits {
    Credits::new("test", CreditsConfig::fixed(n), time).unwrap()
}

fn without_items(probe: &Probe<Credited<u64>>) -> usize {
    probe.n_items()
}

#[test]
fn demand_is_what_is_free_and_returns_with_the_credits() {
    let time = VirtualTime::new();
    let credits = credits(2, &time);
    let (puppet, publisher) = Puppet::new();
    let flow = Flow::from(publisher).credits(&credits);
    let (held, log) = std::sync::mpsc::channel();
    let probe = Probe::subscribe_to(flow.map(move |credited: Credited<u64>| {
        let item = credited.item;
        held.send(credited).unwrap();
        item
    }));
    probe.request(5);
    assert_eq!(puppet.requested().get(), 2);
    puppet.next(1).unwrap();
    puppet.next(2).unwrap();
    assert_eq!((probe.items(), puppet.requested().get()), (vec![1, 2], 2));
    assert_eq!(credits.snapshot().held, 2);
    drop(log.recv().unwrap());
    assert_eq!(puppet.requested().get(), 3);
    assert_eq!(credits.snapshot().reserved, 1);
}

#[test]
fn a_source_that_is_slow_loses_no_credit_and_an_item_that_is_lost_does() {
    let time = VirtualTime::new();
    let credits = credits(1, &time);
    let (puppet, publisher) = Puppet::new();
    let lost = Flow::from(publisher).credits(&credits).map(forget);
    let probe = Probe::subscribe_to(lost);
    probe.request(2);
    time.advance(300 * SECOND);
    assert_eq!((credits.snapshot().expired, credits.snapshot().reserved), (0, 1));
    puppet.next(1_u64).unwrap();
    assert_eq!(puppet.requested().get(), 1);
    time.advance(30 * SECOND);
    assert_eq!((puppet.requested().get(), credits.snapshot().expired), (2, 1));
    assert!(credits.snapshot().is_whole());
}

#[test]
fn what_did_not_come_is_given_back() {
    for ends in [true, false] {
        let time = VirtualTime::new();
        let credits = credits(8, &time);
        let (puppet, publisher) = Puppet::new();
        let probe = Probe::subscribe_to(Flow::from(publisher).credits(&credits));
        probe.request(6);
        puppet.next(1_u64).unwrap();
        // The probe holds the item.
        assert_eq!((credits.snapshot().held, without_items(&probe)), (6, 1));
        if ends {
            puppet.complete();
        } else {
            probe.cancel();
            puppet.drop_subscriber();
        }
        assert_eq!((credits.snapshot().held, credits.snapshot().reserved), (1, 0));
        drop((probe, puppet));
        assert_eq!(credits.snapshot().free, 8);
    }
}

#[test]
fn flows_share_credits_and_a_cancel_leaves_the_line() {
    let time = VirtualTime::new();
    let credits = credits(1, &time);
    let probes = [(); 2].map(|()| {
        let (puppet, publisher) = Puppet::<u64>::new();
        (Probe::subscribe_to(Flow::from(publisher).credits(&credits)), puppet)
    });
    probes.iter().for_each(|(probe, _)| probe.request(3));
    let asked = || probes.each_ref().map(|(_, puppet)| puppet.requested().get());
    assert_eq!((asked(), credits.snapshot().n_waiting), ([1, 0], 2));
    probes[0].0.cancel();
    probes[0].1.drop_subscriber();
    assert_eq!((asked(), credits.snapshot().n_waiting), ([1, 1], 1));
    probes[1].0.cancel();
    assert_eq!((credits.snapshot().n_waiting, time.n_timers()), (0, 0));
}

#[test]
fn a_source_that_sends_too_much_is_counted() {
    let time = VirtualTime::new();
    let credits = credits(1, &time);
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).credits(&credits));
    probe.request(1);
    puppet.next(1_u64).unwrap();
    puppet.force_next(2).unwrap();
    let snapshot = credits.snapshot();
    assert!(snapshot.is_whole() && snapshot.held == 2, "{snapshot:?}");
    drop((probe, puppet));
    assert_eq!((credits.snapshot().free, credits.snapshot().granted), (1, 1));
}

#[test]
fn items_that_are_filtered_out_give_back_their_credit() {
    let time = VirtualTime::new();
    let credits = credits(2, &time);
    let even = range(0..1_000_u64).credits(&credits).filter(|n| n.item % 2 == 0);
    assert_eq!(even.count().wait().unwrap(), 500);
    assert_eq!((credits.snapshot().free, credits.snapshot().granted), (2, 2));
}
