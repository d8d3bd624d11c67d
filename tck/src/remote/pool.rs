//! The processes of a command: one for each check that runs at the same time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    case::Case,
    child::Process,
    message::{Hello, Message},
};
use crate::{play::probe::Recorder, sync::lock};

/// How processes are started.
#[derive(Clone, Debug)]
pub(super) struct Starting {
    pub(super) command: Vec<String>,
    pub(super) patience: Duration,
    /// Whether each check has a process of its own.
    pub(super) isolates: bool,
}

/// The processes of a command.
pub(super) struct Pool {
    starting: Starting,
    idle: Mutex<Vec<Arc<Process>>>,
    busy: Mutex<Vec<Busy>>,
}

/// A process, and the check that it plays.
struct Busy {
    recorder: Recorder,
    process: Arc<Process>,
    cases: usize,
}

impl Pool {
    /// Starts the first process, which says what there is.
    pub(super) fn start(starting: Starting) -> Result<(Arc<Self>, Hello), String> {
        let (process, hello) = Process::start(&starting.command, starting.patience, || {})?;
        let (idle, busy) = (Mutex::new(vec![process]), Mutex::default());
        Ok((Arc::new(Self { starting, idle, busy }), hello))
    }

    /// Opens a case as `open` has it. `None` if that is not possible, which the recorder then
    /// knows, or if the subject cannot be made like this.
    pub(super) fn open(self: &Arc<Self>, recorder: &Recorder, open: Message) -> Option<Arc<Case>> {
        let process = match self.process(recorder) {
            Ok(process) => process,
            Err(reason) => {
                recorder.fail_harness(reason);
                return None;
            }
        };
        let (pool, its) = (Arc::downgrade(self), Arc::downgrade(&process));
        let done = move || {
            if let (Some(pool), Some(process)) = (pool.upgrade(), its.upgrade()) {
                pool.release(&process);
            }
        };
        let case = Case::begin(&process, recorder, Box::new(done));
        let reply = case.ask(Message { case: Some(case.id), ..open }).ok()?;
        if reply.has_thrown() {
            let text = reply.text.unwrap_or_default();
            recorder.fail_harness(format!("the code that makes the subject failed: {text}"));
            return None;
        }
        (!reply.none).then_some(case)
    }

    /// The process that plays this check already, or another one.
    fn process(&self, recorder: &Recorder) -> Result<Arc<Process>, String> {
        recorder.allow_messages();
        let mut busy = lock(&self.busy);
        busy.retain(|busy| !busy.process.peer.is_gone());
        if let Some(own) = busy.iter_mut().find(|busy| busy.recorder.is(recorder)) {
            own.cases += 1;
            return Ok(Arc::clone(&own.process));
        }
        drop(busy);
        let idle = loop {
            match lock(&self.idle).pop() {
                Some(process) if process.peer.is_gone() => {}
                other => break other,
            }
        };
        let process = match idle {
            Some(process) => process,
            None => {
                let Starting { command, patience, .. } = &self.starting;
                Process::start(command, *patience, || recorder.note_wait())?.0
            }
        };
        let its = Arc::clone(&process);
        recorder.on_abandon(move || its.kill());
        let (recorder, cases) = (recorder.clone(), 1);
        lock(&self.busy).push(Busy { recorder, process: Arc::clone(&process), cases });
        Ok(process)
    }

    /// A case of this process is over.
    fn release(&self, process: &Arc<Process>) {
        let mut busy = lock(&self.busy);
        let Some(at) = busy.iter().position(|busy| Arc::ptr_eq(&busy.process, process)) else {
            return;
        };
        busy[at].cases -= 1;
        if busy[at].cases > 0 {
            return;
        }
        let over = busy.swap_remove(at);
        drop(busy);
        if self.starting.isolates {
            over.process.kill();
        } else {
            lock(&self.idle).push(over.process);
        }
    }
}
