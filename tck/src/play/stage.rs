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
    /// In another process.
    #[cfg(feature = "cli")]
    Remote(Away),
}

/// A subject in another process.
#[cfg(feature = "cli")]
pub(crate) struct Away {
    /// Whether it has threads of its own.
    pub(crate) has_threads: bool,
    /// Does the pending work there; for threads, sees that the process is alive.
    pub(crate) drive: Drive,
    /// Looks there for subscribers that are no longer held.
    pub(crate) collect: Drive,
}

/// A check that is being played.
pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    pub(crate) settings: Settings,
    pub(crate) mode: Mode,
}

impl Mode {
    /// Does the work that is pending, where that is driven.
    pub(crate) fn drive(&self) {
        match self {
            Self::Synchronous | Self::Threads => {}
            Self::Driven(drive) => drive(),
            #[cfg(feature = "cli")]
            Self::Remote(away) => (away.drive)(),
        }
    }

    /// What does the work that is pending, if it is driven.
    #[cfg(feature = "cli")]
    pub(crate) fn into_drive(self) -> Option<Drive> {
        match self {
            Self::Driven(drive) => Some(drive),
            _ => None,
        }
    }

    /// Whether work goes on by itself.
    fn has_threads(&self) -> bool {
        match self {
            Self::Synchronous | Self::Driven(_) => false,
            Self::Threads => true,
            #[cfg(feature = "cli")]
            Self::Remote(away) => away.has_threads,
        }
    }
}

impl Stage {
    /// Whether the subject's work runs when it is driven.
    pub(crate) fn is_driven(&self) -> bool {
        !matches!(self.mode, Mode::Synchronous) && !self.mode.has_threads()
    }

    /// Looks for subscribers that are no longer held, where that does not show by itself.
    pub(crate) fn collect(&self) {
        #[cfg(feature = "cli")]
        if let Mode::Remote(away) = &self.mode {
            (away.collect)();
        }
    }

    /// Waits until nothing more comes: not at all, until the work is done, or, where the subject
    /// has threads, until what is due has come and then for a quiet while.
    pub(crate) fn settle(&self, has_come: impl Fn(&[Event]) -> bool) {
        match &self.mode {
            Mode::Synchronous => {}
            Mode::Driven(drive) => drive(),
            #[cfg(feature = "cli")]
            Mode::Remote(away) if !away.has_threads => (away.drive)(),
            _ => loop {
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

    /// Waits until `holds`, or until nothing has happened for the deadline; does the pending work
    /// first.
    pub(crate) fn wait_until(&self, holds: impl Fn() -> bool) {
        match &self.mode {
            Mode::Synchronous => {}
            Mode::Driven(drive) => drive(),
            #[cfg(feature = "cli")]
            Mode::Remote(away) if !away.has_threads => (away.drive)(),
            _ => {
                #[cfg(feature = "cli")]
                if let Mode::Remote(away) = &self.mode {
                    (away.drive)();
                }
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
        if self.mode.has_threads() {
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
