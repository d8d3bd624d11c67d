//! Selection, precedence and exit codes.

use super::{Body, command, expect, run, said};

pub(crate) const TRIALS: &[Body] = &[
    ("running::a_good_subject_exits_with_0", a_good_subject_exits_with_0),
    ("running::a_broken_rule_exits_with_101", a_broken_rule_exits_with_101),
    ("running::a_message_comes_when_its_check_ends", a_message_comes_when_its_check_ends),
    ("running::the_list_is_what_nextest_reads", the_list_is_what_nextest_reads),
    ("running::rules_and_names_select_checks", rules_and_names_select_checks),
    ("running::levels_select_checks", levels_select_checks),
    ("running::the_command_line_counts_most", the_command_line_counts_most),
    ("running::nothing_executed_exits_with_3", nothing_executed_exits_with_3),
    ("running::a_harness_error_exits_with_3", a_harness_error_exits_with_3),
    ("running::what_is_wrong_exits_with_2", what_is_wrong_exits_with_2),
    ("running::the_help_says_how_to_use_it", the_help_says_how_to_use_it),
    ("running::a_shuffled_run_repeats_itself", a_shuffled_run_repeats_itself),
];

fn a_good_subject_exits_with_0() {
    let output = run("good", &["--test-threads", "1"]);
    expect(&output, 0, &["test good::3.9_request_zero ", "... ok", " 0 failed, 0 tolerated"]);
}

fn a_broken_rule_exits_with_101() {
    let output = run("ignoring", &[]);
    expect(
        &output,
        101,
        &[
            "test ignoring::3.9_request_zero",
            "FAILED",
            "rule 3.9 (must): A request for less than one item is answered with an error.",
            "run it alone with: cargo test -- ignoring::3.9_request_zero",
        ],
    );
    assert!(said(&output).contains("good::3.9_request_zero"));
}

fn a_message_comes_when_its_check_ends() {
    let text = said(&run("ignoring", &["--test-threads", "1"]));
    let message = text.find("rule 3.9 (must): ").expect("a rule is broken");
    // The other subject's checks come after those of this one.
    let later = text.find("test good::").expect("there are others");
    assert!(message < later, "{text}");
}

fn the_list_is_what_nextest_reads() {
    let output = run("good", &["--list", "--format", "terse"]);
    expect(&output, 0, &["good::3.9_request_zero: test\n"]);
    let text = said(&output);
    assert!(
        text.lines().all(|line| line.starts_with("good::") && line.ends_with(": test")),
        "{text}"
    );
    expect(&run("good", &["--list", "--format", "terse", "--ignored"]), 0, &[]);
}

fn rules_and_names_select_checks() {
    let names = |arguments: &[&str]| {
        let output = run("good", &[&["--list", "--format", "terse"], arguments].concat());
        let names: Vec<String> =
            said(&output).lines().map(|line| line.trim_end_matches(": test").to_owned()).collect();
        names
    };
    let zero = ["good::3.9_request_zero"].map(str::to_owned);
    assert_eq!(names(&["--exact", "good::3.9_request_zero"]), zero);
    let ninth = names(&["3.9"]);
    assert!(ninth.len() > 1 && ninth.iter().all(|name| name.starts_with("good::3.9_")));
    assert_eq!(names(&["--rule", "3.9"]), ninth);
    assert_eq!(names(&["3.9", "--skip", "in_on_subscribe"]).len(), ninth.len() - 1);
    assert_eq!(names(&["--rule", "3.9,1.1"]).len(), ninth.len() + names(&["--rule", "1.1"]).len());
}

fn levels_select_checks() {
    let output = run("good", &["--level", "may", "--list"]);
    expect(&output, 0, &["good::1.2_"]);
    assert!(!said(&output).contains("3.9_"));
}

fn the_command_line_counts_most() {
    let zero = ["--exact", "slow::3.9_request_zero"];
    let outcome = |arguments: &[&str], environment: Option<&str>| {
        let mut command = command("slow", &[&zero, arguments].concat());
        environment.map(|ms| command.env("RS_TCK_BUDGET_MS", ms));
        said(&command.output().expect("the executable runs"))
    };
    let is_slow = |text: String| text.contains("rule 3.4 (should)");
    // The code declares 30 ms, and the call takes 100.
    assert!(is_slow(outcome(&[], None)));
    assert!(!is_slow(outcome(&[], Some("60000"))));
    assert!(is_slow(outcome(&["--budget-ms", "30"], Some("60000"))));
    assert!(!is_slow(outcome(&["--budget-ms", "60000"], Some("30"))));
}

fn nothing_executed_exits_with_3() {
    expect(&run("none", &[]), 3, &["nothing was executed"]);
    let unbounded = ["3.17_unbounded_request"];
    let text = ["not_applicable: without bound", "nothing was executed"];
    expect(&run("endless", &unbounded), 3, &text);
    // One process per test: that this one has no verdict says nothing about the others.
    expect(&run("endless", &["--exact", "endless::3.17_unbounded_request"]), 0, &text[..1]);
    // A filter that means nothing is a mistake; several of them mean what any of them does.
    expect(&run("good", &["no_such_name"]), 3, &["nothing was executed"]);
    expect(&run("good", &["3.9", "1.1_"]), 0, &["3.9_request_zero", "1.1_items"]);
}

fn a_harness_error_exits_with_3() {
    let text = "harness_error: the code that makes the publisher panicked";
    expect(&run("panicking", &["3.9"]), 3, &[text]);
}

fn what_is_wrong_exits_with_2() {
    expect(&run("good", &["--rule", "3.9x"]), 2, &["there is no rule `3.9x`; near are `3.9`"]);
    expect(&run("good", &["--fly"]), 2, &["unexpected argument '--fly'"]);
    expect(&run("good", &["--deadline-ms", "soon"]), 2, &["--deadline-ms"]);
    expect(&run("same", &[]), 2, &["two subjects are named `same`: rename one"]);
    let environment = command("good", &[]).env("RS_TCK_SEED", "many").output();
    expect(&environment.expect("the executable runs"), 2, &["many", "--seed"]);
}

fn a_shuffled_run_repeats_itself() {
    let order = |seed: &str| {
        let arguments = ["--shuffle", seed, "--test-threads", "1", "3."];
        let text = said(&run("good", &arguments));
        let names = text.lines().filter(|line| line.starts_with("test good::"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(order("1"), order("1"));
    assert_ne!(order("1"), order("2"));
}

fn the_help_says_how_to_use_it() {
    let text = [
        "Judges implementations by the rules of Reactive Streams.",
        "[OPTIONS] [FILTER]",
        "--exact",
        "--deadline-ms <MS>",
        "[env: RS_TCK_DEADLINE_MS=]",
        "101  a rule was broken, or a known violation is gone or has expired",
    ];
    expect(&run("good", &["--help"]), 0, &text);
}
