//! The checks of a processor's two ends: those of publishers and subscribers, under names of their
//! own.

use std::sync::LazyLock;

use super::{publisher, subscriber};
use crate::{check::Check, settings::Settings, subject::ErasedProcessor, verdict::Outcome};

/// The checks of the publisher end.
static PUBLISHER: LazyLock<Vec<Check>> =
    LazyLock::new(|| prefixed("publisher::", publisher::checks()));

/// The checks of the subscriber end.
static SUBSCRIBER: LazyLock<Vec<Check>> =
    LazyLock::new(|| prefixed("subscriber::", subscriber::checks()));

/// The checks of both ends.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check> {
    PUBLISHER.iter().chain(SUBSCRIBER.iter())
}

/// Runs a check of one end; `None` if there is none of this name.
pub(super) fn run(
    name: &str,
    processor: &ErasedProcessor,
    check: &str,
    settings: &Settings,
) -> Option<Outcome> {
    let check = checks().find(|own| own.name == check)?;
    let outcome = match check.name.split_once("::")? {
        ("publisher", inner) => publisher::run(name, &processor.publisher, inner, settings)?,
        (_, inner) => subscriber::run(name, &processor.subscriber, inner, settings)?,
    };
    Some(Outcome { check, ..outcome })
}

/// The same checks under names with a prefix. The names live as long as the program, as those of
/// checks do.
fn prefixed(prefix: &str, checks: impl Iterator<Item = &'static Check>) -> Vec<Check> {
    let renamed =
        |check: &Check| Check { name: format!("{prefix}{}", check.name).leak(), ..*check };
    checks.map(renamed).collect()
}
