//! `build-cost`: what the settings of a release profile change, and what deep flows cost to
//! compile.
//!
//! Time is what the compiler used of the processors, which other work on the machine changes
//! little; the effect on the program is counted in instructions.

use std::fs;

use crate::{
    commands::instructions::{self, Count},
    shell::{Failure, Shell, root, target_dir},
};

/// Measures what profiles and boxing change, in instructions and in the compiler's time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// A profile: its name, and the settings that differ from cargo's own release profile.
type Profile = (&'static str, &'static [(&'static str, &'static str)]);

const PROFILES: [Profile; 6] = [
    ("cargo's default", &[("LTO", "false"), ("CODEGEN_UNITS", "16")]),
    ("codegen-units = 1", &[("LTO", "false"), ("CODEGEN_UNITS", "1")]),
    ("lto = thin", &[("LTO", "thin"), ("CODEGEN_UNITS", "16")]),
    ("lto = thin, codegen-units = 1", &[("LTO", "thin"), ("CODEGEN_UNITS", "1")]),
    ("lto = fat, codegen-units = 1", &[("LTO", "fat"), ("CODEGEN_UNITS", "1")]),
    ("opt-level = s", &[("LTO", "false"), ("CODEGEN_UNITS", "16"), ("OPT_LEVEL", "s")]),
];

/// The cases of which the page speaks.
const CASES: [&str; 4] = ["fold", "unbounded", "request_1", "concat_map"];

/// What is kept for the book's page, one number a name.
const RECORD: &str = "millstream-bench/build_cost.json";

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    let mut record = Vec::new();
    for (name, settings) in PROFILES {
        let (counts, seconds) = profile(shell, name, settings)?;
        for Count { name: case, item, .. } in
            counts.iter().filter(|count| CASES.contains(&count.name.as_str()))
        {
            record.push((format!("profile / {name} / {case}"), *item));
        }
        record.push((format!("profile / {name} / seconds"), seconds));
    }
    for (profile, flag) in [("dev", "--profile=dev"), ("release", "--profile=release")] {
        for (name, every) in [("one type", 0), ("boxed every 5", 5), ("boxed every 1", 1)] {
            let seconds = deep(shell, flag, every)?;
            record.push((format!("deep / {name} / {profile}"), seconds));
        }
    }
    println!();
    for (name, value) in &record {
        println!("{name:52} {value:>8.2}");
    }
    let lines: Vec<String> =
        record.iter().map(|(name, value)| format!("  \"{name}\": {value:.3}")).collect();
    write(RECORD, &format!("{{\n{}\n}}\n", lines.join(",\n")))
}

/// The instructions of the hot loops under a profile, and the processor's seconds to compile ours.
fn profile(
    shell: &Shell,
    name: &str,
    settings: &[(&str, &str)],
) -> Result<(Vec<Count>, f64), Failure> {
    let before = seconds_of_children();
    let folder = name.replace(|char: char| !char.is_alphanumeric(), "_");
    let target = target_dir().join("build-cost").join(&folder);
    fs::remove_dir_all(&target).ok();
    let counts = instructions::count(shell, &folder, |call| {
        let call = call.env("CARGO_TARGET_DIR", &target.display().to_string());
        settings.iter().fold(call, |call, (name, value)| {
            call.env(&format!("CARGO_PROFILE_BENCH_{name}"), value)
        })
    })?;
    Ok((counts, seconds_of_children() - before))
}

/// The processor's seconds to compile a program of ten flows of 20 operators, without what it
/// depends on. The type is erased after `every` so many operators, or never.
fn deep(shell: &Shell, profile: &str, every: usize) -> Result<f64, Failure> {
    let folder = "build-cost/deep";
    let dependency = root().join("crates/millstream").display().to_string();
    write(
        &format!("{folder}/Cargo.toml"),
        &format!(
            "[package]\nname = \"deep\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nmillstream = {{ path = {dependency:?}, default-features = false }}\n"
        ),
    )?;
    let path = target_dir().join(folder).join("Cargo.toml");
    let build = |source: &str| {
        write(&format!("{folder}/src/main.rs"), source)?;
        let before = seconds_of_children();
        let target = target_dir().join("build-cost/deep-target");
        shell
            .cargo("build --quiet --manifest-path")
            .arg(&path.display().to_string())
            .arg(profile)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TARGET_DIR", &target.display().to_string())
            .run()?;
        Ok::<f64, Failure>(seconds_of_children() - before)
    };
    // The dependencies first.
    build("fn main() { drop(millstream::just(1).count()); }\n")?;
    build(&deep_flows(every))
}

/// Ten functions with a flow of 20 operators each, all of different types.
fn deep_flows(every: usize) -> String {
    let mut source = String::from("fn main() {\n");
    for flow in 0..10 {
        source.push_str(&format!("    let flow = millstream::range(0..{flow}_u64);\n"));
        for level in 1..=20 {
            let operator = match level % 4 {
                0 => format!("filter(|n| n % {} != 1)", level + flow),
                1 => format!("map(|n| n ^ {})", level + flow),
                2 => "inspect(|n| { std::hint::black_box(n); })".to_owned(),
                _ => "scan(0, |sum, n| { *sum += n; Some(*sum) })".to_owned(),
            };
            let boxed = if every > 0 && level % every == 0 { ".boxed()" } else { "" };
            source.push_str(&format!("    let flow = flow.{operator}{boxed};\n"));
        }
        source.push_str("    println!(\"{:?}\", flow.fold(0, u64::wrapping_add).wait());\n");
    }
    source + "}\n"
}

fn write(path: &str, text: &str) -> Result<(), Failure> {
    let path = target_dir().join(path);
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    written
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", path.display())))
}

/// The time that the processors spent on programs that this one started and waited for.
fn seconds_of_children() -> f64 {
    // Fields 16 and 17, in hundredths of a second; the name in the second field may hold blanks.
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split(' ').skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

#[cfg(test)]
mod tests {
    use super::deep_flows;

    #[test]
    fn the_type_is_erased_as_often_as_asked() {
        assert_eq!(deep_flows(0).matches(".boxed()").count(), 0);
        assert_eq!(deep_flows(5).matches(".boxed()").count(), 40);
        assert_eq!(deep_flows(1).matches(".boxed()").count(), 200);
    }
}
