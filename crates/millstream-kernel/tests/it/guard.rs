//! Panics in user code.

use std::panic::panic_any;

use millstream_kernel::guard::{caught, muted};
use reactive_streams::ErrorKind;

/// A payload that panics when it is dropped, with a payload that does so too.
struct Grenade(u8);

impl Drop for Grenade {
    fn drop(&mut self) {
        if self.0 > 0 {
            panic_any(Self(self.0 - 1));
        }
    }
}

#[test]
fn a_result_passes() {
    assert_eq!(caught(|| 7).unwrap(), 7);
}

#[test]
fn a_panic_becomes_an_error_with_its_text() {
    let error = caught(|| panic!("number {}", 7)).unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Panicked);
    assert_eq!(error.to_string(), "panicked: number 7");
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_is_survived() {
    let error = caught(|| panic_any(Grenade(2))).unwrap_err();

    assert_eq!(error.to_string(), "panicked: a value that is not a text");
}

#[test]
fn a_muted_panic_goes_no_further() {
    muted(|| panic!("planted"));
    muted(|| panic_any(Grenade(2)));
}
