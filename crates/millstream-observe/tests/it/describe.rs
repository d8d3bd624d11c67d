//! What the topology looks like in words and as a diagram.

use millstream::{Registry, range, scheduler::Pool};
use millstream_observe::{Bound, Description};
use millstream_pressure::{Breaker, BreakerConfig, Queue, QueueConfig};

use crate::{inventory, two_stages};

#[test]
fn every_bound_is_in_it_and_the_sum() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let flow = range(0_u64..9)
        .inspect_demand("read", &registry)
        .publish_on(&Pool::new(1))
        .capacity(10)
        .inspect_demand("write", &registry);
    inventory.bounded_flow("main", &registry, &flow);
    let config = QueueConfig { capacity: 100, max_capacity: Some(200), ..QueueConfig::default() };
    inventory.policy(&Queue::<[u8; 16]>::new("orders", config, &time).unwrap());
    inventory.policy(&Breaker::new("bank", BreakerConfig::default(), &time).unwrap());
    inventory.connect("orders", "main").unwrap();
    inventory.guard("bank", ("main", "write")).unwrap();

    let description = inventory.describe();

    assert_eq!(description.worst_case_bytes, Some(10 * 8 + 200 * 16));
    let text = description.to_string();
    for line in [
        "flow main: at most 10 items of 8 B, 80 B\n    read ← orders\n  → write [behind `bank`]\n",
        "  queue orders: at most 200 items of 16 B, 3.1 KiB; capacity 100, ",
        "  breaker bank: holds no items; backoff 1.0, ",
        "\nworst-case memory: 3.2 KiB\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    // All but the histograms, which are for metrics alone.
    let json = serde_json::to_string(&description).unwrap();
    let read = serde_json::from_str::<Description>(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!((&read.bounds, read.worst_case_bytes), (&description.bounds, Some(3280)));
}

#[test]
fn what_is_not_known_is_said_and_not_counted_as_nothing() {
    let (time, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    inventory.policy(&Queue::<u64>::new("orders", QueueConfig::default(), &time).unwrap());

    let description = inventory.describe();

    assert_eq!(description.unknown, ["main"]);
    let text = description.to_string();
    assert!(text.contains("worst-case memory: 7.8 KiB without `main`, whose"), "{text}");

    // Each stage has said it: then the sum is known.
    inventory.bound(("main", "read"), Bound::NOTHING).unwrap();
    assert_eq!(inventory.describe().unknown, ["main"]);
    inventory.bound(("main", "write"), Bound::items(4).of_bytes_each(100)).unwrap();
    assert_eq!(inventory.describe().worst_case_bytes, Some(8 * 1000 + 400));

    // What is stated for the whole replaces it.
    inventory.bound("main", Bound::items(9).of_bytes(90)).unwrap();
    assert_eq!(inventory.describe().worst_case_bytes, Some(8 * 1000 + 90));

    // What items have on the heap is stated beside what is known.
    inventory.bound("orders", Bound { item_bytes: Some(1000), ..Bound::default() }).unwrap();
    assert_eq!(inventory.describe().worst_case_bytes, Some(1000 * 1000 + 90));
}

#[test]
fn what_is_without_bound_has_no_sum() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    inventory.bound("main", Bound::items(u64::MAX)).unwrap();

    let description = inventory.describe();

    assert_eq!(description.worst_case_bytes, None);
    let text = description.to_string();
    assert!(text.contains("flow main: without bound\n"), "{text}");
    assert!(text.ends_with("worst-case memory: without bound, because of `main`\n"), "{text}");
}

#[test]
fn hostile_names_stay_names() {
    let (_, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("\u{1b}[2J\n--> \"]; click x", &registry);
    inventory.flow(&"long".repeat(2500), &registry);

    let description = inventory.describe();

    assert!(!description.to_string().contains('\u{1b}'));
    assert_eq!(description.to_string().lines().filter(|line| line.starts_with("-->")).count(), 0);
    let chart = description.to_mermaid();
    assert!(chart.contains("[\"#27;#91;2J#10;--#62; #34;#93;#59; click x\"]"), "{chart}");
    assert!(chart.lines().all(|line| line.len() < 400), "{chart}");
}

#[test]
fn the_diagram_has_all_places_and_edges() {
    let (time, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    inventory.policy(&Queue::<u64>::new("orders", QueueConfig::default(), &time).unwrap());
    inventory.policy(&Breaker::new("bank", BreakerConfig::default(), &time).unwrap());
    inventory.connect("orders", "main").unwrap();
    inventory.guard("bank", ("main", "write")).unwrap();

    let chart = "flowchart LR
  subgraph f0 [\"main\"]
    n0[\"read\"]
    n1[\"write\"]
  end
  n2[(\"queue orders<br>≤ 1000\")]
  n3([\"breaker bank\"])
  n0 --> n1
  n2 --> n0
  n3 -.- n1
";
    assert_eq!(inventory.describe().to_mermaid(), chart);
}

#[test]
fn a_picture_has_every_bound_and_no_markup_of_names() {
    let (time, inventory) = inventory();
    let registry = Registry::new();
    let flow = range(0_u64..9)
        .publish_on(&Pool::new(1))
        .capacity(256)
        .inspect_demand("<b>read</b>", &registry)
        .inspect_demand(&"long".repeat(2_500), &registry);
    inventory.bounded_flow("main", &registry, &flow);
    let queue =
        Queue::<u64>::new("orders", QueueConfig { capacity: 4, ..QueueConfig::default() }, &time);
    inventory.policy(&queue.unwrap());
    inventory.connect("orders", "main").unwrap();

    let svg = inventory.describe().to_svg();

    for text in [
        "main: at most 256 items of 8 B, 2.0 KiB",
        "&#60;b&#62;read&#60;/b&#62;",
        "at most 4 items of 8 B, 32…",
        "worst-case memory: 2.0 KiB",
    ] {
        assert!(svg.contains(text), "{text} is not in {svg}");
    }
    assert!(!svg.contains("<b>") && svg.len() < 10_000, "{}", svg.len());
    assert_eq!(svg.matches("<rect class=\"store\"").count(), 1);
}
