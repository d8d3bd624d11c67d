//! The adapters of other languages: their subjects with a mistake are caught by the right rule, and
//! those without one pass every check.
//!
//! A language that is not there, or whose adapter is not built, is skipped with a message, unless
//! `RS_TCK_LANGUAGES` names its program, as in `python3,node,java`.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::{
    fmt::Write as _,
    path::PathBuf,
    process::{Command, Output},
};

/// A mistake: the subject, a check that finds it, and the rule.
type Mistake = (&'static str, &'static str, &'static str);

/// An adapter with its own subjects.
struct Language {
    /// A command that succeeds where the language is there.
    probe: [&'static str; 2],
    /// What hosts the subjects with mistakes and those without.
    command: Vec<String>,
    /// A file that has to be built before, and how.
    built: Option<(&'static str, &'static str)>,
    mistakes: &'static [Mistake],
    /// The subjects without a mistake; what is unusual about them no rule forbids.
    right: &'static [&'static str],
}

fn at(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("adapters").join(path)
}

fn shown(path: &str) -> String {
    at(path).display().to_string()
}

fn python() -> Language {
    Language {
        probe: ["python3", "--version"],
        command: ["python3", "-B", &shown("python/rs_tck_adapter.py"), "subjects"]
            .map(str::to_owned)
            .to_vec(),
        built: None,
        mistakes: &[
            ("no_on_subscribe", "1.9_on_subscribe_first_and_once", "1.9"),
            ("ignores_zero", "3.9_request_zero", "3.9"),
            ("one_too_many", "1.1_items_never_exceed_demand", "1.1"),
            ("ignores_cancel", "3.6_request_after_cancel", "3.6"),
            ("raises_in_cancel", "3.5_cancel_returns_soon", "3.15"),
            ("recurses", "3.3_recursion_is_bounded", "3.3"),
            ("never_completes", "1.5_completes_after_the_last", "1.5"),
            ("completes_twice", "1.7_nothing_after_completion", "1.7"),
            ("loses_an_item", "1.5_completes_after_the_last", "R.3"),
            ("keeps_the_subscriber", "1.7_nothing_after_completion", "3.13"),
            ("takes_the_second", "2.5_second_subscription_is_canceled", "2.5"),
        ],
        right: &["plain", "generator", "ends_late", "batches", "one_by_one", "all_at_once"],
    }
}

fn node() -> Language {
    Language {
        probe: ["node", "--version"],
        command: ["node", &shown("node/rs-tck-adapter.mjs"), &shown("node/subjects.mjs")]
            .map(str::to_owned)
            .to_vec(),
        built: None,
        mistakes: &[
            ("neverEnds", "1.5_completes_after_the_last", "1.5"),
            ("losesAnItem", "1.5_completes_after_the_last", "R.3"),
            ("sendsTwice", "1.2_fewer_items_than_requested", "R.3"),
            ("failsInPlaceOfTheEnd", "1.5_completes_after_the_last", "1.5"),
            ("closesWithoutEnd", "1.5_completes_after_the_last", "1.5"),
            ("completesInPlaceOfTheError", "1.4_failure_is_signaled", "1.4"),
            ("recurses", "3.3_recursion_is_bounded", "3.3"),
            ("completesTwice", "1.7_nothing_after_completion", "1.7"),
            ("ignoresZero", "3.9_request_zero", "3.9"),
            ("oneTooMany", "1.1_items_never_exceed_demand", "1.1"),
            ("ignoresCancel", "3.6_request_after_cancel", "3.6"),
            ("takesTheSecond", "2.5_second_subscription_is_canceled", "2.5"),
            ("readsTooFarAhead", "4.1_buffer_does_not_overflow", "R.10"),
        ],
        right: &[
            "readable",
            "endsWithTheLast",
            "slow",
            "readsNothingAhead",
            "web",
            "plain",
            "oneByOneItem",
            "highWaterMark",
            "webHighWaterMark",
        ],
    }
}

fn jvm() -> Language {
    let paths = ["classes", "test-classes", "dependency/*"].map(|part| {
        let part = format!("jvm/target/{part}");
        shown(&part)
    });
    let subjects = ["Wrong", "Right"].map(|name| format!("millstream.tck.subjects.{name}"));
    let command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &paths.join(":")]
        .map(str::to_owned)
        .into_iter()
        .chain(["millstream.tck.Adapter".to_owned()])
        .chain(subjects);
    Language {
        probe: ["java", "--version"],
        command: command.collect(),
        built: Some(("jvm/target/test-classes", "mvn -f tck/adapters/jvm package")),
        mistakes: &[
            ("Wrong.noOnSubscribe", "1.9_on_subscribe_first_and_once", "1.9"),
            ("Wrong.ignoresZero", "3.9_request_zero", "3.9"),
            ("Wrong.oneTooMany", "1.1_items_never_exceed_demand", "1.1"),
            ("Wrong.ignoresCancel", "3.6_request_after_cancel", "3.6"),
            ("Wrong.throwsInCancel", "3.5_cancel_returns_soon", "3.15"),
            ("Wrong.recurses", "3.3_recursion_is_bounded", "3.3"),
            ("Wrong.neverCompletes", "1.5_completes_after_the_last", "1.5"),
            ("Wrong.completesTwice", "1.7_nothing_after_completion", "1.7"),
            ("Wrong.losesAnItem", "1.5_completes_after_the_last", "R.3"),
            ("Wrong.keepsTheSubscriber", "1.7_nothing_after_completion", "3.13"),
            ("Wrong.countsIn32Bits", "3.17_demand_above_32_bits", "3.17"),
            ("Wrong.twoAtATime", "1.3_signals_come_one_at_a_time", "1.3"),
            ("Wrong.takesTheSecond", "2.5_second_subscription_is_canceled", "2.5"),
            ("Wrong.requestsAtTheEnd", "2.3_no_call_from_on_complete", "2.3"),
        ],
        right: &[
            "Right.plain",
            "Right.flow",
            "Right.changesThreads",
            "Right.oneByOne",
            "Right.oneByOneOfTheJdk",
        ],
    }
}

impl Language {
    /// Whether it can be judged here; a failure where it has to be.
    fn is_there(&self) -> bool {
        let [program, argument] = self.probe;
        let runs = Command::new(program).arg(argument).output().is_ok();
        let missing = match self.built {
            _ if !runs => format!("there is no {program}"),
            Some((file, how)) if !at(file).exists() => format!("its adapter is not built: {how}"),
            _ => return true,
        };
        let due = std::env::var("RS_TCK_LANGUAGES").unwrap_or_default();
        assert!(!due.split(',').any(|name| name == program), "{missing}");
        eprintln!("skipped: {missing}");
        false
    }

    fn judge(
        &self,
        options: &[&str],
        trials: impl IntoIterator<Item = String>,
    ) -> (Option<i32>, String) {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_rs-tck"))
            .arg("judge")
            .args(options)
            .args(trials)
            .arg("--")
            .args(&self.command)
            .current_dir(at("python"))
            .output()
            .expect("the program runs");
        let text =
            String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        (status.code(), text)
    }

    /// Every mistake is found by its check, and is said to break its rule.
    fn assert_caught(&self) {
        let name = |(subject, check, _): &Mistake| format!("{subject}::{check}");
        let (code, text) =
            self.judge(&["--exact", "--deadline-ms", "3000"], self.mistakes.iter().map(name));
        assert_eq!(code, Some(101), "{text}");
        let mut missed = String::new();
        for mistake in self.mistakes {
            let (subject, _, rule) = mistake;
            // What is said of one check ends with how it is run alone.
            let its = text.lines().skip_while(|line| !line.starts_with(&format!("{subject}: ")));
            let its = its.take_while(|line| !line.contains("run it alone with"));
            let said = its.collect::<Vec<_>>().join("\n");
            if !said.contains(&format!("rule {rule} ")) {
                let _infallible = writeln!(missed, "{mistake:?}: {said}");
            }
        }
        assert!(missed.is_empty(), "{missed}\n{text}");
    }

    /// Nothing is found in those without a mistake, by any check.
    fn assert_right(&self) {
        let trials = self.right.iter().map(|subject| format!("{subject}::"));
        let (code, text) = self.judge(&["--cases", "16"], trials);
        assert_eq!(code, Some(0), "{text}");
        for subject in self.right {
            assert!(text.contains(&format!("{subject}::")), "{subject} was not judged\n{text}");
        }
    }
}

fn assert_caught(language: &Language) {
    if language.is_there() {
        language.assert_caught();
    }
}

fn assert_right(language: &Language) {
    if language.is_there() {
        language.assert_right();
    }
}

#[test]
fn mistakes_in_python_are_caught_by_their_rules() {
    assert_caught(&python());
}

#[test]
fn nothing_is_found_in_what_is_right_in_python() {
    assert_right(&python());
}

#[test]
fn mistakes_in_node_are_caught_by_their_rules() {
    assert_caught(&node());
}

#[test]
fn nothing_is_found_in_what_is_right_in_node() {
    assert_right(&node());
}

#[test]
fn mistakes_on_the_jvm_are_caught_by_their_rules() {
    assert_caught(&jvm());
}

#[test]
fn nothing_is_found_in_what_is_right_on_the_jvm() {
    assert_right(&jvm());
}
