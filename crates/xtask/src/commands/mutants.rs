//! `mutants`: breaks the kernel in each way of a list, and has its own suite find out.
//!
//! The list is in `crates/millstream-kernel/mutants`. Each mutant is applied to a copy of the tree
//! under the target directory, and the test that it names is run against it. A mutant that survives
//! is a failure, and so is one whose text is no longer found.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::shell::{Failure, Shell, root, target_dir};

const KERNEL: &str = "crates/millstream-kernel";
const TABLE: &str = "crates/millstream-kernel/tests/loom/MUTATIONS.md";
const BEGIN: &str = "<!-- begin of the table of `cargo xtask mutants` -->\n";
const END: &str = "<!-- end of the table of `cargo xtask mutants` -->\n";

/// A test that takes longer hangs, which is a way to fail.
const LONGEST: Duration = Duration::from_secs(120);

/// The kernel's own suite against mutants of the kernel; all of them, or every n-th.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs only the mutants whose name contains this text.
    filter: Option<String>,
    /// Runs every n-th mutant.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,
}

/// What the pipeline runs.
pub(crate) const SAMPLE: Args = Args { filter: None, every: 8 };

/// An entry of the list.
#[derive(Debug)]
struct Mutant {
    name: String,
    /// Under the kernel's `src`.
    file: String,
    find: String,
    replace: String,
    suite: Suite,
    test: String,
}

/// Where the test is that kills it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suite {
    Loom,
    It,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::It => "it",
        }
    }
}

/// How a run of a test ended.
enum Verdict {
    Killed,
    Survived,
}

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    let mutants = read(&root())?;
    let is_chosen = |mutant: &Mutant| {
        args.filter.as_ref().is_none_or(|filter| mutant.name.contains(filter.as_str()))
    };
    let mut chosen: Vec<&Mutant> =
        mutants.iter().filter(|mutant| is_chosen(mutant)).step_by(args.every.max(1)).collect();
    // Those of one module follow each other, so that its tests are compiled for it alone.
    chosen.sort_by_key(|mutant| (mutant.suite.name(), mutant.module()));
    if chosen.is_empty() {
        return Err(Failure::new("no mutant was found, so none was run"));
    }
    let tree = target_dir().join("mutants/tree");
    copy_tree(shell, &tree)?;

    let mut survivors = Vec::new();
    for mutant in &chosen {
        narrow(&tree, mutant)?;
        let path = tree.join(KERNEL).join("src").join(&mutant.file);
        let text = read_file(&path)?;
        write_file(&path, &mutant.applied(&text)?)?;
        let verdict = judge(*shell, &tree, mutant);
        // Before anything else, so that the next mutant stands alone.
        write_file(&path, &text)?;
        let verdict = match verdict? {
            Verdict::Killed => "killed",
            Verdict::Survived => {
                survivors.push(mutant.name.as_str());
                "SURVIVED"
            }
        };
        println!("{verdict}: {} ({}: {})", mutant.name, mutant.suite.name(), mutant.test);
    }
    println!("mutants: {} passed, {} failed", chosen.len() - survivors.len(), survivors.len());
    if !survivors.is_empty() {
        return Err(Failure::new(format!("not killed: {}", survivors.join("; "))));
    }
    if chosen.len() == mutants.len() { write_table(&mutants) } else { Ok(()) }
}

/// The list, in the order of its files' names.
fn read(root: &Path) -> Result<Vec<Mutant>, Failure> {
    let folder = root.join(KERNEL).join("mutants");
    let entries = fs::read_dir(&folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut mutants = Vec::new();
    for file in files {
        let wrong = |what: &str| Failure::new(format!("{}: {what}", file.display()));
        let table: toml::Table =
            read_file(&file)?.parse().map_err(|error| wrong(&format!("{error}")))?;
        let list = table.get("mutant").and_then(toml::Value::as_array);
        for entry in list.ok_or_else(|| wrong("no [[mutant]]"))? {
            let field = |name: &str| {
                let text = entry.get(name).and_then(toml::Value::as_str);
                text.map(str::to_owned).ok_or_else(|| wrong(&format!("an entry without `{name}`")))
            };
            let suite = match field("suite")?.as_str() {
                "loom" => Suite::Loom,
                "it" => Suite::It,
                other => return Err(wrong(&format!("no suite `{other}`: it is loom or it"))),
            };
            mutants.push(Mutant {
                name: field("name")?,
                file: field("file")?,
                find: field("find")?,
                replace: field("replace")?,
                suite,
                test: field("test")?,
            });
        }
    }
    Ok(mutants)
}

impl Mutant {
    /// The module of its test.
    fn module(&self) -> &str {
        self.test.split_once("::").map_or(self.test.as_str(), |(module, _)| module)
    }

    /// The file's text with the mutation.
    fn applied(&self, text: &str) -> Result<String, Failure> {
        match text.matches(self.find.as_str()).count() {
            1 => Ok(text.replace(self.find.as_str(), &self.replace)),
            n => Err(Failure::new(format!(
                "`{}`: its text stands {n} times in {}: bring `find` up to date",
                self.name, self.file
            ))),
        }
    }
}

/// Copies what git tracks, and keeps the times of what has not changed, so that it is not built
/// anew.
fn copy_tree(shell: &Shell, tree: &Path) -> Result<(), Failure> {
    let mut command = Command::new("git");
    command.args(["ls-files", "-z"]).current_dir(root());
    shell.prepare(&mut command);
    let output =
        command.output().map_err(|error| Failure::new(format!("git did not start: {error}")))?;
    for name in String::from_utf8_lossy(&output.stdout).split('\0').filter(|name| !name.is_empty())
    {
        let (from, to) = (root().join(name), tree.join(name));
        // One that is tracked may have been deleted.
        let Ok(bytes) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|former| former == bytes) {
            continue;
        }
        let folder = to.parent().unwrap_or(tree);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&to, &bytes))
            .map_err(|error| Failure::new(format!("{}: {error}", to.display())))?;
    }
    Ok(())
}

/// Leaves the suite in the tree with the module of the mutant's test alone: the others take minutes
/// to compile, for each mutant.
fn narrow(tree: &Path, mutant: &Mutant) -> Result<(), Failure> {
    let suite = Path::new(KERNEL).join("tests").join(mutant.suite.name());
    let module = read_file(&root().join(&suite).join(format!("{}.rs", mutant.module())))?;
    let main = read_file(&root().join(&suite).join("main.rs"))?;
    let narrowed = narrowed(&main, mutant.module(), &module);
    let path = tree.join(suite).join("main.rs");
    // One that stays as it is keeps its time.
    if read_file(&path)? == narrowed { Ok(()) } else { write_file(&path, &narrowed) }
}

/// The main file of a suite with one module and those that its text names.
fn narrowed(main: &str, module: &str, text: &str) -> String {
    let is_kept = |line: &&str| {
        let declared = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
        declared.is_none_or(|name| name == module || text.contains(&format!("{name}::")))
    };
    main.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}

/// Runs the mutant's test in the tree.
fn judge(shell: Shell, tree: &Path, mutant: &Mutant) -> Result<Verdict, Failure> {
    let cargo = |rest: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(tree).args(["test", "--quiet", "--package", "millstream-kernel"]);
        command.args(["--test", mutant.suite.name()]);
        command.env("CARGO_TARGET_DIR", target_dir().join("mutants").join(mutant.suite.name()));
        if mutant.suite == Suite::Loom {
            command.args(["--profile", "loom"]).env("RUSTFLAGS", "--cfg millstream_loom");
            if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
                command.env("LOOM_MAX_PREEMPTIONS", "2");
            }
        }
        shell.prepare(&mut command);
        command.args(rest).stdin(Stdio::null());
        command
    };
    let failed = |error| Failure::new(format!("cargo did not start: {error}"));

    let built = cargo(&["--no-run"]).output().map_err(failed)?;
    if !built.status.success() {
        let why = String::from_utf8_lossy(&built.stderr).into_owned();
        return Err(Failure::new(format!("`{}` does not compile: {why}", mutant.name)));
    }
    let listed = cargo(&["--", "--list", "--format=terse"]).output().map_err(failed)?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    if !names.lines().any(|line| line.strip_suffix(": test") == Some(&mutant.test)) {
        return Err(Failure::new(format!("`{}`: no test `{}`", mutant.name, mutant.test)));
    }
    let mut child = cargo(&["--", "--exact", &mutant.test])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    match wait(&mut child) {
        Some(true) => Ok(Verdict::Survived),
        Some(false) | None => Ok(Verdict::Killed),
    }
}

/// Waits for a test. Returns whether it passed, or `None` if it hangs and was ended.
#[expect(clippy::disallowed_methods, reason = "a test that hangs is found by the clock")]
fn wait(child: &mut std::process::Child) -> Option<bool> {
    let start = Instant::now();
    while start.elapsed() < LONGEST {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Err(_) => break,
        }
    }
    // It may have ended by itself meanwhile.
    child.kill().ok();
    child.wait().ok();
    None
}

/// Writes the table between its marks.
fn write_table(mutants: &[Mutant]) -> Result<(), Failure> {
    let path = root().join(TABLE);
    let text = read_file(&path)?;
    let mut table = String::from("| mutant | file | killed by |\n|---|---|---|\n");
    for mutant in mutants {
        let Mutant { name, file, suite, test, .. } = mutant;
        // Writing to a string does not fail.
        writeln!(table, "| {name} | `{file}` | `{}`: `{test}` |", suite.name()).ok();
    }
    let parts = text
        .split_once(BEGIN)
        .and_then(|(before, rest)| rest.split_once(END).map(|(_, after)| (before, after)));
    let (before, after) =
        parts.ok_or_else(|| Failure::new(format!("{TABLE} has no place for the table")))?;
    write_file(&path, &format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

fn read_file(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::{KERNEL, Mutant, Suite, narrowed, read, read_file};
    use crate::shell::root;

    fn mutant() -> Mutant {
        Mutant {
            name: "planted".to_owned(),
            file: "a.rs".to_owned(),
            find: "old".to_owned(),
            replace: "new".to_owned(),
            suite: Suite::It,
            test: "a::b".to_owned(),
        }
    }

    #[test]
    fn a_text_that_stands_once_is_replaced() {
        assert_eq!(mutant().applied("an old text").unwrap(), "an new text");
        assert!(mutant().applied("no such text").is_err());
        assert!(mutant().applied("old and old").is_err());
    }

    #[test]
    fn a_suite_is_narrowed_to_the_module_of_the_test() {
        let main = "#![cfg(x)]\n\nmod a;\nmod b;\nmod support;\n";
        let text = "use crate::support::model;";
        assert_eq!(narrowed(main, mutant().module(), text), "#![cfg(x)]\n\nmod a;\nmod support;\n");
    }

    #[test]
    fn every_mutant_applies_and_names_a_test() {
        let kernel = root().join(KERNEL);
        let mutants = read(&root()).unwrap();
        assert!(mutants.len() > 30, "{} mutants", mutants.len());
        for mutant in mutants {
            let text = read_file(&kernel.join("src").join(&mutant.file)).unwrap();
            assert_ne!(mutant.applied(&text).unwrap(), text, "{}", mutant.name);
            let (module, test) = mutant.test.split_once("::").unwrap();
            let file = kernel.join("tests").join(mutant.suite.name()).join(format!("{module}.rs"));
            let is_there = read_file(&file).unwrap().contains(&format!("fn {test}("));
            assert!(is_there, "{}: no test {}", mutant.name, mutant.test);
        }
    }
}
