//! A week of overload in a second: a service in virtual time, without a policy and with one.
//!
//! `cargo run --example 16-simulation`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use millstream_sim::{InvalidScenario, Report, Scenario};

const OVERLOAD: &str = "
name: overload
duration: 10s
clients:
  - arrivals: [{for: 10s, rate: 400}]
    timeout: 100ms
service: {workers: 2, time: {exponential: 10ms}}
variants:
  - {name: no policy}
  - name: a short queue
    limit: {algorithm: {fixed: 6}, backlog: 0}
";

fn main() -> Result<(), InvalidScenario> {
    let reports = Scenario::from_yaml(OVERLOAD)?.run(1);

    println!("{}", Report::table(&reports));
    let second = std::time::Duration::from_secs(1);
    let goodput = |report: &Report| report.between(2 * second, 10 * second).goodput();
    assert!(goodput(&reports[0]) < 0.1, "all wait too long");
    assert!(goodput(&reports[1]) > 0.9, "some are refused, and the others are served in time");
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
