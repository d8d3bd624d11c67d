//! Places for items.

use millstream_kernel::{Room, Take};

/// How many places are taken until there is none.
fn take_all(room: &Room) -> usize {
    (0..100).take_while(|_| room.take() == Take::Taken).count()
}

#[test]
fn a_place_that_was_left_is_there_for_the_next() {
    for bound in 1..=9 {
        let (room, mut exit) = Room::with_exit(bound);
        assert_eq!(take_all(&room), bound);
        for n_left in 0..=bound {
            (0..n_left).for_each(|_| exit.leave());
            assert_eq!(room.n_taken(), bound - n_left);
            assert_eq!(take_all(&room), n_left);
        }
    }
}

#[test]
fn a_closed_room_has_no_places() {
    let (room, mut exit) = Room::with_exit(2);
    assert_eq!(take_all(&room), 2);

    assert!(exit.close() && !exit.close());
    exit.leave();

    assert_eq!(room.take(), Take::Closed);
}
