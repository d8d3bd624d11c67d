//! What a run waits for.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use millstream::Error;
use millstream_pipeline::{Running, Status};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// What has happened.
pub(super) enum Event {
    /// The pipeline has ended.
    End(Result<Status, Error>),
    /// It is to stop.
    Stop,
    /// It is to read its file again.
    Reload,
}

/// What has happened and was not looked at.
pub(super) struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// Listens for signals from now on.
    pub(super) fn listen() -> io::Result<Self> {
        let (sender, receiver) = channel();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let events = sender.clone();
        start("signals", move || {
            let mut is_stopping = false;
            for signal in signals.forever() {
                let event = if signal == SIGHUP { Event::Reload } else { Event::Stop };
                // Whatever blocks, the second one ends the program.
                if signal != SIGHUP && std::mem::replace(&mut is_stopping, true) {
                    std::process::exit(130);
                }
                if events.send(event).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { sender, receiver })
    }

    /// Says when the pipeline has ended.
    pub(super) fn tell_the_end(&self, running: Running) -> io::Result<()> {
        let events = self.sender.clone();
        start("end", move || {
            // Whoever listened may be gone.
            events.send(Event::End(running.wait())).ok();
        })
    }

    /// Waits for the next one, for so long.
    pub(super) fn next(&self, time: Duration) -> Option<Event> {
        match self.receiver.recv_timeout(time) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => unreachable!("it has a sender itself"),
        }
    }
}

/// Whether somebody wants the program to stop.
pub(crate) struct Stop(Receiver<()>);

impl Stop {
    /// Listens for Ctrl-C and SIGTERM from now on. The second one ends the program.
    pub(crate) fn listen() -> io::Result<Self> {
        let (sender, receiver) = channel();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        start("signals", move || {
            for (index, signal) in signals.forever().enumerate() {
                if index > 0 || sender.send(()).is_err() {
                    std::process::exit(128 + signal);
                }
            }
        })?;
        Ok(Self(receiver))
    }

    /// Waits for so long, or until somebody does.
    pub(crate) fn is_told_within(&self, time: Duration) -> bool {
        self.0.recv_timeout(time).is_ok()
    }
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
