//! Pipelines beside real servers: each test starts one of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "servers and threads of the system have its time")]

mod amqp;
mod kafka;
mod nats;
mod redis;
mod scale_out;

use std::time::Duration;

use millstream_pipeline::{Pipeline, Running, Spec};

fn start(yaml: &str) -> Running {
    let spec = Spec::from_yaml(yaml).unwrap_or_else(|error| panic!("{error}"));
    Pipeline::new(spec).start().unwrap_or_else(|error| panic!("{error}"))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for {what}");
}
