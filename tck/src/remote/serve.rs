//! The child's half in Rust: the subjects of this process are played for another one.

use std::{
    collections::HashMap,
    io::{BufReader, Write as _},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use reactive_streams::{Error, Offer, Subscription};

use super::{
    declared::Declared,
    message::{Answered, Feature, Hello, Message, Notice, Offered, Role, VERSION, Verb},
    peer::{Answering, Peer, Side},
    relay::{Contact, Given, Relay},
};
use crate::{
    play::{
        clock, deliberate_error,
        probe::{Blueprint, Recorder},
        stage::{Drive, Mode},
        upstream::Target,
    },
    subject::{BUFFER, Kind, Reports, Subject, Subscribe, Wanted},
    sync::lock,
    trace::Phase,
};

/// How often it is said that the process is alive.
const BEAT: Duration = Duration::from_secs(1);

/// Plays these subjects for the process that started this one: the reference adapter.
///
/// Returns when that process has closed the standard input.
/// The standard output belongs to the protocol, so that nothing else may write there.
pub fn serve(subjects: Vec<Subject>) -> ExitCode {
    let peer = Peer::new(Side::Child, std::io::stdout());
    let offered = subjects.iter().map(|subject| {
        let (role, capabilities) = match &subject.kind {
            Kind::Publisher(its) => (Role::Publisher, Declared::of_publisher(&its.capabilities)),
            Kind::Subscriber(its) => {
                (Role::Subscriber, Declared::of_subscriber(&its.capabilities, its.reports))
            }
            Kind::Processor(its) => (Role::Processor, Declared::of_processor(&its.capabilities)),
        };
        Offered { name: subject.name.clone(), role, capabilities }
    });
    let hello = Hello {
        hello: VERSION,
        adapter: concat!("rust ", env!("CARGO_PKG_VERSION")).to_owned(),
        features: vec![Feature::Retention, Feature::Offer],
        subjects: offered.collect(),
    };
    let mut input = BufReader::new(std::io::stdin());
    let greeting = super::peer::read_line::<serde_json::Value>(&mut input);
    let is_ours = matches!(&greeting, Ok(Some(said)) if said["hello"] == VERSION);
    if peer.write(&hello).is_err() || !is_ours {
        return ExitCode::from(2);
    }
    peer.answer_by(Arc::new(Host { peer: Arc::clone(&peer), subjects, cases: Mutex::default() }));
    let beating = Arc::clone(&peer);
    clock::spawn(move || {
        while beating.write(&Message::notice(Notice::Beat)).is_ok() {
            clock::pause(BEAT);
        }
    });
    peer.read(&mut input);
    drop(std::io::stdout().flush());
    ExitCode::SUCCESS
}

/// Answers the calls of the parent.
struct Host {
    peer: Arc<Peer>,
    subjects: Vec<Subject>,
    cases: Mutex<HashMap<u64, Arc<Played>>>,
}

/// A case.
struct Played {
    contact: Arc<Contact>,
    open: Message,
    kind: Kind,
    recorder: Recorder,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Subscribers that wait until all are there.
    waiting: Vec<u32>,
    /// Publisher ends of a processor, by number.
    ends: HashMap<u32, Subscribe>,
    /// The subscriber end; out of here while it is signaled.
    target: Option<Box<dyn Target>>,
    reports: Option<Arc<Reports>>,
    drive: Option<Drive>,
}

impl Answering for Host {
    fn answer(&self, call: &Message) -> Message {
        match call.call {
            Some(Verb::Open) => self.open(call),
            Some(Verb::End) => {
                let case = call.case.and_then(|id| lock(&self.cases).remove(&id));
                if let Some(case) = case {
                    case.end();
                }
                Message::returned()
            }
            _ => match call.case.and_then(|id| lock(&self.cases).get(&id).cloned()) {
                Some(case) => case.answer(call),
                None => Message::returned(),
            },
        }
    }

    fn hear(&self, notice: &Message) {
        if notice.notice != Some(Notice::Released) {
            return;
        }
        let case = notice.case.and_then(|id| lock(&self.cases).get(&id).cloned());
        if let (Some(case), Some(id)) = (case, notice.subscription) {
            case.contact.release(id);
        }
    }

    fn lose(&self, _: &str) {}
}

impl Host {
    fn open(&self, call: &Message) -> Message {
        let subject =
            self.subjects.iter().find(|subject| Some(&subject.name) == call.subject.as_ref());
        let (Some(subject), Some(id)) = (subject, call.case) else {
            return Message::threw("there is no such subject");
        };
        let case = Arc::new(Played {
            contact: Contact::new(id, &self.peer),
            open: call.clone(),
            kind: subject.kind.clone(),
            recorder: Recorder::new(subject.settings.budget),
            state: Mutex::default(),
        });
        let reply = case.prepare();
        if !reply.none && !reply.has_thrown() {
            lock(&self.cases).insert(id, case);
        }
        reply
    }
}

impl Played {
    /// Makes what can be made before a signal.
    fn prepare(self: &Arc<Self>) -> Message {
        let reply = match &self.kind {
            Kind::Publisher(_) => Message::returned(),
            Kind::Subscriber(subscriber) => match (subscriber.create)(&self.recorder) {
                Some(made) => {
                    let mut state = lock(&self.state);
                    state.target = Some(made.target);
                    state.drive = made.mode.and_then(Mode::into_drive);
                    if let Some(reports) = &made.reports {
                        reports.relay(Arc::new(Relay {
                            case: Arc::downgrade(&self.contact),
                            k: None,
                        }));
                    }
                    state.reports = made.reports;
                    Message::returned()
                }
                None => Message { none: true, ..Message::returned() },
            },
            Kind::Processor(processor) => {
                let buffer =
                    self.open.buffer.map_or(BUFFER, |n| usize::try_from(n).unwrap_or(BUFFER));
                let k = self.open.subscribers.unwrap_or(1);
                match (processor.create)(&self.recorder, buffer, k as usize) {
                    Some(made) => {
                        let mut state = lock(&self.state);
                        state.target = Some(made.target);
                        state.ends = (1..).zip(made.ends).collect();
                        state.drive = made.mode.and_then(Mode::into_drive);
                        Message::returned()
                    }
                    None => Message { none: true, ..Message::returned() },
                }
            }
        };
        self.or_harness(reply)
    }

    /// The reply, unless the code that makes the subject failed.
    fn or_harness(&self, reply: Message) -> Message {
        match self.recorder.harness_error() {
            Some(text) => Message { harness: true, ..Message::threw(text) },
            None => reply,
        }
    }

    fn end(&self) {
        let subscriptions = self.contact.end();
        let mut state = lock(&self.state);
        let State { target, reports, drive, ends, .. } = &mut *state;
        let gone = (target.take(), reports.take(), drive.take(), std::mem::take(ends));
        drop(state);
        if let Some(reports) = &gone.1 {
            reports.forget();
        }
        // What falls apart now is not judged any more.
        let dropping = move || drop((gone, subscriptions));
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(dropping)));
    }

    fn answer(self: &Arc<Self>, call: &Message) -> Message {
        let mut reply = Message::returned();
        match call.call {
            Some(Verb::Subscribe) => return self.subscribe(call.subscriber.unwrap_or(1)),
            // A drop says so at once.
            Some(Verb::Collect) => {}
            Some(Verb::Settle) => {
                // Not under the lock, which signals take as well.
                let drive = lock(&self.state).drive.take();
                if let Some(drive) = drive {
                    drive();
                    lock(&self.state).drive.get_or_insert(drive);
                }
            }
            Some(Verb::Request | Verb::Cancel) => {
                let its = call.subscription.unwrap_or(0);
                match (self.contact.subscription(its), call.call) {
                    (Some(its), Some(Verb::Request)) => its.request(call.n.unwrap_or(0)),
                    (Some(its), _) => its.cancel(),
                    (None, _) => {}
                }
            }
            Some(Verb::OnSubscribe) => {
                let id = call.subscription.unwrap_or(0);
                let given = Arc::new(Given { case: Arc::clone(&self.contact), id });
                self.with_target(|target| target.on_subscribe(given));
            }
            Some(Verb::OnNext) => {
                let item = call.item.unwrap_or(0);
                self.with_target(|target| {
                    target.prepare(item);
                    target.on_next();
                });
            }
            Some(Verb::Offer) => {
                let item = call.item.unwrap_or(0);
                let offer = self.with_target(|target| {
                    target.prepare(item);
                    target.offer()
                });
                reply.answer = match offer {
                    None | Some(Offer::Accepted) => None,
                    Some(Offer::Skipped) => Some(Answered::Skipped),
                    Some(Offer::Finished) => Some(Answered::Finished),
                };
            }
            Some(Verb::InitialRequest) => {
                reply.n = self.with_target(|target| target.initial_request());
            }
            Some(Verb::OnError) => {
                let error = match (call.ours, call.illegal) {
                    (true, _) => deliberate_error::error(),
                    (_, true) => Error::illegal_request(),
                    _ => Error::message("a failure"),
                };
                let target = lock(&self.state).target.take();
                if let Some(target) = target {
                    target.on_error(error);
                }
            }
            Some(Verb::OnComplete) => {
                let target = lock(&self.state).target.take();
                if let Some(target) = target {
                    target.on_complete();
                }
            }
            Some(Verb::Drop) => {
                let target = lock(&self.state).target.take();
                drop(target);
            }
            Some(Verb::Trigger | Verb::Withdraw) => {
                let puppet = lock(&self.state).reports.clone().and_then(|reports| reports.puppet());
                let n = call.n.unwrap_or(0);
                match (puppet, call.call) {
                    (Some(puppet), Some(Verb::Trigger)) => puppet.trigger_request(n),
                    (Some(puppet), _) => puppet.signal_cancel(),
                    (None, _) => {
                        self.with_target(|target| target.trigger(n));
                    }
                }
            }
            _ => return Message::threw("there is no such call"),
        }
        self.or_harness(reply)
    }

    fn with_target<R>(&self, body: impl FnOnce(&mut Box<dyn Target>) -> R) -> Option<R> {
        let mut target = lock(&self.state).target.take()?;
        let result = body(&mut target);
        lock(&self.state).target = Some(target);
        Some(result)
    }

    fn subscribe(self: &Arc<Self>, k: u32) -> Message {
        let relay = |k| {
            let relay = Relay { case: Arc::downgrade(&self.contact), k: Some(k) };
            Blueprint::relaying(k, &self.recorder, Arc::new(relay))
        };
        if let Kind::Publisher(publisher) = &self.kind {
            let n_all = self.open.subscribers.unwrap_or(1);
            let mut state = lock(&self.state);
            state.waiting.push(k);
            // A publisher is shared by all at once.
            if (state.waiting.len() as u32) < n_all {
                return Message::returned();
            }
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            let items = self.open.items.unwrap_or(u64::MAX);
            let wanted = match self.open.subscribers {
                _ if self.open.fail => Wanted::Failed,
                Some(_) => Wanted::Shared(items),
                None => Wanted::Items(items),
            };
            let blueprints = waiting.into_iter().map(relay).collect();
            match (publisher.subscribe)(wanted, &self.recorder, blueprints) {
                Some(Mode::Driven(drive)) => lock(&self.state).drive = Some(drive),
                Some(_) => {}
                None => return self.or_harness(Message { none: true, ..Message::returned() }),
            }
        } else {
            let end = lock(&self.state).ends.remove(&k);
            match end {
                Some(end) => end(relay(k)),
                None => return Message::threw("there is no such end"),
            }
        }
        let has_panicked = |event: &crate::trace::Event| event.phase == Phase::Panicked;
        match self.recorder.events().iter().any(has_panicked) {
            true => Message::threw("`subscribe` panicked"),
            false => Message::returned(),
        }
    }
}
