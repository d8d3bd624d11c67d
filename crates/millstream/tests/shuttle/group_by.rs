//! Groups whose source, whose subscribers and whose cancels are on threads of their own.

use std::sync::{Arc, Mutex};

use millstream::{Flow, Publisher};
use shuttle::thread::{self, JoinHandle};

use crate::support::{Came, Item, Tally, Thread, Watch, at_once, dawdle, explore};

/// The groups that came: the key, what was seen, and who asks.
type Groups = Arc<Mutex<Vec<(u64, Watch, JoinHandle<()>)>>>;

/// Two groups of two: 0 and 2, 1 and 3. The first one asks for an item and cancels, the second asks
/// for one and for one.
fn keys(
    tally: &Tally,
    source: &Thread,
    groups: &Groups,
) -> Flow<impl Publisher<Item = Item> + use<>> {
    let (tally, groups) = (tally.clone(), Arc::clone(groups));
    let numbers = tally.numbers(0, 4).subscribe_on(source);
    numbers.group_by(|item| item.number % 2).max_groups(2).capacity(1).map(move |group| {
        let key = *group.key();
        let watch = Watch::subscribe_to(group);
        let subscription = watch.subscription();
        let asking = thread::spawn(move || {
            subscription.request(1);
            dawdle(40);
            if key == 0 { subscription.cancel() } else { subscription.request(1) }
        });
        groups.lock().unwrap().push((key, watch, asking));
        tally.item(key)
    })
}

/// Waits for the groups; how the first one ended, if it came.
fn wait(groups: &Groups) -> Option<Came> {
    let groups = std::mem::take(&mut *groups.lock().unwrap());
    let mut first = None;
    for (key, watch, asking) in groups {
        asking.join().unwrap();
        let seen = watch.wait();
        match (key, first) {
            (0, None) => first = Some(seen.check(&[0, 2])),
            (0, Some(_)) => drop(seen.check(&[2])),
            _ => assert_eq!(seen.check(&[1, 3]), Came::ToItsEnd),
        }
    }
    first
}

/// A group is canceled while items come for it and for the other one, which has all of its own.
///
/// Kills: in `port.rs`, a line rings without noting its number.
#[test]
fn a_group_is_canceled_while_its_items_come() {
    let comes = [Came::Nowhere, Came::Midway].map(Some);
    explore(&comes, || {
        let (tally, source) = (Tally::default(), Thread::start());
        let groups = Groups::default();
        let watch = Watch::subscribe_to(keys(&tally, &source, &groups));

        // A group that is canceled comes back.
        watch.subscription().request(9);

        let n_keys = watch.wait().items.len();
        assert!((2..=3).contains(&n_keys));
        let came = wait(&groups);
        source.stop();
        tally.check();
        came
    });
}

/// The groups are canceled while they come: those that are there go on, and the source ends.
///
/// Kills: in `grouping.rs`, the source is canceled with the flow of groups.
#[test]
fn the_groups_are_canceled_while_they_come() {
    explore(&[Came::Nowhere, Came::Midway, Came::ToItsEnd], || {
        let (tally, source) = (Tally::default(), Thread::start());
        let groups = Groups::default();
        let watch = Watch::subscribe_to(keys(&tally, &source, &groups));

        at_once(
            &watch,
            [
                |subscription| subscription.request(2),
                |subscription| {
                    dawdle(100);
                    subscription.cancel();
                },
            ],
        );

        let seen = watch.wait();
        let _first = wait(&groups);
        source.stop();
        tally.check();
        match (seen.n_completed, seen.items.len()) {
            (1, _) => Came::ToItsEnd,
            (_, 0) => Came::Nowhere,
            (_, _) => Came::Midway,
        }
    });
}
