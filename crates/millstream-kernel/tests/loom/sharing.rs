//! One connection for many subscribers.

use std::{sync::Arc, time::Duration};

use loom::thread;
use millstream_kernel::{
    Left, Sharing, Step,
    broadcast::{self, WhenFull},
    sync::AtomicUsize,
};

use crate::support::model;

/// Opened and closed so often.
#[derive(Default)]
struct Connection {
    n_opened: AtomicUsize,
    n_closed: AtomicUsize,
}

const ORDER: loom::sync::atomic::Ordering = loom::sync::atomic::Ordering::AcqRel;

fn enter(sharing: &Sharing<Connection>) -> Arc<Connection> {
    let entered = sharing.enter(Connection::default);
    if entered.must_open {
        assert_eq!(entered.connection.n_opened.fetch_add(1, ORDER), 0);
    }
    entered.connection
}

fn close(connection: &Connection) {
    assert_eq!(connection.n_closed.fetch_add(1, ORDER), 0);
}

/// The last subscriber goes while another one comes: it shares the connection, which stays open, or
/// makes one of its own.
///
/// Kills: the last one to leave keeps the connection for others; the connection is opened by all.
#[test]
fn a_subscriber_that_comes_while_the_last_one_goes_is_connected() {
    model(1, &["shared", "another"], || {
        let sharing = Arc::new(Sharing::new(1));
        let first = enter(&sharing);
        let other = {
            let sharing = Arc::clone(&sharing);
            thread::spawn(move || enter(&sharing))
        };
        if sharing.leave(&first, false) == Left::Close {
            close(&first);
        }
        let second = other.join().unwrap();

        assert_eq!(second.n_opened.fetch_add(0, ORDER), 1);
        assert_eq!(second.n_closed.fetch_add(0, ORDER), 0);
        assert_eq!(sharing.leave(&second, false), Left::Close);
        if Arc::ptr_eq(&first, &second) { "shared" } else { "another" }
    });
}

/// The time of a connection that lingers is over while another subscriber comes: it shares the
/// connection, which stays open, or makes one of its own.
///
/// Kills: a connection that lingers is closed although somebody is there.
#[test]
fn a_subscriber_that_comes_while_the_time_is_over_is_connected() {
    model(1, &["shared", "another"], || {
        let sharing = Arc::new(Sharing::new(1));
        let first = enter(&sharing);
        let Left::Linger(ticket) = sharing.leave(&first, true) else { panic!("not the last") };
        let other = {
            let sharing = Arc::clone(&sharing);
            thread::spawn(move || enter(&sharing))
        };
        if sharing.expire(&first, ticket) {
            close(&first);
        }
        let second = other.join().unwrap();

        assert_eq!(second.n_opened.fetch_add(0, ORDER), 1);
        assert_eq!(second.n_closed.fetch_add(0, ORDER), 0);
        if Arc::ptr_eq(&first, &second) { "shared" } else { "another" }
    });
}

/// A subscriber comes and goes while the time of the one before is over: an old ticket closes
/// nothing that a newer one stands for.
///
/// Kills: entering leaves the ticket as it was.
#[test]
fn an_old_ticket_is_worth_nothing() {
    model(1, &[(false, true), (true, true)], || {
        let sharing = Arc::new(Sharing::new(1));
        let first = enter(&sharing);
        let Left::Linger(old) = sharing.leave(&first, true) else { panic!("not the last") };
        let other = {
            let sharing = Arc::clone(&sharing);
            thread::spawn(move || {
                let second = enter(&sharing);
                (sharing.leave(&second, true), second)
            })
        };
        let was_closed = sharing.expire(&first, old);
        let (Left::Linger(new), second) = other.join().unwrap() else { panic!("not the last") };

        (was_closed, sharing.expire(&second, new))
    });
}

/// The last subscriber goes while the last flow is dropped: one of the two closes the connection
/// that would linger otherwise.
///
/// Kills: a connection lingers although nobody will come; a closed connection is closed although
/// somebody is there.
#[test]
fn the_last_to_leave_and_the_last_flow_close_once() {
    model(1, &["left", "closed"], || {
        let sharing = Arc::new(Sharing::new(1));
        let connection = enter(&sharing);
        let other = {
            let sharing = Arc::clone(&sharing);
            thread::spawn(move || sharing.close().inspect(|connection| close(connection)).is_some())
        };
        let left = sharing.leave(&connection, true);
        if left == Left::Close {
            close(&connection);
        }
        let is_closed_by_other = other.join().unwrap();

        assert_eq!(connection.n_closed.fetch_add(0, ORDER), 1);
        if is_closed_by_other { "closed" } else { "left" }
    });
}

/// Two members find their mailboxes empty at once: what is asked for on behalf of both is as many
/// items as the mailboxes hold.
///
/// Kills: what was asked for is not counted.
#[test]
fn two_who_ask_at_once_ask_for_what_there_is_room_for() {
    model(1, &[2], || {
        let (_sender, broadcast) = broadcast::channel::<u64>(2, WhenFull::Wait);
        let now = Duration::ZERO;
        let members = [broadcast.join(now), broadcast.join(now)];
        let other = {
            let (broadcast, mailbox) = (Arc::clone(&broadcast), Arc::clone(members[0].mailbox()));
            thread::spawn(move || {
                assert!(matches!(broadcast.pop(&mailbox), Step::Pending));
                broadcast.claim(true)
            })
        };
        let n = broadcast.claim(true);

        n + other.join().unwrap()
    });
}
