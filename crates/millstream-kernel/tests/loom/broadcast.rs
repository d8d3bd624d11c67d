//! From one producer to subscribers that come and go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use loom::thread;
use millstream_kernel::{
    End, Gate, InlineForOne, Source, Step, Wake,
    broadcast::{self, Broadcast, Mailbox, Member, WhenFull},
};
use reactive_streams::Subscription;

use crate::support::{Seen, Watch, Watcher, model};

const NOW: Duration = Duration::ZERO;

/// Everything in a mailbox, and whether it has ended.
fn drain<T>(broadcast: &Broadcast<T>, mailbox: &Mailbox<T>) -> (Vec<T>, bool) {
    let mut items = Vec::new();
    loop {
        match broadcast.pop(mailbox) {
            Step::Item(item) => items.push(item),
            Step::Pending => return (items, false),
            Step::End(_) => return (items, true),
        }
    }
}

/// Somebody subscribes while two items are sent: the items since arrive, without a gap.
///
/// Kills: joining leaves the version as it was.
#[test]
fn a_member_that_joins_gets_all_items_since() {
    let all = (vec![1, 2, 3], false);
    model(2, &[all, (vec![2, 3], false), (vec![3], false)], || {
        let (mut sender, broadcast) = broadcast::channel(3, WhenFull::Wait);
        let other = {
            let broadcast = Arc::clone(&broadcast);
            thread::spawn(move || broadcast.join(NOW))
        };
        for item in [1, 2] {
            assert!(!matches!(sender.send(item, NOW), Err(broadcast::SendError::Full(_))));
        }
        let member: Member<u64> = other.join().unwrap();
        sender.send(3, NOW).unwrap();

        drain(&broadcast, member.mailbox())
    });
}

/// Somebody subscribes while the producer ends: they end, too.
///
/// Kills: who joins does not look for the end.
#[test]
fn a_member_that_joins_at_the_end_ends() {
    model(1, &[(vec![], true)], || {
        let (sender, broadcast) = broadcast::channel::<u64>(1, WhenFull::Wait);
        let other = {
            let broadcast = Arc::clone(&broadcast);
            thread::spawn(move || broadcast.join(NOW))
        };
        sender.end(End::Complete);
        let member = other.join().unwrap();

        drain(&broadcast, member.mailbox())
    });
}

/// An item that knows how often it was dropped.
struct Counted(Arc<AtomicUsize>);

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A subscriber goes while an item is sent: the item comes back, or it is dropped with the mailbox,
/// at once.
///
/// Kills: a mailbox keeps what waits when its member leaves.
#[test]
fn an_item_that_races_with_leaving_is_dropped_once() {
    model(2, &["nobody", "sent"], || {
        let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
        let member = broadcast.join(NOW);
        let n_dropped = Arc::new(AtomicUsize::new(0));
        let item = Counted(Arc::clone(&n_dropped));
        let other = {
            let (broadcast, mailbox) = (Arc::clone(&broadcast), Arc::clone(member.mailbox()));
            thread::spawn(move || broadcast.leave(&mailbox))
        };
        let outcome = match sender.send(item, NOW) {
            Ok(_) => "sent",
            Err(_) => "nobody",
        };
        assert_eq!(other.join().unwrap(), 0);

        assert_eq!(n_dropped.load(Ordering::Relaxed), 1);
        outcome
    });
}

/// Sends, and waits as long as a mailbox is full.
fn send(sender: &mut broadcast::Sender<u64>, item: u64) {
    loom::future::block_on(std::future::poll_fn(|cx| {
        for _ in 0..2 {
            if sender.send(item, NOW).is_ok() {
                return Poll::Ready(());
            }
            sender.register(cx.waker());
        }
        Poll::Pending
    }));
}

/// The producer waits for the slowest while that one takes an item: it goes on.
///
/// Kills: a mailbox does not say that it was full.
#[test]
fn a_producer_that_waits_for_the_slowest_goes_on() {
    model(2, &[vec![1, 2]], || {
        let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
        let member = broadcast.join(NOW);
        sender.send(1, NOW).unwrap();
        let other = {
            let (broadcast, mailbox) = (Arc::clone(&broadcast), Arc::clone(member.mailbox()));
            thread::spawn(move || drain(&broadcast, &mailbox).0)
        };
        send(&mut sender, 2);
        let mut items = other.join().unwrap();
        items.extend(drain(&broadcast, member.mailbox()).0);

        items
    });
}

/// The slowest leaves while the producer waits for it: the producer goes on.
///
/// Kills: leaving wakes nobody.
#[test]
fn a_producer_that_waits_for_one_that_leaves_goes_on() {
    model(2, &[vec![1, 2]], || {
        let (mut sender, broadcast) = broadcast::channel(2, WhenFull::Wait);
        let slowest = broadcast.join(NOW);
        sender.send(0, NOW).unwrap();
        let member = broadcast.join(NOW);
        sender.send(1, NOW).unwrap();
        let other = {
            let (broadcast, mailbox) = (Arc::clone(&broadcast), Arc::clone(slowest.mailbox()));
            thread::spawn(move || broadcast.leave(&mailbox))
        };
        send(&mut sender, 2);
        assert_eq!(other.join().unwrap(), 1);

        drain(&broadcast, member.mailbox()).0
    });
}

/// Somebody joins a broadcast that replays while an item is sent: the replay buffer and the present
/// fit together.
///
/// Kills: a member gets everything that was sent, whenever it joined; an item that is sent while
/// the replay buffer is lent is not put aside for it.
#[test]
fn the_past_and_the_present_fit_together() {
    model(5, &[vec![1, 2, 3]], || {
        let (mut sender, broadcast) = broadcast::with_replay(4, WhenFull::Wait, 2, None);
        sender.send(1, NOW).unwrap();
        let other = {
            let broadcast = Arc::clone(&broadcast);
            thread::spawn(move || broadcast.join(NOW))
        };
        sender.send(2, NOW).unwrap();
        let member = other.join().unwrap();
        sender.send(3, NOW).unwrap();
        assert_eq!(drain(&broadcast, broadcast.join(NOW).mailbox()).0, [2, 3]);

        drain(&broadcast, member.mailbox()).0
    });
}

/// Two join a broadcast that replays at once: both get it.
///
/// Kills: the replay buffer is given back although there are notes.
#[test]
fn two_that_join_at_once_get_the_past() {
    model(5, &[(vec![1], vec![1])], || {
        let (mut sender, broadcast) = broadcast::with_replay(1, WhenFull::Wait, 1, None);
        sender.send(1, NOW).unwrap();
        let other = {
            let broadcast = Arc::clone(&broadcast);
            thread::spawn(move || broadcast.join(NOW))
        };
        let first = broadcast.join(NOW);
        let second = other.join().unwrap();

        (drain(&broadcast, first.mailbox()).0, drain(&broadcast, second.mailbox()).0)
    });
}

/// The end that takes, of one subscriber.
struct Outlet {
    broadcast: Arc<Broadcast<u64>>,
    mailbox: Arc<Mailbox<u64>>,
}

impl Source for Outlet {
    type Item = u64;
    const IS_WOKEN: bool = true;
    const HAS_WORK: bool = false;

    fn next(&mut self) -> Step<u64> {
        self.broadcast.pop(&self.mailbox)
    }

    fn end(&mut self) -> Option<End> {
        self.mailbox.take_end()
    }
}

/// An item is sent while its subscriber finds nothing and parks: it arrives.
///
/// Kills: `put` does not say that something is due.
#[test]
fn an_item_that_is_sent_while_its_subscriber_parks_arrives() {
    let one = Seen { n_items: 1, ..Seen::default() };
    model(5, &[one], || {
        let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
        let member = broadcast.join(NOW);
        let watch = Watch::default();
        let outlet =
            Outlet { broadcast: Arc::clone(&broadcast), mailbox: Arc::clone(member.mailbox()) };
        let gate = Gate::start_with(|_| (outlet, Watcher::new(&watch), InlineForOne));
        member.set_listener(Arc::clone(&gate) as Arc<dyn Wake>);
        let other = thread::spawn(move || {
            sender.send(1, NOW).unwrap();
            sender
        });
        gate.request(2);
        let sender = other.join().unwrap();
        let seen = watch.seen();
        watch.subscription().cancel();
        drop((sender, gate, member, broadcast));

        assert_eq!(watch.release().n_dropped, 1);
        seen
    });
}

/// A subscriber that lags is ended while it takes the item that is in the way: the end comes with
/// it, or the next item has room.
///
/// Kills: the end is put after the lock was released.
#[test]
fn one_that_lags_is_ended_without_another_request() {
    let ended = Seen { n_items: 1, n_failed: 1, n_dropped: 1, ..Seen::default() };
    let one = Seen { n_items: 1, ..Seen::default() };
    model(2, &[(ended, 1), (one, 0)], || {
        let (mut sender, broadcast) = broadcast::channel(1, WhenFull::End);
        let member = broadcast.join(NOW);
        sender.send(1, NOW).unwrap();
        let watch = Watch::default();
        let outlet =
            Outlet { broadcast: Arc::clone(&broadcast), mailbox: Arc::clone(member.mailbox()) };
        let gate = Gate::start_with(|_| (outlet, Watcher::new(&watch), InlineForOne));
        member.set_listener(Arc::clone(&gate) as Arc<dyn Wake>);
        let other = thread::spawn(move || (sender.send(2, NOW).unwrap(), sender));
        gate.request(1);
        let (delivery, sender) = other.join().unwrap();
        let seen = watch.seen();
        watch.subscription().cancel();
        drop((sender, gate, member, broadcast));

        (seen, delivery.n_ended)
    });
}

/// Two members take the one item that was on its way while it comes: another one is asked for,
/// once.
///
/// Kills: an item that came still counts as on its way.
#[test]
fn what_came_makes_room_for_another() {
    model(2, &[1], || {
        let (mut sender, broadcast) = broadcast::channel(1, WhenFull::Wait);
        let members = [broadcast.join(NOW), broadcast.join(NOW)];
        assert_eq!(broadcast.claim(true), 1);
        let take = |broadcast: &Broadcast<u64>, member: &Member<u64>| match broadcast
            .pop_claimed(member.mailbox())
        {
            (Step::End(_), _) | (_, false) => 0,
            (_, true) => broadcast.claim(false),
        };
        let other = thread::spawn(move || {
            sender.send(1, NOW).unwrap();
            sender
        });
        let n = take(&broadcast, &members[0]);
        let sender = other.join().unwrap();
        // Each was woken.
        let n = members
            .iter()
            .fold(n, |n, member| n + take(&broadcast, member) + take(&broadcast, member));
        drop(sender);

        n
    });
}
