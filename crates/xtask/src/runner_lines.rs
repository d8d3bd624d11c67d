//! Reads what a test executable prints for each test.

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Ignored,
}

/// The test whose end a line tells, such as `test a::b ... ok`.
///
/// What a test prints past the capture, and a child of it, may stand between; then the line is not
/// recognized, and the test is counted by no one: the exit code of the process decides.
pub(crate) fn outcome_of(line: &str) -> Option<(&str, Outcome)> {
    let (name, end) = line.trim_end().strip_prefix("test ")?.split_once(" ... ")?;
    let outcome = match end.split([' ', ',']).next()? {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        "ignored" => Outcome::Ignored,
        _ => return None,
    };
    Some((name.trim_end_matches(" - should panic").trim_end(), outcome))
}

#[cfg(test)]
mod tests {
    use super::{Outcome, outcome_of};

    #[test]
    fn the_ends_of_tests_are_told_from_other_lines() {
        for (line, expected) in [
            ("test a::b ... ok\n", Some(("a::b", Outcome::Passed))),
            ("test a - should panic ... ok\n", Some(("a", Outcome::Passed))),
            ("test c            ... ok\n", Some(("c", Outcome::Passed))),
            ("test a::b ... FAILED\n", Some(("a::b", Outcome::Failed))),
            ("test a::b ... ignored, slow\n", Some(("a::b", Outcome::Ignored))),
            ("test a::b ... printed\n", None),
            ("test result: ok. 1 passed; 0 failed\n", None),
            ("running 3 tests\n", None),
        ] {
            assert_eq!(outcome_of(line), expected, "{line}");
        }
    }
}
