//! Any bytes as a directory.
//!
//! `PROPTEST_CASES=1000000 cargo test -p millstream-spill --test it any_bytes` is the long form.

mod open;

use proptest::prelude::*;

/// Bytes of which many are small, so that lengths are such that fit.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0), 0..40_u8, any::<u8>()];
    let rest = prop::collection::vec(byte, 0..600);
    (any::<u8>(), any::<u8>(), rest)
        .prop_map(|(mode, shape, rest)| [vec![mode, shape], rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_open_or_are_refused_and_no_item_is_invented(bytes in bytes()) {
        open::judge(&bytes);
    }
}

/// The seeds are worth something: some of them are items.
#[test]
fn records_that_are_put_right_are_received() {
    let record = [5_u8, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, b'h', b'e', b'l', b'l', b'o'];
    let n = open::n_items(&[vec![2, 0], record.repeat(3)].concat());
    assert_eq!(n, 3);
}
