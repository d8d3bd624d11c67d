//! The part of `bench-report` that runs other languages: ours, theirs, ours, theirs.

use std::fs;

use crate::{
    shell::{Call, Failure, Shell, target_dir},
    tools::{self, Machine as _, ThisMachine},
};

/// A language beside ours, and what it needs.
struct Language {
    name: &'static str,
    /// Commands that succeed where its tools are there, and what to install for each.
    needs: &'static [(&'static str, &'static str)],
    compile: fn(&Shell) -> Result<(), Failure>,
    /// Has it say what each subject gives.
    sums: fn(&Shell) -> Result<(), Failure>,
    /// Measures all subjects once, as this turn.
    turn: fn(&Shell, usize, bool) -> Result<(), Failure>,
}

const LANGUAGES: [Language; 2] = [
    Language {
        name: "the JVM",
        needs: &[("javac -version", "a JDK, version 17 or later"), ("mvn --version", "Maven")],
        compile: compile_jvm,
        sums: sums_of_jvm,
        turn: turn_of_jvm,
    },
    Language {
        name: "Go",
        needs: &[(GO, "Go, version 1.21 or later")],
        compile: compile_go,
        sums: sums_of_go,
        turn: turn_of_go,
    },
];

/// What is looked for wherever a package may have put it.
const GO: &str = "go version";

/// Where the benchmarks keep what they measured.
const RECORDS: &str = "millstream-bench";

/// Runs all languages in turns: two, or one with few runs of each subject.
pub(super) fn run(shell: &Shell, is_short: bool) -> Result<(), Failure> {
    let n_turns = if is_short { 1 } else { 2 };
    forget()?;
    let (present, lines) = present(&mut has);
    lines.iter().for_each(|line| println!("{line}"));
    for language in &present {
        (language.compile)(shell)?;
        (language.sums)(shell)?;
    }
    let ours = "bench --package millstream-benches --bench operators -- --turn";
    for turn in 1..=n_turns {
        let call = shell.cargo(&format!("{ours} {turn}"));
        if is_short { call.arg("--short") } else { call }.run()?;
        for language in &present {
            (language.turn)(shell, turn, is_short)?;
        }
    }
    Ok(())
}

/// Compiles what other languages have, so that it keeps compiling.
pub(super) fn compile(shell: &Shell) -> Result<(), Failure> {
    let (present, lines) = present(&mut has);
    lines.iter().for_each(|line| println!("{line}"));
    present.iter().try_for_each(|language| (language.compile)(shell))
}

fn compile_jvm(shell: &Shell) -> Result<(), Failure> {
    shell.maven("-f benches/jvm/pom.xml process-classes").run_thrice()
}

/// The languages whose tools are there, and a line for each that lacks one.
fn present(has: &mut dyn FnMut(&str) -> bool) -> (Vec<&'static Language>, Vec<String>) {
    let (mut present, mut lines) = (Vec::new(), Vec::new());
    for language in &LANGUAGES {
        match language.needs.iter().find(|(probe, _)| !has(probe)) {
            None => present.push(language),
            Some((probe, what)) => lines.push(format!(
                "{} is left out, because `{probe}` failed: install {what}",
                language.name
            )),
        }
    }
    (present, lines)
}

fn has(probe: &str) -> bool {
    match probe {
        GO => tools::go().is_some(),
        probe => ThisMachine::default().probe(probe).is_some(),
    }
}

/// What an earlier run kept would count as turns of this one.
fn forget() -> Result<(), Failure> {
    for entry in fs::read_dir(target_dir().join(RECORDS)).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("peers-") {
            fs::remove_file(entry.path()).map_err(|error| Failure::new(error.to_string()))?;
        }
    }
    Ok(())
}

fn write(name: &str, text: &str) -> Result<(), Failure> {
    let folder = target_dir().join(RECORDS);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join(name), text))
        .map_err(|error| Failure::new(format!("{name} cannot be written: {error}")))
}

/// Runs a class among the benchmarks of the JVM and what they need.
fn java(shell: &Shell, arguments: &str) -> Call {
    let classes = "-cp benches/jvm/target/classes:benches/jvm/target/dependency/*";
    shell.program("java", &format!("{classes} {arguments}"))
}

fn sums_of_jvm(shell: &Shell) -> Result<(), Failure> {
    write("peers-jvm-sums.json", &java(shell, "millstream.benches.Sums").lines()?)
}

fn turn_of_jvm(shell: &Shell, turn: usize, is_short: bool) -> Result<(), Failure> {
    // A JVM for each benchmark, and time for the compiler of hot code before it is measured.
    let settings =
        if is_short { "-wi 2 -w 200ms -i 3 -r 100ms" } else { "-wi 4 -w 500ms -i 5 -r 300ms" };
    // Merged groups take seconds a run where the time grows with the square of their number.
    let parts = [("", settings, "-e groupBy .*"), ("-groups", "-wi 1 -i 2 -r 100ms", "groupBy")];
    for (part, settings, which) in parts {
        let result = target_dir().join(RECORDS).join(format!("peers-jvm-{turn}{part}.json"));
        let jmh = format!("org.openjdk.jmh.Main {which} -f 1 {settings} -foe true -rf json -rff");
        java(shell, &jmh).arg(&result.display().to_string()).run()?;
    }
    Ok(())
}

fn compile_go(shell: &Shell) -> Result<(), Failure> {
    // No toolchain but the one that is there.
    let go = tools::go().ok_or_else(|| Failure::new("there is no Go any more"))?;
    let call = shell
        .program(&go.display().to_string(), "build -C benches/go -o")
        .arg(&go_program())
        .arg(".");
    call.env("GOTOOLCHAIN", "local").run()
}

fn sums_of_go(shell: &Shell) -> Result<(), Failure> {
    write("peers-go-sums.json", &shell.program(&go_program(), "-sums").lines()?)
}

fn turn_of_go(shell: &Shell, turn: usize, is_short: bool) -> Result<(), Failure> {
    let settings = if is_short { "-short" } else { "" };
    let text = shell.program(&go_program(), settings).lines()?;
    write(&format!("peers-go-{turn}.json"), &text)
}

fn go_program() -> String {
    target_dir().join(RECORDS).join("benches-go").display().to_string()
}

#[cfg(test)]
mod tests {
    use super::present;

    #[test]
    fn a_language_without_its_tools_is_left_out_and_named() {
        let (languages, lines) = present(&mut |probe| !probe.starts_with("mvn"));

        assert_eq!(languages.iter().map(|language| language.name).collect::<Vec<_>>(), ["Go"]);
        let line = "the JVM is left out, because `mvn --version` failed: install Maven";
        assert_eq!(lines, [line]);
    }

    #[test]
    fn nothing_is_left_out_where_all_tools_are_there() {
        let (languages, lines) = present(&mut |_| true);

        assert_eq!((languages.len(), lines.len()), (2, 0));
    }
}
