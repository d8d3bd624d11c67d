//! Proves that the checks bite: every mistake is caught by its rule, and no oddity by any.

use std::collections::BTreeSet;

use reactive_streams_tck::{
    AfterCancel, Overrides, Verdict,
    checker::{Expectation, Violation, check_publisher},
    selftest::{
        Culprit, Mistake,
        publisher::{self, MISTAKES, ODDITIES},
        subscriber,
    },
    trace,
};

/// What the checks find broken, up to the first that finds one of the mistake's rules.
fn caught(mistake: &Mistake) -> BTreeSet<&'static str> {
    let rules = |violations: Vec<Violation>| violations.into_iter().map(|violation| violation.rule);
    match mistake.culprit {
        Culprit::Trace(text) => {
            let events = trace::parse(text).expect("recorded traces can be read");
            rules(check_publisher(&events, &Expectation::default())).collect()
        }
        Culprit::Subject(subject) => {
            let subject = subject();
            let mut found = BTreeSet::new();
            let mut checks: Vec<_> = subject.checks().collect();
            // Those that are made for the rule come first: most are caught by them.
            checks.sort_by_key(|check| !mistake.rules.contains(&check.rule));
            for check in checks {
                let outcome = subject.run(check.name, Overrides::default());
                found.extend(rules(outcome.violations));
                if mistake.rules.iter().any(|rule| found.contains(rule)) {
                    break;
                }
            }
            found
        }
        _ => BTreeSet::new(),
    }
}

#[test]
fn every_mistake_is_caught_by_its_rule() {
    for mistake in MISTAKES {
        let found = caught(mistake);
        let is_caught = mistake.rules.iter().any(|rule| found.contains(rule));
        assert!(
            is_caught,
            "{} ({}): expected one of {:?}, found {found:?}",
            mistake.id, mistake.what, mistake.rules
        );
    }
}

#[test]
fn every_mistake_of_the_list_is_there() {
    let ids: BTreeSet<&str> = MISTAKES.iter().map(|mistake| mistake.id).collect();
    for number in 1..=64 {
        let id = format!("M{number:02}");
        assert!(ids.contains(id.as_str()), "{id} is missing");
    }
}

/// A recorded mistake shows its rule and no other.
#[test]
fn recorded_mistakes_break_one_rule() {
    for mistake in MISTAKES {
        if let Culprit::Trace(_) = mistake.culprit {
            let expected = mistake.rules.iter().copied().collect();
            assert_eq!(caught(mistake), expected, "{} ({})", mistake.id, mistake.what);
        }
    }
}

#[test]
fn no_oddity_is_taken_for_a_mistake() {
    for oddity in ODDITIES {
        let subject = (oddity.subject)();
        for check in subject.checks() {
            let outcome = subject.run(check.name, Overrides::default());
            let is_bad = outcome.verdict.is_failure() || outcome.verdict == Verdict::Warned;
            assert!(!is_bad, "{}: {}", oddity.what, outcome.message());
        }
    }
}

/// 100,000 items of 1 ms are not worth the time, and no mistake either.
#[test]
fn a_subject_that_is_too_slow_for_a_check_leaves_it_open() {
    for (subject, name) in [
        (publisher::slow(), "rule_3_17_one_large_request"),
        (publisher::slow(), "rule_3_2_requests_in_signals"),
        (subscriber::slow(), "rule_3_17_many_small_steps"),
        (subscriber::slow(), "rule_2_1_goes_on_requesting"),
    ] {
        assert!(subject.checks().any(|check| check.name == name), "{name}");
        let outcome = subject.run(name, Overrides::default());
        assert!(!outcome.verdict.is_failure(), "{}", outcome.message());
    }
    let outcome = publisher::slow().run("rule_3_17_one_large_request", Overrides::default());
    assert!(matches!(outcome.verdict, Verdict::Inconclusive(_)), "{}", outcome.message());
}

/// Nothing in the written checks requests more than two items from within the second `on_next`.
#[test]
fn what_only_a_random_script_shows_is_shrunk_to_its_core() {
    let mistake = MISTAKES.iter().find(|mistake| mistake.id == "P.1").unwrap();
    let Culprit::Subject(subject) = mistake.culprit else { panic!("P.1 is a subject") };
    let subject = subject();
    let run = |name| subject.run(name, Overrides::default());

    let written = subject.checks().filter(|check| check.name != "property_random_scripts");
    let caught: Vec<&str> =
        written.map(|check| check.name).filter(|name| run(name).verdict.is_failure()).collect();
    let outcome = run("property_random_scripts");

    assert_eq!(caught, [""; 0], "{}", run(caught.first().unwrap_or(&"")).message());
    assert_eq!(outcome.verdict, Verdict::Failed);
    assert_eq!(outcome.seed, Some(1));
    let message = &outcome.violations[0].message;
    let (_, script) = message.split_once(": length ").expect("the message has the script");
    assert!(script.split(", ").count() <= 3, "{message}");
    // The same seed finds the same script.
    assert_eq!(run("property_random_scripts").violations, outcome.violations);
}

#[test]
fn items_that_were_requested_may_come_after_a_cancel() {
    let text = "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 2\n1 0 < request 2\n\
                1 0 > cancel\n1 0 < cancel\n1 1 > on_next\n1 1 < on_next\n1 1 > on_complete\n";
    let events = trace::parse(text).unwrap();
    assert_eq!(check_publisher(&events, &Expectation::default()), []);
}

#[test]
fn a_trace_reads_back_as_it_was_written() {
    let text = "1 0 > request 18446744073709551615\n1 0 > on_error overflow\n2 0 > on_error\n2 3 ! on_next\n2 3 < on_next skipped\n1 0 ~ cancel\n1 0 > on_next #7\n1 0 > report on_next #7\n1 0 > release\n";
    let events = trace::parse(text).unwrap();
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    assert_eq!(lines.join("\n") + "\n", text);
}

#[test]
fn a_malformed_trace_names_its_line() {
    let message = |text| trace::parse(text).unwrap_err().to_string();
    assert_eq!(
        message("# none\n1 0 > request -1"),
        "line 2: `request` needs a number from 0 on, got `-1`"
    );
    assert_eq!(message("1 0 ? cancel"), "line 1: the mark has to be `>`, `<`, `~` or `!`, got `?`");
    assert_eq!(message("1 0 > fly"), "line 1: no such call: `fly`");
    assert_eq!(message("x 0 > cancel"), "line 1: the subscription has to be a number, got `x`");
}

/// What may follow a cancel is a matter of what was declared.
#[test]
fn policies_for_cancels_are_judged() {
    let begin =
        "1 0 > on_subscribe\n1 0 < on_subscribe\n1 0 > request 2\n1 0 < request 2\n1 0 > cancel\n";
    let within = format!("{begin}1 0 > on_complete\n1 0 < on_complete\n1 0 < cancel\n");
    let after = format!("{begin}1 0 < cancel\n1 0 > on_next\n1 0 < on_next\n");
    let rules = |text: &str, after_cancel| {
        let events = trace::parse(text).expect("the trace is well formed");
        let expectation = Expectation { after_cancel, ..Expectation::default() };
        let found = check_publisher(&events, &expectation);
        found.into_iter().map(|violation| violation.rule).collect::<Vec<_>>()
    };

    assert_eq!(rules(&within, AfterCancel::Nothing), ["1.8"]);
    assert_eq!(rules(&within, AfterCancel::OnItsWay), ["1.8"]);
    assert_eq!(rules(&within, AfterCancel::Terminal), [""; 0]);
    assert_eq!(rules(&after, AfterCancel::Nothing), ["1.8"]);
    assert_eq!(rules(&after, AfterCancel::OnItsWay), [""; 0]);
}
