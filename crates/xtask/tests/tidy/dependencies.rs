//! Dependencies point one way, as docs/ARCHITECTURE.md draws them.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::tree::{File, Finding, root};

/// One line of a manifest: this package depends on that one.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    from: String,
    to: String,
    is_dev: bool,
    is_optional: bool,
}

const CONTRACT: &str = "reactive-streams";
const KERNEL: &str = "millstream-kernel";
const CORE: &str = "millstream";
const PRESSURE: &str = "millstream-pressure";

/// The packages of ours that each of these may build on, also where it is yet to come; those not
/// listed may build on any.
const ALLOWED: [(&str, &[&str]); 10] = [
    (CONTRACT, &[]),
    (KERNEL, &[CONTRACT]),
    (CORE, &[KERNEL, CONTRACT]),
    ("reactive-streams-tck", &[CONTRACT]),
    ("millstream-testkit", &["reactive-streams-tck", CORE, KERNEL, CONTRACT]),
    (PRESSURE, &[CORE, KERNEL, CONTRACT]),
    ("millstream-io", &[CORE, KERNEL, CONTRACT]),
    ("millstream-spill", &[PRESSURE, CORE, KERNEL, CONTRACT]),
    ("millstream-sim", &["millstream-spill", PRESSURE, CORE, KERNEL, CONTRACT]),
    ("millstream-observe", &["millstream-spill", PRESSURE, CORE, KERNEL, CONTRACT]),
];

/// One foreign system each. None builds on another, so that a user of one compiles no other.
const CONNECTORS: [&str; 6] = [
    "millstream-nats",
    "millstream-kafka",
    "millstream-amqp",
    "millstream-redis",
    "millstream-http",
    "millstream-rsocket",
];
const CONNECTORS_MAY: &[&str] = &[PRESSURE, CORE, KERNEL, CONTRACT];

/// Made for tests: nobody needs them to run.
const FOR_TESTS: [&str; 1] = ["millstream-testkit"];

/// Packages of ours that tests of any other may use, since tests do not reach those who build on
/// us.
const IN_TESTS: [&str; 3] =
    ["millstream-testkit", "millstream-testservers", "reactive-streams-tck"];

/// Besides the connectors; the core only by a feature.
const MAY_USE_TOKIO: [&str; 8] = [
    CORE,
    "millstream-io",
    "millstream-observe",
    "millstream-pipeline",
    "millstream-cli",
    "millstream-benches",
    "millstream-examples",
    "xtask",
];

/// What the manifests of the workspace say.
pub(crate) fn edges_of_the_workspace() -> Vec<Edge> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .expect("cargo can read the manifests");
    let edges = metadata.packages.iter().flat_map(|package| {
        package.dependencies.iter().map(|dependency| Edge {
            from: package.name.to_string(),
            to: dependency.name.clone(),
            is_dev: dependency.kind == DependencyKind::Development,
            is_optional: dependency.optional,
        })
    });
    edges.collect()
}

pub(crate) fn check(edges: &[Edge]) -> Vec<Finding> {
    let ours: BTreeSet<&str> = edges
        .iter()
        .map(|edge| edge.from.as_str())
        .chain(ALLOWED.map(|(name, _)| name))
        .chain(CONNECTORS)
        .chain(FOR_TESTS)
        .collect();
    edges
        .iter()
        .filter_map(|edge| {
            let instead = instead_of(edge, &ours)?;
            let manifest = File { path: edge.from.clone(), text: String::new() };
            Some(manifest.finding(0, instead))
        })
        .collect()
}

fn allowed(package: &str) -> Option<&'static [&'static str]> {
    if CONNECTORS.contains(&package) {
        return Some(CONNECTORS_MAY);
    }
    ALLOWED.iter().find(|(name, _)| *name == package).map(|(_, allowed)| *allowed)
}

fn instead_of(edge: &Edge, ours: &BTreeSet<&str>) -> Option<String> {
    let (from, to) = (edge.from.as_str(), edge.to.as_str());
    if from == CONTRACT && !edge.is_dev {
        return Some(format!("remove `{to}`: the contract depends on nothing"));
    }
    if edge.is_dev && IN_TESTS.contains(&to) {
        return None;
    }
    if FOR_TESTS.contains(&to) {
        return Some(format!("move `{to}` to `[dev-dependencies]`"));
    }
    if let Some(allowed) = allowed(from)
        && ours.contains(to)
        && !allowed.contains(&to)
    {
        return Some(format!(
            "remove `{to}`: of this workspace, {from} may build on [{}] only; move what needs it \
             into a crate above",
            allowed.join(", ")
        ));
    }
    if to != "tokio" || edge.is_dev {
        return None;
    }
    if !MAY_USE_TOKIO.contains(&from) && !CONNECTORS.contains(&from) {
        return Some(format!("use a scheduler of `millstream` in {from} instead of `tokio`"));
    }
    (from == CORE && !edge.is_optional)
        .then(|| "make `tokio` optional, behind a feature".to_owned())
}

#[test]
fn a_wrong_direction_is_found() {
    let edge = |from: &str, to: &str| Edge {
        from: from.to_owned(),
        to: to.to_owned(),
        is_dev: false,
        is_optional: false,
    };
    let dev = |from: &str, to: &str| Edge { is_dev: true, ..edge(from, to) };
    let bad = [
        edge("reactive-streams", "libc"),
        edge("reactive-streams", "millstream-kernel"),
        dev("reactive-streams", "millstream"),
        edge("millstream-kernel", "millstream"),
        dev("millstream-kernel", "millstream"),
        edge("millstream-kernel", "tokio"),
        edge("millstream", "millstream-pressure"),
        edge("millstream", "millstream-testkit"),
        edge("millstream", "tokio"),
        edge("millstream-examples", "millstream-testkit"),
        edge("reactive-streams-tck", "millstream-kernel"),
        edge("reactive-streams-tck", "tokio"),
        edge("millstream-pressure", "tokio"),
        edge("millstream-pressure", "millstream-spill"),
        edge("millstream-spill", "tokio"),
        edge("millstream-sim", "millstream-nats"),
        edge("millstream-observe", "millstream-kafka"),
        edge("millstream-nats", "millstream-kafka"),
        dev("millstream-http", "millstream-amqp"),
        edge("millstream-redis", "millstream-cli"),
    ];
    let good = [
        edge("millstream-kernel", "reactive-streams"),
        edge("millstream-kernel", "parking_lot"),
        edge("millstream", "millstream-kernel"),
        edge("millstream", "reactive-streams"),
        Edge { is_optional: true, ..edge("millstream", "tokio") },
        dev("millstream", "millstream-testkit"),
        dev("millstream", "reactive-streams-tck"),
        dev("millstream", "tokio"),
        edge("millstream-pressure", "millstream"),
        dev("millstream-pressure", "tokio"),
        edge("millstream-observe", "tokio"),
        edge("millstream-nats", "millstream-pressure"),
        edge("millstream-nats", "tokio"),
        edge("millstream-cli", "millstream-nats"),
        edge("millstream-cli", "tokio"),
        edge("millstream-benches", "tokio"),
        edge("xtask", "clap"),
    ];

    // Each alone, so that none hides behind another, but with all packages known.
    for edge in &bad {
        let known = good.iter().chain([edge]).cloned().collect::<Vec<_>>();
        assert_eq!(check(&known).len(), 1, "{edge:?}");
    }
    assert_eq!(check(&good).len(), 0);
}

#[test]
fn the_manifests_are_read() {
    let edges = edges_of_the_workspace();

    assert!(edges.iter().any(|e| e.from == "millstream-kernel" && e.to == "reactive-streams"));
    assert!(edges.iter().any(|e| e.from == "xtask" && e.to == "cargo_metadata" && e.is_dev));
}
