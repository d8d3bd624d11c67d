//! Connections for many subscribers, asked by one thread.

use std::sync::Arc;

use millstream_kernel::{Left, Sharing};

#[test]
fn who_leaves_a_former_connection_does_not_count_for_the_present_one() {
    let sharing = Sharing::new(1);
    let former = sharing.enter(|| 1).connection;
    sharing.forget(&former);
    let present = sharing.enter(|| 2).connection;

    assert_eq!(sharing.leave(&former, false), Left::Nothing);

    assert!(Arc::ptr_eq(&sharing.enter(|| 3).connection, &present), "it is still there");
    assert_eq!(sharing.leave(&present, false), Left::Nothing);
    assert_eq!(sharing.leave(&present, false), Left::Close);
}

#[test]
fn a_former_connection_neither_expires_nor_is_forgotten_in_place_of_the_present_one() {
    let sharing = Sharing::new(1);
    let former = sharing.enter(|| 1).connection;
    let ticket = match sharing.leave(&former, true) {
        Left::Linger(ticket) => ticket,
        other => panic!("{other:?}"),
    };
    sharing.forget(&former);
    let present = sharing.enter(|| 2).connection;

    assert!(!sharing.expire(&former, ticket));
    sharing.forget(&former);

    assert!(Arc::ptr_eq(&sharing.enter(|| 3).connection, &present));
}
