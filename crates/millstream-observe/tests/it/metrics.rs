//! What Prometheus reads, and what its dashboard and alerts say of it.

use std::{
    collections::BTreeSet,
    env,
    io::Write as _,
    process::{Command, Stdio},
    task::{Context, Waker},
    time::Duration,
};

use millstream_observe::{EndToEnd, Observe, Reading, Value, metrics};
use millstream_pressure::{
    Algorithm, Breaker, BreakerConfig, BreakerWindow, ConcurrencyLimit, LimitConfig, Outcome,
    Queue, QueueConfig, WhenFull,
};

use crate::{inventory, policies::all, two_stages};

/// All of the crate, whatever kind of policy.
fn everything() -> String {
    let (time, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    for policy in all(&time) {
        inventory.policy(&Shared(policy));
    }
    let rate = millstream_pressure::AdaptiveRate::new(
        "measured",
        millstream_pressure::AdaptiveRateConfig { min_calls: 1, ..Default::default() },
        &time,
    )
    .expect("valid");
    for _ in 0..3 {
        rate.try_acquire().expect("free").finish(Outcome::Success);
        time.advance(Duration::from_secs(2));
    }
    inventory.policy(&rate);
    inventory.policy(&EndToEnd::new("shop", &time));
    metrics::text(&inventory)
}

#[derive(Clone)]
struct Shared(std::sync::Arc<dyn Observe>);

impl Observe for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn reading(&self) -> Reading {
        self.0.reading()
    }
}

/// The names of the metrics that are exported, as queries have them.
fn exported(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

/// The names of metrics in a text of queries.
fn named(text: &str) -> BTreeSet<String> {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = text.split(|char| !is_word(char));
    words.filter(|word| word.starts_with("millstream_")).map(str::to_owned).collect()
}

/// Calls promtool, unless it is missing and need not be there.
fn promtool(args: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        let is_needed = env::var_os("MILLSTREAM_REQUIRE_TOOLS").is_some();
        assert!(!is_needed, "promtool is missing: `apt-get install prometheus`");
        #[expect(clippy::print_stderr, reason = "says what was skipped")]
        {
            eprintln!("skipped: promtool is missing");
        }
        return None;
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    Some(said)
}

const DASHBOARD: &str = include_str!("../../dashboards/millstream.grafana.json");
const RULES: &str = include_str!("../../dashboards/millstream.rules.yml");

#[test]
fn stages_and_policies_are_exported() {
    let (time, inventory) = inventory();
    let (registry, _probe) = two_stages();
    inventory.flow("main", &registry);
    let config =
        BreakerConfig { window: BreakerWindow::Count(2), min_calls: 2, ..BreakerConfig::default() };
    let bank = Breaker::new("bank", config, &time).unwrap();
    inventory.policy(&bank);
    for _ in 0..2 {
        bank.try_acquire().unwrap().finish(Outcome::Failure);
    }
    assert!(bank.try_acquire().is_err());

    let text = metrics::text(&inventory);

    for line in [
        "# TYPE millstream_stage_delivered_items_total counter",
        "millstream_stage_delivered_items_total{flow=\"main\",stage=\"read\"} 3",
        "millstream_stage_outstanding_demand_items{flow=\"main\",stage=\"write\"} 0.0",
        "millstream_policy_severity{kind=\"breaker\",policy=\"bank\"} 2.0",
        "millstream_policy_offered_items_total{kind=\"breaker\",policy=\"bank\"} 3",
        "millstream_policy_dropped_items_total{kind=\"breaker\",policy=\"bank\",reason=\"breaker_open\"} 1",
        "millstream_policy_breaker_state{kind=\"breaker\",policy=\"bank\"} 2.0",
        "millstream_policy_openings_total{kind=\"breaker\",policy=\"bank\"} 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
}

#[test]
fn times_are_histograms() {
    let (time, inventory) = inventory();
    let ms = Duration::from_millis;
    let config = QueueConfig { capacity: 1, when_full: WhenFull::Wait, ..QueueConfig::default() };
    let queue = Queue::new("orders", config, &time).unwrap();
    let config = LimitConfig { algorithm: Algorithm::Fixed(2), ..LimitConfig::default() };
    let limit = ConcurrencyLimit::new("bank", config, &time).unwrap();
    let orders = EndToEnd::new("orders", &time);
    inventory.policy(&queue);
    inventory.policy(&limit);
    inventory.policy(&orders);
    let entered = orders.now();
    queue.try_put(1).unwrap();
    let mut second = Box::pin(queue.put(2));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(second.as_mut().poll(&mut cx).is_pending());
    time.advance(ms(30));
    assert!(queue.try_take().is_some());
    assert!(second.as_mut().poll(&mut cx).is_ready());
    let call = limit.try_acquire().unwrap();
    time.advance(ms(300));
    call.finish(Outcome::Success);
    limit.try_acquire().unwrap().finish(Outcome::Ignored);
    orders.done(entered);

    let text = metrics::text(&inventory);

    let queue = r#"kind="queue",policy="orders""#;
    let bank = r#"kind="concurrency_limit",policy="bank""#;
    for line in [
        "# TYPE millstream_policy_queueing_seconds histogram".to_owned(),
        format!(r#"millstream_policy_queueing_seconds_bucket{{{queue},le="0.02"}} 0"#),
        format!(r#"millstream_policy_queueing_seconds_bucket{{{queue},le="0.05"}} 1"#),
        format!(r#"millstream_policy_queueing_seconds_bucket{{{queue},le="+Inf"}} 1"#),
        format!("millstream_policy_queueing_seconds_sum{{{queue}}} 0.03"),
        format!("millstream_policy_blocking_seconds_sum{{{queue}}} 0.03"),
        format!("millstream_policy_processing_seconds_sum{{{bank}}} 0.3"),
        format!("millstream_policy_processing_seconds_count{{{bank}}} 1"),
        r#"millstream_policy_end_to_end_seconds_sum{kind="end_to_end",policy="orders (2)"} 0.33"#
            .into(),
        format!("millstream_policy_applied_backpressure_total{{{queue}}} 2"),
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
}

#[test]
fn demand_without_bound_is_infinite() {
    let (_, inventory) = inventory();
    let registry = millstream::Registry::new();
    let flow = millstream::never::<u8>().inspect_demand("read", &registry);
    inventory.flow("main", &registry);
    let probe = millstream_testkit::Probe::subscribe_to(flow);
    probe.request(u64::MAX);

    let text = metrics::text(&inventory);

    let line = "millstream_stage_outstanding_demand_items{flow=\"main\",stage=\"read\"} ";
    let value = text.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    assert_eq!(value.parse::<f64>(), Ok(f64::INFINITY), "{value}");
}

#[test]
fn hostile_names_stay_in_their_labels() {
    #[derive(Clone)]
    struct Hostile;
    impl Observe for Hostile {
        fn name(&self) -> &str {
            "a\"} 1\nevil 7\n\\"
        }
        fn reading(&self) -> Reading {
            let values = vec![
                Value::gauge("with blanks{}", 1.0),
                Value::counter("both", 1.0),
                Value::gauge("both", 2.0),
            ];
            Reading { values, ..Reading::of("evil\nkind") }
        }
    }
    let (_, inventory) = inventory();
    inventory.policy(&Hostile);

    let text = metrics::text(&inventory);

    assert!(!text.lines().any(|line| line.starts_with("evil")), "{text}");
    let label = r#"{kind="evil\nkind",policy="a\"} 1\nevil 7\n\\"} 1"#;
    assert!(text.contains(&format!("\nmillstream_policy_with_blanks__{label}")), "{text}");
    // A name is one kind of metric.
    assert!(text.contains("millstream_policy_both_total{") && !text.contains("_both{"), "{text}");
}

#[test]
fn promtool_reads_what_is_exported() {
    promtool(&["check", "metrics"], &everything());
}

#[test]
fn the_alerts_are_valid_and_go_off_when_they_should() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/");
    promtool(&["check", "rules", &format!("{folder}millstream.rules.yml")], "");
    promtool(&["test", "rules", &format!("{folder}millstream.rules.test.yml")], "");
}

#[test]
fn alerts_and_dashboard_name_only_what_is_exported() {
    let mut exported = exported(&everything());
    // It is there once something was refused.
    exported.insert("millstream_policy_dropped_items_total".to_owned());
    exported.insert("millstream_policy_predicted_delay_seconds".to_owned());
    exported.insert("millstream_policy_forecast_ratio".to_owned());
    exported.insert("millstream_policy_pressure_ratio".to_owned());
    for (what, text) in [("alerts", RULES), ("dashboard", DASHBOARD)] {
        let unknown: Vec<String> = named(text).difference(&exported).cloned().collect();
        assert!(unknown.is_empty(), "{what}: {unknown:?} are not in {exported:?}");
    }
}

#[test]
fn the_dashboard_has_a_panel_for_each_metric_of_stages_and_policies() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty(), "{panel}");
        for side in ["x", "y", "w", "h"] {
            assert!(panel["gridPos"][side].is_u64(), "{panel}");
        }
        if panel["type"] != "row" {
            assert_eq!(panel["type"], "timeseries");
            assert_eq!(panel["datasource"]["uid"], "${datasource}");
            assert_eq!(named(panel["targets"][0]["expr"].as_str().unwrap()).len(), 1, "{panel}");
        }
    }
    let shown = named(DASHBOARD);
    let is_common = |name: &&String| {
        let rest = name.strip_prefix("millstream_policy_").unwrap_or("");
        let common =
            ["severity", "used", "capacity", "utilization", "waiting", "oldest", "offered"];
        name.starts_with("millstream_stage_")
            || rest.ends_with("_bucket")
            || common.iter().any(|it| rest.starts_with(it))
    };
    let exported = exported(&everything());
    let missing: Vec<&String> =
        exported.iter().filter(is_common).filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
