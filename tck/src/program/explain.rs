//! `rs-tck explain`: what a rule asks for.

use std::process::ExitCode;

use clap::Args;
use reactive_streams::rules::{Ensured, Level, RULES};
use reactive_streams_tck::{advice, checks, jvm_tests, suggest::near};

use super::Answer;

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
        println!("{:<5}{:<8}{class:<10}{}", rule.number, level(rule.level), rule.statement);
    }
    println!("\nRules of this binding:");
    for rule in advice::OWN_RULES {
        let tested = checks().any(|check| check.rule == rule.number);
        let class = if tested { "tested" } else { "no check" };
        println!("{:<5}{:<8}{class:<10}{}", rule.number, "must", rule.statement);
    }
}

fn explain(word: &str) -> Result<(), String> {
    let number = advice::numbers().find(|number| number.eq_ignore_ascii_case(word));
    let number = number.ok_or_else(|| {
        let near = near(word, advice::numbers());
        format!("there is no rule `{word}`; near are {near}, and `rs-tck explain` lists them all")
    })?;
    if let Some((binding, statement)) = advice::statement_of(number) {
        println!("{number} ({}): {statement}", level(binding));
    }
    if let Some(rule) = reactive_streams::rule(number) {
        println!("\nEnsured: {}. {}", class(rule.ensured), rule.how);
    }
    if let Some(advice) = advice::advice_on(number) {
        println!("\nExpected: {}.", advice.expected);
        println!("\nWhat usually breaks it:");
        advice.causes.iter().for_each(|cause| println!("- {cause}"));
    }
    println!("\nChecks:");
    let mut any = false;
    for check in checks().filter(|check| check.rule == number) {
        println!("- {} ({})", check.name, check.suite);
        any = true;
    }
    if !any {
        println!("- none is named after it");
    }
    let originals: Vec<_> =
        jvm_tests::originals().filter(|original| original.rule() == Some(number)).collect();
    if !originals.is_empty() {
        println!("\nTests of the JVM TCK:");
        originals.iter().for_each(|original| println!("- {}.{}", original.class, original.name));
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
