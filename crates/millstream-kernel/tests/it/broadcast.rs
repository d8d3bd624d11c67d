//! The broadcast, asked by one thread.

use std::time::Duration;

use millstream_kernel::{
    Evict, Step,
    broadcast::{self, SendError, WhenFull},
};

const NOW: Duration = Duration::ZERO;

#[test]
fn a_member_that_left_gets_nothing_and_is_in_nobodys_way() {
    let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
    let members = [broadcast.join(NOW), broadcast.join(NOW)];
    assert_eq!(sender.send(1, NOW).unwrap().n_delivered, 2);
    assert!(matches!(broadcast.pop(members[0].mailbox()), Step::Item(1)));

    assert_eq!(broadcast.leave(members[1].mailbox()), 1);

    let second = sender.send(2, NOW).unwrap();
    assert_eq!((second.n_delivered, second.n_dropped), (1, 0), "nothing is lost on who left");
    assert!(matches!(sender.send(3, NOW), Err(SendError::Full(3))));
}

#[test]
fn a_member_that_lags_is_ended_once_and_gets_nothing_more() {
    let (mut sender, broadcast) = broadcast::channel(1, WhenFull::End);
    let members = [broadcast.join(NOW), broadcast.join(NOW)];
    assert_eq!(sender.send(1, NOW).unwrap().n_delivered, 2);
    assert!(matches!(broadcast.pop(members[0].mailbox()), Step::Item(1)));

    let second = sender.send(2, NOW).unwrap();
    assert_eq!((second.n_delivered, second.n_dropped, second.n_ended), (1, 1, 1));
    assert!(matches!(broadcast.pop(members[0].mailbox()), Step::Item(2)));

    let third = sender.send(3, NOW).unwrap();
    assert_eq!((third.n_delivered, third.n_dropped, third.n_ended), (1, 0, 0));
    assert_eq!(broadcast.n_members(), 1);
}

#[test]
fn a_full_mailbox_loses_what_was_said_and_counts_it() {
    let all: [(_, &[_], usize); 4] = [
        (Evict::Oldest, &[2, 3], 1),
        (Evict::Newest, &[1, 3], 1),
        (Evict::Incoming, &[1, 2], 1),
        (Evict::All, &[3], 2),
    ];
    for (evict, expected, n_dropped) in all {
        let (mut sender, broadcast) = broadcast::channel(2, WhenFull::Evict(evict));
        let member = broadcast.join(NOW);
        (1..3).for_each(|n| assert_eq!(sender.send(n, NOW).unwrap().n_dropped, 0));

        let third = sender.send(3, NOW).unwrap();

        assert_eq!(third.n_dropped, n_dropped, "{evict:?}");
        assert_eq!(third.n_delivered, usize::from(evict != Evict::Incoming));
        let taken = std::iter::from_fn(|| match broadcast.pop(member.mailbox()) {
            Step::Item(item) => Some(item),
            Step::Pending | Step::End(_) => None,
        });
        assert_eq!(taken.collect::<Vec<_>>(), expected, "{evict:?}");
    }
}

#[test]
fn what_makes_way_for_a_new_item_is_no_longer_counted_as_replayed() {
    let when_full = WhenFull::Evict(Evict::All);
    let (mut sender, broadcast) = broadcast::with_replay(1, when_full, 2, None);
    (1..3).for_each(|n| assert!(sender.send(n, NOW).is_ok()));
    let _member = broadcast.join(NOW);

    let n_dropped = [3, 4, 5].map(|n| sender.send(n, NOW).unwrap().n_dropped);

    assert_eq!(n_dropped, [0, 3, 1]);
}

#[test]
fn an_item_for_nobody_comes_back() {
    let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
    let member = broadcast.join(NOW);
    sender.send(1, NOW).unwrap();
    broadcast.leave(member.mailbox());

    assert!(matches!(sender.send(2, NOW), Err(SendError::NoSubscriber(2))));
    broadcast.close_to_new();
    assert!(matches!(sender.send(3, NOW), Err(SendError::Closed(3))));
}
