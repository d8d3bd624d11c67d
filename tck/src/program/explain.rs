//! `rs-tck explain`: what a rule asks for.

use std::process::ExitCode;

use clap::Args;
use reactive_streams::rules::{Ensured, Level, RULES};
use reactive_streams_tck::{advice, checks, jvm_tests, suggest::near};

use super::{Answer, say};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The rule, such as `3.9`; without it all rules are listed
    rule: Option<String>,
}

pub(crate) fn run(options: &Options) -> Answer {
    match &options.rule {
        Some(rule) => explain(rule)?,
        None => overview(),
    }
    Ok(ExitCode::SUCCESS)
}

fn overview() {
    for rule in &RULES {
        let class = class(rule.ensured);
        say!("{:<5}{:<8}{class:<10}{}", rule.number, level(rule.level), rule.statement);
    }
    say!("\nRules of this binding:");
    for rule in advice::OWN_RULES {
        let class = rule.how.split([' ', ':']).take(2).collect::<Vec<_>>().join(" ");
        let class = if rule.how.starts_with("tested") { "tested" } else { &class };
        say!("{:<5}{:<8}{class:<10}{}", rule.number, level(rule.level), rule.statement);
    }
}

fn explain(word: &str) -> Result<(), String> {
    let number = advice::numbers().find(|number| number.eq_ignore_ascii_case(word));
    let number = number.ok_or_else(|| {
        let near = near(word, advice::numbers());
        format!("there is no rule `{word}`; near are {near}, and `rs-tck explain` lists them all")
    })?;
    if let Some((binding, statement)) = advice::statement_of(number) {
        say!("{number} ({}): {statement}", level(binding));
    }
    if let Some(rule) = reactive_streams::rule(number) {
        say!("\nEnsured: {}. {}", class(rule.ensured), rule.how);
    }
    if let Some(rule) = advice::OWN_RULES.iter().find(|rule| rule.number == number) {
        say!("\nEnsured: {}.", rule.how);
    }
    if let Some(advice) = advice::advice_on(number) {
        say!("\nExpected: {}.", advice.expected);
        say!("\nWhat usually breaks it:");
        advice.causes.iter().for_each(|cause| say!("- {cause}"));
    }
    say!("\nChecks:");
    let mut any = false;
    for check in checks().filter(|check| check.rule == number) {
        say!("- {} ({})", check.name, check.suite);
        any = true;
    }
    if !any {
        say!("- none is named after it");
    }
    let originals: Vec<_> =
        jvm_tests::originals().filter(|original| original.rule() == Some(number)).collect();
    if !originals.is_empty() {
        say!("\nTests of the JVM TCK:");
        originals.iter().for_each(|original| say!("- {}.{}", original.class, original.name));
    }
    Ok(())
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    }
}

const fn class(ensured: Ensured) -> &'static str {
    match ensured {
        Ensured::ByType => "by types",
        Ensured::ByTest => "tested",
        Ensured::NotApplicable => "n.a.",
    }
}
