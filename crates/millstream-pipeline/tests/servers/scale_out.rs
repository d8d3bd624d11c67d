//! One job in three processes: the example `workers`, whose workers are this program.

use std::{env, process::Command, time::Duration};

use self::scenario::Scenario;

#[path = "../../examples/workers/scenario.rs"]
mod scenario;
#[path = "../../examples/workers/worker.rs"]
mod worker;

/// What a worker is started as.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is a worker of the test below"]
async fn is_a_worker() {
    if let Ok(arguments) = env::var(worker::VARIABLE) {
        worker::run(&arguments).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_lose_nothing_when_one_is_killed_one_stopped_and_one_slow() {
    let session_timeout = Duration::from_secs(3);
    // A rate that the slow one can keep alone, on a machine that does other things as well.
    let scenario = Scenario { records: 3_000, rate: 200.0, session_timeout };
    let command = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["scale_out::is_a_worker", "--exact", "--ignored", "--nocapture"]);
        command
    };
    let Some(report) = scenario.play(command).await.unwrap() else { return };

    assert_eq!((report.lost, report.out_of_order), (0, 0), "{report}");
    // What was done and not committed, and nothing else.
    assert_eq!(report.twice_though_committed, 0, "{report}");
    assert!(report.twice < 600, "{report}");
    assert!(report.done.values().all(|n| *n > 50), "{report}");
    assert!(report.hot.contains(&report.hottest), "{report}");
    // How long that took depends on the machine, too.
    assert!(report.back_after.is_some(), "{report}");
}
