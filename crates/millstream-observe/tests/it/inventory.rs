//! Names, edges, and what a snapshot has of them.

use std::time::Duration;

use millstream::Registry;
use millstream_observe::{
    Bound, Condition, Edge, EdgeKind, Observe, Place, Reading, Snapshot, UnknownPlace, Usage,
};

use crate::{inventory, two_stages};

/// A policy of somebody else's.
#[derive(Clone)]
struct Connections;

impl Observe for Connections {
    fn name(&self) -> &str {
        "connections"
    }

    fn reading(&self) -> Reading {
        Reading {
            condition: Condition::warning("full").because("10 of 10"),
            usage: Some(Usage::of(10, 10, "connections")),
            ..Reading::of("pool")
        }
    }
}

#[test]
fn stages_of_a_flow_follow_each_other() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);

    let snapshot = inventory.snapshot();

    let (read, write) = (Place::from(("main", "read")), Place::from(("main", "write")));
    assert_eq!(snapshot.edges, [Edge { from: read, to: write, kind: EdgeKind::Derived }]);
    let counts: Vec<_> = snapshot.flows[0]
        .stages
        .iter()
        .map(|s| (s.requested, s.delivered, s.outstanding))
        .collect();
    assert_eq!(counts, [(Some(3), 3, Some(0)), (Some(3), 3, Some(0))]);
}

#[test]
fn a_flow_is_fed_at_its_first_stage_and_feeds_from_its_last() {
    let (_, inventory) = inventory();
    let ((one, _first), (other, _second)) = (two_stages(), two_stages());
    inventory.flow("one", &one);
    inventory.flow("other", &other);
    inventory.policy(&Connections);

    inventory.connect("one", "other").unwrap();
    inventory.connect("one", "other").unwrap();
    inventory.guard("connections", ("other", "write")).unwrap();

    let edges = inventory.snapshot().edges;
    let stated = Edge {
        from: ("one", "write").into(),
        to: ("other", "read").into(),
        kind: EdgeKind::Stated,
    };
    assert_eq!(edges[2..3], [stated]); // once
    let snapshot = inventory.snapshot();
    let guards: Vec<&str> = snapshot.guards_of(&("other", "write").into()).collect();
    assert_eq!(guards, ["connections"]);
}

#[test]
fn a_place_that_nobody_added_is_an_error_and_changes_nothing() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    inventory.flow("without stages", &Registry::new());
    let before = inventory.snapshot();

    let unknown = |name: &str| Err(UnknownPlace(name.into()));
    assert_eq!(inventory.connect("main", "mian"), unknown("mian"));
    assert_eq!(inventory.connect("mian", "main"), unknown("mian"));
    assert_eq!(inventory.connect("without stages", "main"), unknown("without stages"));
    assert_eq!(inventory.note("mian", ""), unknown("mian"));
    assert_eq!(inventory.bound("mian", Bound::items(1)), unknown("mian"));
    let error = inventory.guard("main", ("main", "enrich")).unwrap_err();
    let text = "no flow \"main\" has a stage \"enrich\": add `inspect_demand` there, and the flow to \
                the inventory";
    assert_eq!(error.to_string(), text);

    assert_eq!(inventory.snapshot(), before);
}

#[test]
fn names_that_are_taken_get_a_number() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    let twice = Registry::new();
    let _flow = millstream::range(0..9).inspect_demand("a", &twice).inspect_demand("a", &twice);

    inventory.policy(&Connections);
    let second = inventory.policy(&Connections);
    let flow = inventory.flow("connections", &registry);
    inventory.flow("twice", &twice);

    assert_eq!(second, Place::from("connections (2)"));
    assert_eq!(flow, Place::from("connections (3)"));
    let snapshot = inventory.snapshot();
    let stages: Vec<&str> =
        snapshot.flow("twice").unwrap().stages.iter().map(|stage| &*stage.name).collect();
    assert_eq!(stages, ["a", "a (2)"]);
}

#[test]
fn what_is_removed_takes_its_edges_along() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    inventory.policy(&Connections);
    inventory.guard("connections", "main").unwrap();
    inventory.bound(("main", "write"), Bound::items(7)).unwrap();

    assert!(inventory.remove("connections"));
    assert!(!inventory.remove("connections"));
    assert_eq!(inventory.snapshot().edges.len(), 1);
    assert!(inventory.remove("main"));
    inventory.flow("main", &registry);

    let snapshot = inventory.snapshot();
    assert!(snapshot.policies.is_empty());
    assert_eq!(snapshot.flows[0].stages[1].bound, Bound::default());
}

#[test]
fn a_snapshot_can_be_written_and_read_back() {
    let (time, inventory) = inventory();
    let (registry, probe) = two_stages();
    inventory.flow("main", &registry);
    inventory.policy(&Connections);
    inventory.note("connections", "to the database").unwrap();
    probe.request(u64::MAX);
    time.advance(Duration::from_millis(1500));

    let snapshot = inventory.snapshot();
    let json = serde_json::to_string(&snapshot).unwrap();

    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    assert_eq!(snapshot.at_seconds, 1.5);
    // Without bound, which JavaScript could not count.
    assert!(json.contains(r#""requested":null"#), "{json}");
    assert!(json.contains(r#""last":"completed""#), "{json}");
}

#[test]
fn a_reading_may_use_the_inventory() {
    #[derive(Clone)]
    struct Curious(millstream_observe::Inventory);
    impl Observe for Curious {
        fn name(&self) -> &str {
            "curious"
        }
        fn reading(&self) -> Reading {
            self.0.note("curious", "was read").unwrap();
            Reading::of("curious")
        }
    }
    let (_, inventory) = inventory();
    inventory.policy(&Curious(inventory.clone()));

    let first = inventory.snapshot();

    assert_eq!(first.policies[0].note, None);
    assert_eq!(inventory.snapshot().policies[0].note.as_deref(), Some("was read"));
}
