//! Demand, cancels and ends of a gate whose turns run on the calling thread.

use std::{sync::Arc, thread};

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{Error, ErrorKind, Offer};

use crate::support::{
    Event::{Completed, Dropped, Failed, Item, SourceCanceled, SourceDropped},
    Recorder, Script, Watch,
};

#[test]
fn nothing_comes_that_was_not_asked_for() {
    let watch = Watch::default();

    Script::count(&watch, 3).start(Recorder::new(&watch));

    assert_eq!(watch.take(), []);
}

#[test]
fn as_many_items_come_as_were_asked_for() {
    let watch = Watch::default();
    Script::count(&watch, 3).start(Recorder::new(&watch));

    watch.request(2);

    assert_eq!(watch.take(), [Item(1), Item(2)]);
}

#[test]
fn a_known_end_comes_with_the_last_item() {
    let watch = Watch::default();
    Script::count(&watch, 2).start(Recorder::new(&watch));

    watch.request(2);

    assert_eq!(watch.take(), [Item(1), Item(2), SourceDropped, Completed, Dropped]);
}

#[test]
fn a_known_end_needs_no_demand() {
    let watch = Watch::default();

    Script::count(&watch, 0).start(Recorder::new(&watch));

    assert_eq!(watch.take(), [SourceDropped, Completed, Dropped]);
}

#[test]
fn an_end_that_is_not_known_needs_one_more_request() {
    let watch = Watch::default();
    let mut steps = [Step::Item(7), Step::End(End::Failed(Error::message("planted")))].into_iter();
    Script::new(&watch, move || steps.next().unwrap()).start(Recorder::new(&watch));

    watch.request(1);
    assert_eq!(watch.take(), [Item(7)]);
    watch.request(1);
    assert_eq!(watch.take(), [SourceDropped, Failed(ErrorKind::Other), Dropped]);
}

#[test]
fn requests_from_inside_on_subscribe_are_met_after_it() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_subscribe({
        let watch = watch.clone();
        move |subscription| {
            subscription.request(1);
            subscription.request(1);
            assert_eq!(watch.take(), [], "rule 1.3");
        }
    });

    Script::count(&watch, 3).start(subscriber);

    assert_eq!(watch.take(), [Item(1), Item(2)]);
}

#[test]
fn a_million_requests_from_inside_do_not_recurse() {
    // Not a `Recorder`, whose list would be long.
    struct Count(u64);
    impl Source for Count {
        type Item = u64;
        fn next(&mut self) -> Step<u64> {
            self.0 += 1;
            if self.0 > 1_000_000 { Step::End(End::Complete) } else { Step::Item(self.0) }
        }
    }
    let watch = Watch::default();
    let subscriber =
        Recorder::new(&watch).on_subscribe(|subscription| subscription.request(1)).on_item({
            let watch = watch.clone();
            move |subscription, item| {
                assert_eq!(watch.take(), [Item(item)]);
                subscription.request(1);
                Offer::Accepted
            }
        });
    let small = thread::Builder::new().stack_size(64 * 1024);

    let emitter = small.spawn(move || Gate::start(Count(0), subscriber)).unwrap();

    emitter.join().unwrap();
    assert_eq!(watch.take(), [Completed, Dropped], "rule 3.3");
}

#[test]
fn requests_saturate_to_unbounded() {
    for requests in [[u64::MAX, 1], [1, u64::MAX], [u64::MAX - 1, u64::MAX - 1], [1 << 57, 1]] {
        let watch = Watch::default();
        let subscriber = Recorder::new(&watch).on_subscribe(move |subscription| {
            requests.iter().for_each(|n| subscription.request(*n))
        });

        Script::count(&watch, 1_000).start(subscriber);

        let events = watch.take();
        assert_eq!(events.len(), 1_003, "{requests:?}");
        assert_eq!(events[1_000..], [SourceDropped, Completed, Dropped]);
    }
}

#[test]
fn requests_from_outside_saturate_to_unbounded() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_item({
        let watch = watch.clone();
        move |_, item| {
            if item == 1 {
                // From another thread, so that they meet in the gate's word.
                let subscription = watch.subscription();
                thread::scope(|scope| {
                    scope.spawn(|| [u64::MAX, 1].map(|n| subscription.request(n)));
                });
            }
            Offer::Accepted
        }
    });
    Script::count(&watch, 1_000).start(subscriber);

    watch.request(1);

    assert_eq!(watch.take().len(), 1_003);
}

#[test]
fn a_request_for_nothing_fails_the_stream_once() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch));
    watch.request(1);

    watch.request(0);
    watch.request(0);
    watch.request(1);

    let failed = Failed(ErrorKind::IllegalRequest);
    assert_eq!(watch.take(), [Item(1), SourceCanceled, SourceDropped, failed, Dropped], "rule 3.9");
}

#[test]
fn a_request_for_nothing_from_inside_fails_the_stream_after_the_signal() {
    let failed = Failed(ErrorKind::IllegalRequest);

    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_subscribe(|subscription| subscription.request(0));
    Script::endless(&watch).start(subscriber);
    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, failed, Dropped], "rule 3.9");

    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_item(|subscription, _| {
        subscription.request(0);
        Offer::Accepted
    });
    Script::endless(&watch).start(subscriber);
    watch.request(u64::MAX);
    assert_eq!(watch.take(), [Item(1), SourceCanceled, SourceDropped, failed, Dropped], "rule 3.9");
}

#[test]
fn a_cancel_before_the_first_item_drops_both_at_once() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch));

    watch.cancel();

    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, Dropped], "rule 3.13");
}

#[test]
fn a_cancel_from_inside_on_subscribe_lets_nothing_through() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_subscribe(|subscription| {
        subscription.request(1);
        subscription.cancel();
    });

    Script::endless(&watch).start(subscriber);

    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, Dropped]);
}

#[test]
fn a_cancel_from_inside_an_item_makes_it_the_last() {
    for demand in [5, u64::MAX] {
        let watch = Watch::default();
        let subscriber = Recorder::new(&watch).on_item(|subscription, item| {
            if item == 2 {
                subscription.cancel();
                subscription.cancel();
            }
            Offer::Accepted
        });
        Script::endless(&watch).start(subscriber);

        watch.request(demand);

        let expected = [Item(1), Item(2), SourceCanceled, SourceDropped, Dropped];
        assert_eq!(watch.take(), expected, "demand of {demand}");
    }
}

#[test]
fn calls_after_the_cancel_do_nothing() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch));
    watch.cancel();
    watch.take();

    watch.request(1);
    watch.request(0);
    watch.cancel();

    assert_eq!(watch.take(), [], "rules 3.6 and 3.7");
}

#[test]
fn calls_after_the_end_do_nothing() {
    let watch = Watch::default();
    Script::count(&watch, 0).start(Recorder::new(&watch));
    watch.take();

    watch.request(1);
    watch.request(0);
    watch.cancel();

    assert_eq!(watch.take(), [], "rule 1.6");
}

#[test]
fn calls_from_inside_the_terminal_signal_do_nothing() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_end({
        let watch = watch.clone();
        move || {
            watch.request(1);
            watch.cancel();
        }
    });

    Script::count(&watch, 0).start(subscriber);

    assert_eq!(watch.take(), [SourceDropped, Completed, Dropped]);
}

#[test]
fn a_skipped_item_uses_no_demand() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch)
        .on_item(|_, item| if item % 3 == 0 { Offer::Accepted } else { Offer::Skipped });
    Script::endless(&watch).start(subscriber);

    watch.request(2);

    assert_eq!(watch.take(), (1..=6).map(Item).collect::<Vec<_>>());
}

#[test]
fn a_finished_subscriber_is_dropped_without_a_signal() {
    for demand in [2, 5, u64::MAX] {
        let watch = Watch::default();
        let subscriber = Recorder::new(&watch)
            .on_item(|_, item| if item == 2 { Offer::Finished } else { Offer::Accepted });
        Script::count(&watch, 2).start(subscriber);

        watch.request(demand);

        assert_eq!(watch.take(), [Item(1), Item(2), SourceCanceled, SourceDropped, Dropped]);
    }
}

#[test]
fn a_gate_that_nobody_holds_drops_both() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch));
    watch.request(1);
    assert_eq!(watch.take(), [Item(1)]);

    watch.release();

    assert_eq!(watch.take(), [SourceDropped, Dropped]);
}

#[test]
fn a_cancel_from_another_thread_is_seen_within_a_chunk() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_item({
        let watch = watch.clone();
        move |_, item| {
            if item == 1 {
                let subscription = watch.subscription();
                thread::scope(|scope| {
                    scope.spawn(|| subscription.cancel());
                });
            }
            Offer::Accepted
        }
    });
    Script::endless(&watch).start(subscriber);

    watch.request(u64::MAX);

    let events = watch.take();
    assert!(events.len() as u64 <= Script::CHUNK + 3, "{} events", events.len());
    assert_eq!(events[events.len() - 3..], [SourceCanceled, SourceDropped, Dropped]);
}

#[test]
fn what_a_subscriber_holds_is_freed_with_the_end() {
    let witness = Arc::new(());
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_drop({
        let witness = Arc::clone(&witness);
        move || drop(Arc::clone(&witness))
    });

    Script::count(&watch, 1).start(subscriber);
    watch.request(1);

    assert_eq!(Arc::strong_count(&witness), 1);
}
