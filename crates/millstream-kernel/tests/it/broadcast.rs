//! The broadcast, asked by one thread.

use std::time::Duration;

use millstream_kernel::{
    Step,
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
fn an_item_for_nobody_comes_back() {
    let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
    let member = broadcast.join(NOW);
    sender.send(1, NOW).unwrap();
    broadcast.leave(member.mailbox());

    assert!(matches!(sender.send(2, NOW), Err(SendError::NoSubscriber(2))));
    broadcast.close_to_new();
    assert!(matches!(sender.send(3, NOW), Err(SendError::Closed(3))));
}
