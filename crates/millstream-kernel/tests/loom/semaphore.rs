//! Places for items: the bound holds, and nobody waits in vain.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use loom::{cell::UnsafeCell, thread};
use millstream_kernel::{Room, Take};

use crate::support::model;

/// Waits for a place. Whether there is one.
fn wait(room: &Room) -> bool {
    let mut waiting = room.wait();
    loom::future::block_on(std::future::poll_fn(|cx| waiting.poll_take(cx)))
}

/// Two threads take the one place, use what it guards, and free it: one at a time, and no place is
/// made up or lost.
///
/// Kills: `take` loads and stores; relaxed order in `free`.
#[test]
fn a_place_belongs_to_one_at_a_time() {
    model(5, &[1, 2], || {
        let room = Arc::new(Room::new(1));
        let cell = Arc::new(UnsafeCell::new(0));
        let visit = |room: &Room, cell: &UnsafeCell<i32>| {
            if room.take() != Take::Taken {
                return 0;
            }
            // SAFETY: a plain write; loom watches that no other thread is here.
            cell.with_mut(|n| unsafe { *n += 1 });
            room.free();
            1
        };
        let other = {
            let (room, cell) = (Arc::clone(&room), Arc::clone(&cell));
            thread::spawn(move || visit(&room, &cell))
        };
        let n = visit(&room, &cell);
        let n = n + other.join().unwrap();

        assert_eq!(room.n_taken(), 0);
        n
    });
}

/// A place is freed while a task begins to wait for it: the task gets it.
///
/// Kills: `free` does not look whether tasks wait; a task enters the line without looking again.
#[test]
fn a_place_that_is_freed_while_a_task_begins_to_wait_is_its() {
    model(5, &[1], || {
        let room = Arc::new(Room::new(1));
        assert_eq!(room.take(), Take::Taken);
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || assert!(wait(&room)))
        };
        room.free();
        other.join().unwrap();

        room.n_taken()
    });
}

/// Two tasks wait for two places that are freed: both get one.
///
/// Kills: handing on takes WAITING back while others wait.
#[test]
fn places_that_are_freed_are_handed_to_all_who_wait() {
    model(5, &[2], || {
        let room = Arc::new(Room::new(2));
        assert_eq!((room.take(), room.take()), (Take::Taken, Take::Taken));
        let others = [0, 1].map(|_| {
            let room = Arc::clone(&room);
            thread::spawn(move || assert!(wait(&room)))
        });
        room.free();
        room.free();
        others.into_iter().for_each(|other| other.join().unwrap());

        room.n_taken()
    });
}

/// A room is closed while a task begins to wait: the task learns of it.
///
/// Kills: `close` takes the wakers before it closes.
#[test]
fn a_close_that_races_with_waiting_is_noticed() {
    model(5, &[false], || {
        let room = Arc::new(Room::new(1));
        assert_eq!(room.take(), Take::Taken);
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || wait(&room))
        };
        assert!(room.close());

        other.join().unwrap()
    });
}

/// A task waits for the end while the room is closed: it learns of it.
///
/// Kills: `poll_closed` does not look again.
#[test]
fn a_close_that_races_with_waiting_for_it_is_noticed() {
    model(5, &[true], || {
        let room = Arc::new(Room::new(1));
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || {
                let mut waiting = room.wait();
                loom::future::block_on(std::future::poll_fn(|cx| waiting.poll_closed(cx)));
            })
        };
        let was_open = room.close();
        other.join().unwrap();

        was_open
    });
}

/// A task stops waiting while it is handed a place: the place is free again, and another task that
/// waits gets it.
///
/// Kills: a task that goes away keeps its place; a task that goes away stays in the line.
#[test]
fn a_place_that_is_handed_to_a_task_that_goes_away_is_freed() {
    model(5, &[1], || {
        let room = Arc::new(Room::new(1));
        assert_eq!(room.take(), Take::Taken);
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || {
                let mut waiting = room.wait();
                let polled = waiting.poll_take(&mut Context::from_waker(Waker::noop()));
                drop(waiting);
                if polled.is_ready() {
                    room.free();
                }
            })
        };
        let third = {
            let room = Arc::clone(&room);
            thread::spawn(move || assert!(wait(&room)))
        };
        room.free();
        other.join().unwrap();
        third.join().unwrap();

        room.n_taken()
    });
}

/// Takes all places.
fn fill(room: &Room, n: usize) {
    (0..n).for_each(|_| assert_eq!(room.take(), Take::Taken));
}

/// An item leaves by the exit while a task begins to wait for its place: the task gets it.
///
/// Kills: a task that begins to wait does not look at the exit; who leaves does not look for tasks.
#[test]
fn a_place_that_is_left_while_a_task_begins_to_wait_is_its() {
    model(5, &[1], || {
        let (room, mut exit) = Room::with_exit(1);
        fill(&room, 1);
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || assert!(wait(&room)))
        };
        exit.leave();
        other.join().unwrap();

        room.n_taken()
    });
}

/// Items leave by the exit, which looks for tasks only after that, while a task waits and another one
/// takes: no place is made up or lost.
///
/// Kills: the exit looks without a fence; a place that is handed on is not counted as collected.
#[test]
fn places_that_are_left_are_taken_once() {
    model(5, &[8], || {
        let (room, mut exit) = Room::with_exit(8);
        fill(&room, 8);
        let other = {
            let room = Arc::clone(&room);
            thread::spawn(move || assert!(wait(&room)))
        };
        exit.leave();
        exit.look();
        exit.leave();
        assert_eq!(room.take(), Take::Taken);
        exit.look();
        other.join().unwrap();

        room.n_taken()
    });
}
