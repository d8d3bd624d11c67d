//! A publisher in another process.

use std::sync::Arc;

use super::{
    case::Case,
    message::{Message, Verb},
    pool::Pool,
};
use crate::{
    capabilities::Capabilities,
    play::{
        probe::{Blueprint, Recorder},
        stage::{Away, Drive, Mode},
    },
    subject::{ErasedPublisher, Wanted},
    trace::Call,
};

pub(super) fn erased(
    pool: &Arc<Pool>,
    subject: &str,
    capabilities: Capabilities,
) -> ErasedPublisher {
    let (pool, subject) = (Arc::clone(pool), subject.to_owned());
    let subscribe = move |wanted, recorder: &Recorder, blueprints: Vec<Blueprint>| {
        let open = opening(&subject, wanted, blueprints.len());
        let case = pool.open(recorder, open)?;
        for (k, blueprint) in (1..).zip(blueprints) {
            subscribe_one(&case, k, blueprint)?;
        }
        Some(mode(&case, capabilities.asynchronous))
    };
    ErasedPublisher { capabilities, subscribe: Arc::new(subscribe) }
}

fn opening(subject: &str, wanted: Wanted, n_subscribers: usize) -> Message {
    let (items, fail, is_shared) = match wanted {
        Wanted::Items(n) => (n, false, false),
        Wanted::Failed => (0, true, false),
        Wanted::Shared(n) => (n, false, true),
    };
    Message {
        call: Some(Verb::Open),
        subject: Some(subject.to_owned()),
        items: (items < u64::MAX).then_some(items),
        fail,
        subscribers: u32::try_from(n_subscribers).ok().filter(|_| is_shared),
        ..Message::default()
    }
}

/// Subscribes the `k`-th subscriber of a case; `None` if there is no such publisher.
pub(super) fn subscribe_one(case: &Arc<Case>, k: u32, blueprint: Blueprint) -> Option<()> {
    let (id, recorder) = (blueprint.id, blueprint.recorder.clone());
    case.listen(k, blueprint.listener());
    let mut is_there = true;
    recorder.guard(id, Call::Subscribe, || {
        let call = case.call(Verb::Subscribe);
        let reply = case.ask(Message { subscriber: Some(k), ..call });
        let Ok(reply) = reply else { return };
        is_there = !reply.none;
        if reply.harness {
            is_there = false;
            let text = reply.text.unwrap_or_default();
            recorder.fail_harness(format!("the code that makes the subject failed: {text}"));
        } else if reply.has_thrown() {
            std::panic::resume_unwind(Box::new(reply.text.unwrap_or_default()));
        }
    });
    is_there.then_some(())
}

/// How work of the subject is waited for.
pub(super) fn mode(case: &Arc<Case>, has_threads: bool) -> Mode {
    let [looked_at, collected] = std::array::from_fn(|_| Arc::clone(case));
    let drive: Drive = match has_threads {
        true => Box::new(move || looked_at.process.give_up_if_silent()),
        false => drive(case),
    };
    let collect = Box::new(move || {
        let _gone = collected.ask(collected.call(Verb::Collect));
    });
    Mode::Remote(Away { has_threads, drive, collect })
}

/// Does the work that is pending.
fn drive(case: &Arc<Case>) -> Drive {
    let case = Arc::clone(case);
    Box::new(move || {
        let _gone = case.ask(case.call(Verb::Settle));
    })
}
