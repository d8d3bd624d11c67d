//! Panics of a source and of a subscriber: the subscriber is told if it can be, and dropped once.

use std::panic::panic_any;

use millstream_kernel::{End, Step};
use reactive_streams::{Error, ErrorKind, Offer};

use crate::support::{
    Event::{Completed, Dropped, Failed, Item, SourceCanceled, SourceDropped},
    Recorder, Script, Watch,
};

const PANICKED: crate::support::Event = Failed(ErrorKind::Panicked);

fn panics() {
    panic!("planted");
}

#[test]
fn in_next() {
    for demand in [2, u64::MAX] {
        let watch = Watch::default();
        let mut n_asked = 0;
        let next = move || {
            n_asked += 1;
            if n_asked == 2 { panic!("planted") } else { Step::Item(n_asked) }
        };
        Script::new(&watch, next).start(Recorder::new(&watch));

        watch.request(demand);
        watch.request(1);

        assert_eq!(watch.take(), [Item(1), SourceCanceled, SourceDropped, PANICKED, Dropped]);
    }
}

#[test]
fn in_on_subscribe() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_subscribe(|subscription| {
        subscription.request(1);
        panics();
    });

    Script::endless(&watch).start(subscriber);
    watch.request(1);
    watch.cancel();

    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, PANICKED, Dropped]);
}

#[test]
fn in_an_offer() {
    for demand in [2, u64::MAX] {
        let watch = Watch::default();
        let subscriber = Recorder::new(&watch).on_item(|_, item| {
            if item == 2 {
                panics();
            }
            Offer::Accepted
        });
        Script::endless(&watch).start(subscriber);

        watch.request(demand);
        watch.request(1);

        let expected = [Item(1), Item(2), SourceCanceled, SourceDropped, PANICKED, Dropped];
        assert_eq!(watch.take(), expected);
    }
}

#[test]
fn in_an_offer_after_a_cancel() {
    let watch = Watch::default();
    let subscriber = Recorder::new(&watch).on_item(|subscription, _| {
        subscription.cancel();
        panics();
        Offer::Accepted
    });
    Script::endless(&watch).start(subscriber);

    watch.request(1);

    let events = watch.take();
    assert_eq!(events.iter().filter(|event| **event == Dropped).count(), 1, "{events:?}");
    assert_eq!(events[..3], [Item(1), SourceCanceled, SourceDropped]);
}

#[test]
fn in_on_complete() {
    let watch = Watch::default();

    Script::count(&watch, 0).start(Recorder::new(&watch).on_end(panics));
    watch.request(1);

    assert_eq!(watch.take(), [SourceDropped, Completed, Dropped]);
}

#[test]
fn in_on_error() {
    let watch = Watch::default();
    let end = || Step::End(End::Failed(Error::message("planted")));
    Script::new(&watch, end).start(Recorder::new(&watch).on_end(panics));

    watch.request(1);
    watch.request(1);

    assert_eq!(watch.take(), [SourceDropped, Failed(ErrorKind::Other), Dropped]);
}

#[test]
fn in_the_drop_of_a_source_that_ends() {
    let watch = Watch::default();

    Script::count(&watch, 0).on_drop(panics).start(Recorder::new(&watch));

    assert_eq!(watch.take(), [SourceDropped, PANICKED, Dropped]);
}

#[test]
fn in_the_drop_of_a_source_that_fails() {
    let watch = Watch::default();
    let end = || Step::End(End::Failed(Error::message("planted")));
    Script::new(&watch, end).on_drop(panics).start(Recorder::new(&watch));

    watch.request(1);

    // The first failure is the one that is told.
    assert_eq!(watch.take(), [SourceDropped, Failed(ErrorKind::Other), Dropped]);
}

#[test]
fn in_the_cancel_and_the_drop_of_a_source_that_is_canceled() {
    let watch = Watch::default();
    Script::endless(&watch).on_cancel(panics).on_drop(panics).start(Recorder::new(&watch));

    watch.cancel();

    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, Dropped]);
}

#[test]
fn in_the_drop_of_a_subscriber() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch).on_drop(panics));

    watch.cancel();
    watch.cancel();

    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, Dropped]);
}

#[test]
fn in_both_drops_of_a_gate_that_nobody_holds() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch).on_drop(panics));
    watch.release();
    assert_eq!(watch.take(), [SourceDropped, Dropped]);

    Script::endless(&watch).on_drop(panics).start(Recorder::new(&watch));
    watch.release();
    assert_eq!(watch.take(), [SourceDropped, Dropped]);
}

#[test]
fn with_a_payload_that_panics_when_it_is_dropped() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panics();
        }
    }
    let watch = Watch::default();
    Script::new(&watch, || panic_any(Grenade)).start(Recorder::new(&watch));

    watch.request(1);

    assert_eq!(watch.take(), [SourceCanceled, SourceDropped, PANICKED, Dropped]);
}
