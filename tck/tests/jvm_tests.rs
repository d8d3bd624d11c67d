//! Every test of the JVM's TCK for subscribers and processors has a check here, or a reason why
//! not.

use std::collections::HashSet;

use reactive_streams_tck::{checks, dropped, jvm_tests::originals};

#[test]
fn every_original_is_found() {
    let checked: Vec<_> = checks().flat_map(|check| check.originals).copied().collect();
    let dropped: Vec<_> = dropped().map(|(name, _)| name).collect();

    for name in &names() {
        let found = checked.contains(name) || dropped.contains(name);
        assert!(found, "`{name}` has neither a check nor a reason to be dropped");
    }
}

#[test]
fn no_original_is_made_up() {
    let checked = checks().filter(|check| check.suite != reactive_streams_tck::Suite::Publisher);
    let names = names();
    for name in checked.flat_map(|check| check.originals) {
        assert!(names.contains(name), "there is no `{name}`");
    }
}

/// The 27 tests with a probe, the 26 without, and the 3 of processors alone.
fn names() -> HashSet<&'static str> {
    let others = originals().filter(|original| original.class != "PublisherVerification");
    let names: HashSet<_> = others.map(|original| original.name).collect();
    assert_eq!(names.len(), 27 + 26 + 3);
    names
}
