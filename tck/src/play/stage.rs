//! What a check's situation is played with: the recorder, the times, and how work goes on.

use crate::{play::clock, play::probe::Recorder, settings::Settings, trace::Event};

/// Runs the work that a subject has pending, until there is none.
pub type Drive = Box<dyn Fn() + Send>;

/// Where work of the subject runs.
pub(crate) enum Mode {
    /// In the calls that are made to it: when they have returned, nothing more comes.
    Synchronous,
    /// When it is driven.
    Driven(Drive),
    /// On threads of its own.
    Threads,
}

/// A check that is being played.
pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    pub(crate) settings: Settings,
    pub(crate) mode: Mode,
}

impl Stage {
    /// Whether the subject's work runs when it is driven.
    pub(crate) fn is_driven(&self) -> bool {
        matches!(self.mode, Mode::Driven(_))
    }

    /// Waits until nothing more comes: not at all, until the work is done, or, where the subject has
    /// threads, until what is due has come and then for a quiet while.
    pub(crate) fn settle(&self, has_come: impl Fn(&[Event]) -> bool) {
        match &self.mode {
            Mode::Synchronous => {}
            Mode::Driven(drive) => drive(),
            Mode::Threads => loop {
                let has_come = || has_come(&self.recorder.events());
                self.wait_until(has_come);
                let had_come = has_come();
                clock::pause(self.settings.quiet);
                // What came meanwhile may have made more due.
                if !had_come || has_come() {
                    return;
                }
            },
        }
    }

    /// Waits until `holds`, or until nothing has happened for the deadline; does the pending work first.
    pub(crate) fn wait_until(&self, holds: impl Fn() -> bool) {
        match &self.mode {
            Mode::Synchronous => {}
            Mode::Driven(drive) => drive(),
            Mode::Threads => {
                let count = || self.recorder.n_events();
                let Settings { deadline, .. } = self.settings;
                if clock::wait_for_progress(deadline, self.settings.most(), count, holds) {
                    self.recorder.note_slow();
                }
            }
        }
    }

    /// Waits for a quiet while in which nothing is recorded, or until `holds`, at most until the
    /// deadline; does the pending work first.
    pub(crate) fn calm(&self, holds: impl Fn() -> bool) {
        self.wait_until(|| true);
        if let Mode::Threads = self.mode {
            let quiet = self.settings.quiet;
            clock::wait_until_quiet(
                self.settings.most(),
                quiet,
                || self.recorder.n_events(),
                holds,
            );
        }
    }
}
