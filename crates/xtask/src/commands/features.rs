//! `features`: libraries compile with none of their features, and with each alone.

use crate::shell::{Failure, Shell};

/// Checks the libraries that have features without any, and with each one alone. With all of them
/// every other stage compiles them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// A package, and its features besides those that are on by default.
const PACKAGES: [(&str, &[&str]); 13] = [
    ("millstream", &["codec", "crossbeam", "json", "tower", "tracing"]),
    ("millstream-http", &["json"]),
    ("millstream-io", &["gzip", "tls", "zstd"]),
    ("millstream-amqp", &["serde"]),
    ("millstream-kafka", &["serde"]),
    ("millstream-nats", &["serde"]),
    ("millstream-redis", &["serde"]),
    ("millstream-pressure", &["serde", "tower"]),
    ("millstream-spill", &["dedup", "queue", "serde"]),
    ("millstream-rsocket", &["tls", "websocket"]),
    ("millstream-observe", &["facade", "metrics", "page", "spill", "tower"]),
    (
        "millstream-pipeline",
        &["amqp", "http", "kafka", "nats", "net", "receipts", "redis", "remote", "rsocket", "tcp"],
    ),
    ("millstream-cli", &["nats"]),
];

pub(crate) fn run(shell: &Shell) -> Result<(), Failure> {
    for (package, features) in PACKAGES {
        let check = format!("check --package {package}");
        shell.cargo(&format!("{check} --no-default-features")).run()?;
        for feature in features {
            shell.cargo(&format!("{check} --no-default-features --features {feature}")).run()?;
        }
    }
    Ok(())
}
