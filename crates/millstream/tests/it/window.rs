//! Windows: flows of some consecutive items, that outlive the flow they came from.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use millstream::{
    Backpressure, Error, ErrorKind, Flow, Publisher, Window, assert_bounded, from_iter, range,
    scheduler::Pool,
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

/// Windows that were put aside as they came.
pub(crate) struct Shelf<T>(Arc<Mutex<VecDeque<Flow<Window<T>>>>>);

impl<T: Send + 'static> Shelf<T> {
    pub(crate) fn fill_from(
        windows: Flow<impl Publisher<Item = Flow<Window<T>>>>,
    ) -> (Probe<()>, Self) {
        let shelf = Arc::new(Mutex::new(VecDeque::new()));
        let probe = Probe::subscribe_to(windows.map({
            let shelf = Arc::clone(&shelf);
            move |window| shelf.lock().unwrap().push_back(window)
        }));
        (probe, Self(shelf))
    }

    pub(crate) fn take(&self) -> Flow<Window<T>> {
        let window = self.0.lock().unwrap().pop_front();
        window.unwrap()
    }

    pub(crate) fn subscribe(&self) -> Probe<T> {
        Probe::subscribe_to(self.take())
    }
}

#[test]
fn all_items_come_back_however_windows_are_flattened() {
    for n in [1, 2, 3, 7, 31, 32, 33, 64, 65, 500] {
        let expected: Vec<u32> = (0..100).collect();
        let windows = || range(0..100_u32).window(n);
        let one_by_one = windows().concat_map(|window| window).collect::<Vec<_>>();
        assert_eq!(one_by_one.wait().unwrap(), expected, "{n}");
        for concurrency in [1, 2, 5] {
            let together = windows().flat_map(|window| window).concurrency(concurrency).prefetch(3);
            let mut items = together.collect::<Vec<_>>().wait().unwrap();
            items.sort_unstable();
            assert_eq!(items, expected, "{n} by {concurrency}");
        }
    }
}

#[test]
fn windows_that_are_kept_for_later_hold_up_nothing() {
    let windows = range(0..100_u32).window(40).collect::<Vec<_>>().wait().unwrap();

    let items = windows.into_iter().rev().map(|window| window.collect::<Vec<_>>().wait().unwrap());
    let expected = [(80..100).collect(), (40..80).collect(), (0..40).collect::<Vec<_>>()];
    assert!(items.eq(expected));
}

#[test]
fn windows_that_nobody_wants_are_passed_over() {
    let kept = range(0..100_u32).window(7).enumerate().filter_map(|(index, window)| {
        // The others are dropped.
        (index % 3 == 2).then_some(window)
    });
    let items = kept.concat_map(|window| window.take(2)).collect::<Vec<_>>().wait().unwrap();
    assert_eq!(items, [14, 15, 35, 36, 56, 57, 77, 78, 98, 99]);
}

#[test]
fn a_window_outlives_the_flow_that_is_canceled() {
    let (puppet, publisher) = Puppet::new();
    let (probe, shelf) = Shelf::fill_from(Flow::from(publisher).window(3));
    probe.request(1);
    puppet.next(1).unwrap();
    let window = shelf.subscribe();
    window.request(9);

    probe.cancel();

    assert!(probe.is_dropped() && !puppet.is_canceled());
    puppet.next(2).unwrap();
    assert_eq!((window.items(), window.is_ended()), (vec![1, 2], false));
    puppet.next(3).unwrap();
    assert_eq!((window.items(), window.is_completed()), (vec![1, 2, 3], true));
    assert!(puppet.is_canceled());
}

#[test]
fn the_source_is_canceled_with_the_last_that_leaves() {
    for window_first in [false, true] {
        for is_subscribed in [false, true] {
            let (puppet, publisher) = Puppet::new();
            let (probe, shelf) = Shelf::fill_from(Flow::from(publisher).window(3));
            probe.request(1);
            puppet.next(1).unwrap();
            let window = shelf.take();
            let leave: Box<dyn FnOnce()> = if is_subscribed {
                let window = Probe::subscribe_to(window);
                Box::new(move || window.cancel())
            } else {
                Box::new(move || drop(window))
            };
            if window_first {
                leave();
                assert!(!puppet.is_canceled());
                probe.cancel();
            } else {
                probe.cancel();
                assert!(!puppet.is_canceled());
                leave();
            }
            assert!(puppet.is_canceled() && probe.is_dropped());
        }
    }
}

#[test]
fn an_error_ends_the_open_window_after_its_items_and_then_the_flow() {
    let (puppet, publisher) = Puppet::new();
    let (probe, shelf) = Shelf::fill_from(Flow::from(publisher).window(3));
    probe.request(9);
    for n in 0..5 {
        puppet.next(n).unwrap();
    }
    puppet.fail(Error::message("late"));

    assert_eq!((probe.n_items(), probe.error().unwrap().to_string()), (2, "late".into()));
    let windows = [shelf.subscribe(), shelf.subscribe()];
    windows.iter().for_each(|window| window.request(9));
    assert_eq!(windows[0].items(), [0, 1, 2]);
    assert!(windows[0].is_completed());
    assert_eq!(windows[1].items(), [3, 4]);
    assert_eq!(windows[1].error().unwrap().to_string(), "late");
}

#[test]
fn nothing_is_asked_for_before_somebody_asks() {
    let (puppet, publisher) = Puppet::<u32>::new();
    let (probe, _shelf) = Shelf::fill_from(Flow::from(publisher).window(3));
    assert_eq!(puppet.n_requests(), 0);
    probe.request(1);
    assert_eq!(puppet.requested().to_string(), "3");
}

#[test]
fn a_window_is_filled_ahead_of_its_subscriber_only_for_the_next() {
    let n_made = Arc::new(Mutex::new(0_usize));
    let counter = Arc::clone(&n_made);
    let items = from_iter((0..1_000).inspect(move |_| *counter.lock().unwrap() += 1));
    let (probe, shelf) = Shelf::fill_from(items.window(100));
    let n_made = || *n_made.lock().unwrap();

    // 32 items in the window, and those that were asked for in place of 24 of them.
    probe.request(1);
    assert_eq!((probe.n_items(), n_made()), (1, 56));
    let window = shelf.subscribe();
    window.request(24);
    assert_eq!((window.n_items(), n_made()), (24, 80));

    // The window has all of its items, and the next one its first.
    probe.request(1);
    assert_eq!((probe.n_items(), window.n_items()), (2, 24));
    assert!((132..=164).contains(&n_made()), "{}", n_made());
    window.request(100);
    assert_eq!((window.n_items(), window.is_completed()), (100, true));
}

#[test]
fn a_window_that_was_canceled_is_passed_over_when_the_next_is_wanted() {
    let (puppet, publisher) = Puppet::new();
    let (probe, shelf) = Shelf::fill_from(Flow::from(publisher).window(3));
    probe.request(1);
    puppet.next(0).unwrap();
    shelf.subscribe().cancel();
    assert!(!puppet.is_canceled(), "the next one may be asked for");
    puppet.next(1).unwrap();

    probe.request(1);
    puppet.next(2).unwrap();
    puppet.next(3).unwrap();

    let second = shelf.subscribe();
    second.request(1);
    assert_eq!((probe.n_items(), second.items()), (2, vec![3]));
    puppet.complete();
    assert!(probe.is_completed() && second.is_completed());
}

#[test]
fn a_completed_source_ends_a_flow_whose_window_was_dropped() {
    let (puppet, publisher) = Puppet::new();
    let (probe, shelf) = Shelf::fill_from(Flow::from(publisher).window(3));
    probe.request(1);
    puppet.next(0).unwrap();
    drop(shelf.take());

    puppet.complete();

    assert!(probe.is_completed());
}

#[test]
fn taking_some_windows_leaves_them_open_and_asks_for_no_more() {
    let (puppet, publisher) = Puppet::new();
    let (probe, shelf) = Shelf::fill_from(Flow::from(publisher).window(2).take(1));
    probe.request(5);
    puppet.next(0).unwrap();
    assert!(probe.is_completed() && probe.is_dropped() && !puppet.is_canceled());

    puppet.next(1).unwrap();

    assert!(puppet.is_canceled());
    let items = shelf.take().collect::<Vec<_>>().wait().unwrap();
    assert_eq!(items, [0, 1]);
}

#[test]
fn a_downstream_that_fails_by_its_own_fault_fails_the_open_window() {
    for kind in [ErrorKind::IllegalRequest, ErrorKind::Panicked] {
        let (puppet, publisher) = Puppet::new();
        let (sender, windows) = std::sync::mpsc::channel();
        let probe = Probe::subscribe_to(Flow::from(publisher).window(2).map(move |window| {
            let window = Probe::subscribe_to(window);
            window.request(9);
            sender.send(window).unwrap();
            assert!(kind != ErrorKind::Panicked, "planted");
        }));
        probe.request(1);
        puppet.next(7).unwrap();

        probe.request(0);

        assert_eq!(probe.error().unwrap().kind(), kind);
        let window = windows.recv().unwrap();
        assert_eq!(window.items(), [7]);
        assert_eq!(window.error().unwrap().kind(), ErrorKind::Disconnected);
        assert!(puppet.is_canceled());
    }
}

#[test]
fn a_window_whose_subscriber_panics_ends_alone() {
    let sums = range(0..9_u32).window(3).concat_map(|window| {
        let panicking = window.map(|n| if n == 4 { panic!("planted") } else { n });
        panicking.map_err(|error| Error::message(error.to_string())).on_error_return(|_| 100)
    });
    assert_eq!(sums.collect::<Vec<_>>().wait().unwrap(), [0, 1, 2, 3, 100, 6, 7, 8]);
}

#[test]
fn windows_are_worked_on_by_other_threads() {
    let (mover, worker) = (Pool::new(1), Pool::new(1));
    for n in [1, 3, 40] {
        let windows = range(0..3_000_u64).window(n).publish_on(&mover).capacity(4);
        let worker = worker.clone();
        let items = windows
            .flat_map(move |window| window.publish_on(&worker).capacity(2))
            .concurrency(3)
            .prefetch(8);
        assert_eq!(items.fold(0, |sum, n| sum + n).wait().unwrap(), 2_999 * 1_500, "{n}");
    }
}

#[test]
fn windows_of_nothing_are_refused() {
    let refused = std::panic::catch_unwind(|| range(0..9).window(0)).unwrap_err();
    assert!(refused.downcast_ref::<String>().unwrap().contains("capacity of 0"));
}

#[test]
fn windows_state_what_they_hold() {
    let stated = |n| assert_bounded(range(0..9_u8).window(n)).max_in_flight();
    assert_eq!([1, 32, 33].map(stated), [1, 32, 32]);
    let window = range(0..9_u8).window(33).first().wait().unwrap().unwrap();
    assert_eq!(assert_bounded(window).max_in_flight(), 33);
}

/// What a script does to the windows of a flow.
#[derive(Clone, Debug)]
enum Deed {
    Request(u64),
    Cancel,
    Subscribe(usize),
    RequestOf(usize, u64),
    CancelOf(usize),
    Drop(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let index = || 0..6_usize;
    let deed = prop_oneof![
        4 => (1..4_u64).prop_map(Deed::Request),
        1 => Just(Deed::Cancel),
        4 => index().prop_map(Deed::Subscribe),
        6 => (index(), 1..50_u64).prop_map(|(at, n)| Deed::RequestOf(at, n)),
        1 => index().prop_map(Deed::CancelOf),
        1 => index().prop_map(Deed::Drop),
    ];
    proptest::collection::vec(deed, 0..40)
}

/// A window that came, and what became of it.
enum Came<T> {
    Kept(Flow<Window<T>>),
    Subscribed { probe: Probe<T>, requested: u64, is_canceled: bool },
    Dropped,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn windows_are_chunks_whatever_is_done_with_each(
        len in 0..150_usize,
        n in prop_oneof![1..5_usize, 30..70_usize],
        script in deeds(),
    ) {
        let tally = Arc::new(());
        let items = (0..len).map({
            let tally = Arc::clone(&tally);
            move |n| (n, Arc::clone(&tally))
        });
        let numbers: Vec<usize> = (0..len).collect();
        let chunks: Vec<&[usize]> = numbers.chunks(n).collect();
        let (outer, shelf) = Shelf::fill_from(from_iter(items.collect::<Vec<_>>()).window(n));
        let mut windows = Vec::new();
        let (mut n_requested, mut is_canceled) = (0, false);
        let finale = [Deed::Request(u64::MAX)].into_iter();
        let finale = finale.chain((0..200).map(Deed::Subscribe));
        let finale = finale.chain((0..200).map(|at| Deed::RequestOf(at, u64::MAX)));
        for deed in script.into_iter().chain(finale) {
            match deed {
                Deed::Request(n) => {
                    if !is_canceled {
                        n_requested = n.saturating_add(n_requested);
                    }
                    outer.request(n);
                }
                Deed::Cancel => {
                    is_canceled = true;
                    outer.cancel();
                    prop_assert!(outer.is_dropped());
                }
                Deed::Subscribe(at) | Deed::RequestOf(at, _) | Deed::CancelOf(at) | Deed::Drop(at) => {
                    let Some(place) = windows.get_mut(at) else { continue };
                    let window = std::mem::replace(place, Came::Dropped);
                    *place = match (deed, window) {
                        (Deed::Subscribe(_), Came::Kept(window)) => {
                            let probe = Probe::subscribe_to(window);
                            Came::Subscribed { probe, requested: 0, is_canceled: false }
                        }
                        (Deed::RequestOf(_, n), Came::Subscribed { probe, requested, is_canceled }) => {
                            probe.request(n);
                            let sum = requested.saturating_add(n);
                            let requested = if is_canceled { requested } else { sum };
                            Came::Subscribed { probe, requested, is_canceled }
                        }
                        (Deed::CancelOf(_), Came::Subscribed { probe, requested, .. }) => {
                            probe.cancel();
                            Came::Subscribed { probe, requested, is_canceled: true }
                        }
                        (Deed::Drop(_), Came::Kept(_)) => Came::Dropped,
                        (_, window) => window,
                    };
                }
            }
            windows.extend(shelf.0.lock().unwrap().drain(..).map(Came::Kept));
            if !is_canceled {
                let n_windows = (n_requested.min(chunks.len() as u64)) as usize;
                prop_assert_eq!(windows.len(), n_windows, "no window holds up another");
            }
            for (window, chunk) in windows.iter().zip(&chunks) {
                let Came::Subscribed { probe, requested, is_canceled } = window else { continue };
                let seen: Vec<usize> = probe.items().into_iter().map(|(n, _)| n).collect();
                let n_seen = (*requested).min(chunk.len() as u64) as usize;
                prop_assert_eq!(&seen, &chunk[..n_seen]);
                prop_assert!(!*is_canceled || probe.is_dropped());
            }
        }
        if !is_canceled {
            prop_assert!(outer.is_completed());
        }
        for window in &windows {
            if let Came::Subscribed { probe, is_canceled, .. } = window {
                prop_assert!(*is_canceled || probe.is_completed());
                prop_assert!(probe.is_dropped());
            }
        }
        drop((outer, shelf, windows));
        prop_assert_eq!(Arc::strong_count(&tally), 1, "an item was leaked");
    }
}
