//! The last signals of each stage: as marbles, as a picture, as a trace, and in files.

use std::{fs, time::Duration};

use millstream::{Error, Registry, SignalKind, error, range, scheduler::VirtualTime};
use millstream_observe::{Flight, FlightDumps, Inventory, Observe, Place, Reading};
use millstream_testkit::{Probe, Puppet};

/// A flow that was asked for 2 items, of which the second came 40 ms later, and that has failed.
fn failed() -> (VirtualTime, Inventory) {
    let time = VirtualTime::new();
    let registry = Registry::recording_last(16, &time);
    let inventory = Inventory::new("program", &time);
    let (puppet, source) = Puppet::<u32>::new();
    let flow = millstream::Flow::from(source)
        .inspect_demand("read", &registry)
        .filter(|n| n % 2 == 0)
        .inspect_demand("<even>", &registry);
    inventory.flow("main", &registry);
    let probe = Probe::subscribe_to(flow);
    probe.request(2);
    puppet.next(2).expect("it is asked for");
    time.advance(Duration::from_millis(40));
    puppet.next(3).expect("it is asked for");
    time.advance(Duration::from_millis(80));
    puppet.fail(Error::message("no"));
    (time, inventory)
}

#[test]
fn marbles_show_what_passed_when() {
    let (_, inventory) = failed();

    let marbles = inventory.flight().to_marbles();

    assert_eq!(
        marbles,
        "main, the last 120 ms, 2 ms a column\n\
         read    (r2 o)--------------(o r1)----------------------------------#\n\
         <even>  (r2 o)------------------------------------------------------#\n"
    );
}

#[test]
fn nothing_is_shown_of_a_flow_that_is_not_recorded() {
    let (time, inventory) = failed();
    let registry = Registry::new();
    let _probe = Probe::subscribe_to(range(0..9).inspect_demand("other", &registry));
    inventory.flow("unrecorded", &registry);
    inventory.flow("empty", &Registry::recording_last(4, &time));

    let names: Vec<String> = inventory.flight().flows.into_iter().map(|flow| flow.name).collect();

    assert_eq!(names, ["main"]);
    assert!(inventory.flight_of(&"unrecorded".into()).is_none());
    let stage = inventory.flight_of(&("main", "read").into()).unwrap();
    assert_eq!(stage.stages.len(), 1);
    assert!(inventory.flight_of(&Place::from(("main", "none"))).is_none());
    assert_eq!(Flight::default().to_marbles(), "");
}

#[test]
fn a_picture_has_a_marble_for_each_signal_and_no_markup_of_names() {
    let (_, inventory) = failed();

    let svg = inventory.flight().to_svg();

    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    assert_eq!(svg.matches("class=\"item\"").count(), 3, "{svg}");
    assert_eq!(svg.matches("class=\"request\"").count(), 3, "{svg}");
    assert_eq!(svg.matches("class=\"bad\"").count(), 2, "{svg}");
    assert!(svg.contains("&#60;even&#62;") && !svg.contains("<even>"));
}

#[test]
fn a_trace_is_what_chrome_reads() {
    let (_, inventory) = failed();

    let trace: serde_json::Value =
        serde_json::from_str(&inventory.flight().to_chrome_trace()).unwrap();

    let events = trace["traceEvents"].as_array().unwrap();
    for event in events {
        assert!(event["name"].is_string() && event["pid"].is_u64() && event["ph"].is_string());
        assert!(event["ph"] == "M" || event["ts"].is_f64(), "{event}");
    }
    let of = |tid: u64, ph: &str| {
        let of = events.iter().filter(move |it| it["tid"] == tid && it["ph"] == ph);
        of.cloned().collect::<Vec<_>>()
    };
    let names: Vec<_> = of(1, "i").iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["request(2)", "item", "item", "request(1)", "failed"]);
    assert_eq!(of(1, "i")[4]["ts"], 120_000.0);
    let outstanding: Vec<_> =
        of(2, "C").iter().map(|it| it["args"]["outstanding"].clone()).collect();
    assert_eq!(outstanding, [2, 1, 1]);
}

#[test]
fn json_is_read_back() {
    let flight = failed().1.flight();
    let json = serde_json::to_string(&flight).unwrap();
    assert_eq!(serde_json::from_str::<Flight>(&json).unwrap(), flight);
}

#[test]
fn a_flow_that_fails_or_stands_still_is_dumped_once() {
    let folder = tempfile::tempdir().unwrap();
    let (time, inventory) = failed();
    let registry = Registry::recording_last(16, &time);
    let (_puppet, source) = Puppet::<u32>::new();
    let probe =
        Probe::subscribe_to(millstream::Flow::from(source).inspect_demand("call", &registry));
    inventory.flow("stuck", &registry);
    let dumps = FlightDumps::new(&inventory, folder.path().join("new"))
        .stalled_after(Duration::from_secs(5));

    let file = dumps.look().unwrap().expect("main has failed");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("main has failed\n\nprogram\n"), "{text}");
    assert!(text.contains("read    (r2 o)---"), "{text}");
    let trace = fs::read_to_string(file.with_extension("trace.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&trace).is_ok());

    time.advance(Duration::from_secs(60));
    assert_eq!(dumps.look().unwrap(), None, "nobody has asked for anything");
    probe.request(3);
    assert_eq!(dumps.look().unwrap(), None);
    time.advance(Duration::from_secs(6));
    let file = dumps.look().unwrap().expect("it stands still");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("nothing has moved in stuck for 6 s"), "{text}");
    assert!(text.contains("`call` has asked its source, which sends none"), "{text}");
    time.advance(Duration::from_secs(60));
    assert_eq!(dumps.look().unwrap(), None, "once is enough");
    for _ in 0..18 {
        assert!(dumps.write("SIGUSR1").unwrap().is_some());
    }
    assert_eq!(dumps.write("one too many").unwrap(), None);
}

#[test]
fn a_panic_is_dumped_and_reported_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let (_, inventory) = failed();
    inventory.dump_flight_on_panic(folder.path());

    let panicked = std::panic::catch_unwind(|| panic!("planted"));

    assert!(panicked.is_err());
    let text = fs::read_to_string(folder.path().join("millstream-flight-1.txt")).unwrap();
    assert!(
        text.contains("a thread of program has panicked") && text.contains("planted"),
        "{text}"
    );
}

#[derive(Clone)]
struct Unreadable;

impl Observe for Unreadable {
    fn name(&self) -> &str {
        "unreadable"
    }

    fn reading(&self) -> Reading {
        panic!("while it is read")
    }
}

/// Each look at such a policy, such as a scrape, wrote a dump, until there were as many as may be;
/// and where a thread panicked, its dump read the policy, which ended the process.
#[test]
fn a_policy_that_cannot_be_read_is_no_reason_for_a_dump() {
    let folder = tempfile::tempdir().unwrap();
    let (_, inventory) = failed();
    inventory.policy(&Unreadable);
    inventory.dump_flight_on_panic(folder.path());
    let written = |text: &str| {
        let files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        files
            .filter_map(|file| fs::read_to_string(file).ok())
            .filter(|it| it.contains(text))
            .count()
    };

    for _ in 0..3 {
        let snapshot = inventory.snapshot();
        assert_eq!(snapshot.policies[0].reading.condition.state, "unreadable");
    }
    assert_eq!(written("while it is read"), 0);

    assert!(std::panic::catch_unwind(|| panic!("afterwards")).is_err());
    assert_eq!(written("afterwards"), 1);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = tempfile::NamedTempFile::new().unwrap();
    let (_, inventory) = failed();
    let dumps = FlightDumps::new(&inventory, folder.path());
    assert!(dumps.write("a file is there").is_err());
    let registry = Registry::recording_last(16, &VirtualTime::new());
    assert!(
        error::<u8>(Error::message("no")).inspect_demand("a", &registry).count().wait().is_err()
    );
}

fn kinds(registry: &Registry, stage: usize) -> Vec<SignalKind> {
    registry.recording().stages[stage].signals.iter().map(|signal| signal.kind).collect()
}

#[test]
fn the_last_signals_are_recorded_with_their_times() {
    let clock = VirtualTime::new();
    let registry = Registry::recording_last(8, &clock);
    let flow = range(0..3)
        .inspect_demand("above", &registry)
        .filter(|n| n % 2 == 1)
        .inspect_demand("below", &registry);
    let probe = Probe::subscribe_to(flow);
    clock.advance(Duration::from_millis(3));
    probe.request(1);
    clock.advance(Duration::from_millis(4));
    probe.request(u64::MAX);

    use SignalKind::{Complete, Next, Request, Skipped};
    let above = [Request(1), Skipped, Next, Request(u64::MAX), Skipped, Complete];
    assert_eq!(kinds(&registry, 0), above);
    assert_eq!(kinds(&registry, 1), [Request(1), Next, Request(u64::MAX), Complete]);
    let recording = registry.recording();
    let times = recording.stages[0].signals.iter().map(|signal| signal.at.as_millis());
    assert_eq!(times.collect::<Vec<_>>(), [3, 3, 3, 7, 7, 7]);
    assert_eq!(recording.read_at, Duration::from_millis(7));
    assert_eq!(&*recording.stages[1].name, "below");
}

#[test]
fn a_recording_keeps_what_came_before_a_subscription_anew() {
    let registry = Registry::recording_last(4, &VirtualTime::new());
    let flow = error::<u8>(Error::message("no")).inspect_demand("call", &registry).retry(1);
    assert!(flow.count().wait().is_err());
    let kinds = kinds(&registry, 0);
    let n_failures = kinds.iter().filter(|kind| **kind == SignalKind::Error).count();
    assert_eq!(n_failures, 2, "{kinds:?}");
}

#[test]
fn coarse_times_are_as_old_as_the_resolution_at_most() {
    let clock = VirtualTime::new();
    let registry = Registry::recording_coarsely(4, &clock, Duration::from_millis(10));
    let probe = Probe::subscribe_to(range(0..9).inspect_demand("here", &registry));
    clock.advance(Duration::from_millis(34));
    probe.request(1);

    let signals = registry.recording().stages[0].signals.clone();

    assert_eq!(signals.len(), 2);
    assert!(signals.iter().all(|signal| signal.at == Duration::from_millis(30)), "{signals:?}");
    assert_eq!(clock.n_timers(), 1);
    probe.cancel();
    drop((registry, probe));
    clock.advance(Duration::from_millis(20));
    assert_eq!(clock.n_timers(), 0, "nobody records, and the clock is still read");
}

#[test]
fn a_registry_that_records_nothing_says_so() {
    let registry = Registry::new();
    assert_eq!(range(0..9).inspect_demand("here", &registry).count().wait().unwrap(), 9);
    assert_eq!(kinds(&registry, 0), []);
}
