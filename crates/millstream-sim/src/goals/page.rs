//! The book's page about the goals.

use std::fmt::Write as _;

use super::{
    Findings, Goal, Row,
    rows::{least, most},
};
use crate::Report;

/// The book's page; `command` made it.
#[must_use]
pub fn page(findings: &Findings, command: &str) -> String {
    let mut text = format!(
        "# Figures\n\nWhat the policies of `millstream-pressure` come to in simulation, in virtual \
         time and with fixed seeds.\nMade by `{command}`; the same command gives the same page.\nA \
         row that does not hold is published as well.\n\n## Goals\n\n| goal | claim | measured | \
         held | seeds | command |\n|---|---|---|---|---|---|\n"
    );
    for Goal { number, claim, measured, is_held, seeds } in &findings.goals {
        let held = if *is_held { "yes" } else { "no" };
        line(
            &mut text,
            &format!("| {number} | {claim} | {measured} | {held} | {seeds} | `{command}` |"),
        );
    }
    text += "\n## Limiters\n\n\
             Goodput is a share of the capacity, the limit a multiple of the best one, which is the \
             number of workers.\n\
             The main cases are three laws of service times, 16 and 64 workers of 10 ms, and three \
             steps: ten times the load, and, at three times the load, twice the latency and half the \
             capacity.\n\n";
    matrix_table(&mut text, &findings.main);
    text += "\nThe hold-out cases have 4, 40 and 200 workers, 5, 100 and 2 ms, exponential and \
             lognormal (sigma 1.5) times, and other steps; no setting was chosen by them.\n\n";
    matrix_table(&mut text, &findings.hold_out);
    text += "\nAfter 30 minutes at 1.5 times the capacity of 16 workers:\n\n\
             | algorithm | goodput | limit |\n|---|---|---|\n";
    for Row { algorithm, goodput, limit, .. } in &findings.drift {
        line(&mut text, &format!("| {algorithm} | {:.1} % | {limit:.2} |", 100.0 * goodput));
    }
    text += "\nCalls' times until the limit has settled, after calls take twice as long:\n\n\
             | algorithm | case | settled after |\n|---|---|---|\n";
    for (algorithm, case, settled) in &findings.settling {
        line(&mut text, &format!("| {algorithm} | {case} | {settled:.0} |"));
    }
    text += "\n## Scenarios\n\n\
             Each is a file in `crates/millstream-sim/scenarios`.\n";
    for (scenario, reports) in &findings.scenarios {
        let about = scenario.about.replace(". ", ".\n");
        line(&mut text, &format!("\n### {}\n\n{about}\n", capitalized(&scenario.name)));
        text += &Report::table(reports);
    }
    text
}

fn matrix_table(text: &mut String, rows: &[Row]) {
    *text += "| algorithm | goodput, least | goodput, mean | limit | refused at 0.7 load |\n\
              |---|---|---|---|---|\n";
    let mut algorithms: Vec<&str> = Vec::new();
    for row in rows {
        if !algorithms.contains(&row.algorithm.as_str()) {
            algorithms.push(&row.algorithm);
        }
    }
    for algorithm in algorithms {
        let of = || rows.iter().filter(|row| row.algorithm == algorithm);
        let mean = of().map(|row| row.goodput).sum::<f64>() / of().count() as f64;
        line(
            text,
            &format!(
                "| {algorithm} | {:.1} % | {:.1} % | {:.2} to {:.2} | {:.2} % |",
                100.0 * least(of().map(|row| row.goodput)),
                100.0 * mean,
                least(of().map(|row| row.limit)),
                most(of().map(|row| row.limit)),
                100.0 * most(of().map(|row| row.refused)),
            ),
        );
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all");
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
