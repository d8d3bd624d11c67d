//! Subscribers that ask for items ahead of their subscription.

use millstream_kernel::{End, Gate, Source, Step};
use reactive_streams::{ErrorKind, Offer};

use crate::support::{
    Event::{Completed, Dropped, Failed, Item, SourceCanceled, SourceDropped},
    Recorder, Script, Watch,
};

/// The most items that come ahead, of a source that says nothing else.
const CHUNK: u64 = 64;

#[test]
fn a_source_that_ends_in_time_needs_no_subscription() {
    let watch = Watch::default();

    Script::count(&watch, 2).start(Recorder::new(&watch).ahead(3));

    assert_eq!(watch.take(), [Item(1), Item(2), SourceDropped, Completed, Dropped]);
    assert!(!watch.is_subscribed());
}

#[test]
fn a_known_end_comes_with_the_last_item() {
    let watch = Watch::default();

    Script::count(&watch, 2).start(Recorder::new(&watch).ahead(2));

    assert_eq!(watch.take(), [Item(1), Item(2), SourceDropped, Completed, Dropped]);
    assert!(!watch.is_subscribed());
}

#[test]
fn what_was_not_asked_for_waits_for_a_request() {
    let watch = Watch::default();
    Script::count(&watch, 4).start(Recorder::new(&watch).ahead(2));
    assert_eq!(watch.take(), [Item(1), Item(2)]);

    watch.request(1);

    assert_eq!(watch.take(), [Item(3)]);
}

#[test]
fn more_than_a_chunk_comes_with_a_subscription() {
    let watch = Watch::default();
    Script::endless(&watch).start(Recorder::new(&watch).ahead(CHUNK + 2).on_item({
        let watch = watch.clone();
        move |_, n| {
            assert_eq!(watch.is_subscribed(), n > CHUNK);
            Offer::Accepted
        }
    }));

    assert_eq!(watch.take(), (1..=CHUNK + 2).map(Item).collect::<Vec<_>>());
    watch.request(1);
    assert_eq!(watch.take(), [Item(CHUNK + 3)]);
}

#[test]
fn demand_without_bound_stays_so() {
    let watch = Watch::default();

    Script::count(&watch, 3 * CHUNK).start(Recorder::new(&watch).ahead(u64::MAX));

    let items = (1..=3 * CHUNK).map(Item);
    assert_eq!(watch.take(), items.chain([SourceDropped, Completed, Dropped]).collect::<Vec<_>>());
}

#[test]
fn a_skipped_item_uses_no_demand() {
    let watch = Watch::default();
    let odd = |_: &dyn reactive_streams::Subscription, n| match n % 2 {
        0 => Offer::Skipped,
        _ => Offer::Accepted,
    };

    Script::endless(&watch).start(Recorder::new(&watch).ahead(2).on_item(odd));

    assert_eq!(watch.take(), [Item(1), Item(2), Item(3)]);
}

#[test]
fn who_is_finished_gets_no_subscription() {
    let watch = Watch::default();
    let finished = |_: &dyn reactive_streams::Subscription, n| match n {
        2 => Offer::Finished,
        _ => Offer::Accepted,
    };

    Script::endless(&watch).start(Recorder::new(&watch).ahead(9).on_item(finished));

    assert_eq!(watch.take(), [Item(1), Item(2), SourceCanceled, SourceDropped, Dropped]);
    assert!(!watch.is_subscribed());
}

#[test]
fn a_panic_fails_the_stream() {
    let watch = Watch::default();

    Script::endless(&watch).start(Recorder::new(&watch).ahead(9).on_item(|_, _| panic!("planted")));

    let end = [SourceCanceled, SourceDropped, Failed(ErrorKind::Panicked), Dropped];
    assert_eq!(watch.take(), [&[Item(1)], &end[..]].concat());
    assert!(!watch.is_subscribed());
}

/// One item at a time, because each takes long.
struct Slow(u64);

impl Source for Slow {
    type Item = u64;
    const CHUNK: u64 = 1;

    fn next(&mut self) -> Step<u64> {
        self.0 += 1;
        if self.0 > 3 { Step::End(End::Complete) } else { Step::Item(self.0) }
    }
}

#[test]
fn a_source_with_small_chunks_gives_one_of_them() {
    let watch = Watch::default();
    Gate::start(
        Slow(0),
        Recorder::new(&watch).ahead(9).on_item({
            let watch = watch.clone();
            move |_, n| {
                assert_eq!(watch.is_subscribed(), n > 1);
                Offer::Accepted
            }
        }),
    );

    assert_eq!(watch.take(), [Item(1), Item(2), Item(3), Completed, Dropped]);
}
