//! What subscribers and processors declare about themselves.

use std::time::Duration;

use crate::{
    capabilities::Sharing,
    settings::{Settings, times},
};

/// What a subscriber declares about itself. What is declared and does not hold is a failure.
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::SubscriberCapabilities;
///
/// let on_threads = SubscriberCapabilities::new().asynchronous();
/// let first_two = SubscriberCapabilities::new().takes(2);
/// # let _ = (on_threads, first_two);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SubscriberCapabilities {
    pub(crate) asynchronous: bool,
    pub(crate) takes: Option<u64>,
    pub(crate) max_length: u64,
    pub(crate) keeps_upstream: bool,
    /// For the subscriber end of a processor: whether a failure need not come out.
    pub(crate) hides_errors: bool,
    pub(crate) settings: Settings,
}

impl SubscriberCapabilities {
    /// A subscriber that does its work within the signals, and takes items without end.
    pub const fn new() -> Self {
        Self {
            asynchronous: false,
            takes: None,
            max_length: u64::MAX,
            keeps_upstream: false,
            hides_errors: false,
            settings: Settings::DEFAULT,
        }
    }

    /// It works on other threads.
    pub const fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    /// It cancels after `n` items, or answers the last one that was offered with `Finished`.
    pub const fn takes(mut self, n: u64) -> Self {
        self.takes = Some(n);
        self
    }

    /// It is sent no more than `n` items in a row; for those that take long for each.
    pub const fn max_length(mut self, n: u64) -> Self {
        self.max_length = n;
        self
    }

    /// It does not cancel when its puppet says so: a processor may keep its upstream.
    pub const fn keeps_upstream(mut self) -> Self {
        self.keeps_upstream = true;
        self
    }

    times!();
}

impl Default for SubscriberCapabilities {
    fn default() -> Self {
        Self::new()
    }
}

/// What a processor declares about itself. What is declared and does not hold is a failure.
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::ProcessorCapabilities;
///
/// let on_threads = ProcessorCapabilities::new().asynchronous();
/// let in_step = ProcessorCapabilities::new().coordinated();
/// # let _ = (on_threads, in_step);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct ProcessorCapabilities {
    pub(crate) asynchronous: bool,
    pub(crate) sharing: Sharing,
    pub(crate) coordinated: bool,
    pub(crate) recovers: bool,
    pub(crate) delays_errors: bool,
    pub(crate) keeps_upstream: bool,
    pub(crate) unbounded: bool,
    pub(crate) max_length: u64,
    pub(crate) depth: usize,
    pub(crate) settings: Settings,
}

impl ProcessorCapabilities {
    /// A synchronous processor that passes on items, errors and cancels at once, and requests no
    /// more than was requested from it and its buffer holds.
    pub const fn new() -> Self {
        Self {
            asynchronous: false,
            sharing: Sharing::Single,
            coordinated: false,
            recovers: false,
            delays_errors: false,
            keeps_upstream: false,
            unbounded: false,
            max_length: u64::MAX,
            depth: 1,
            settings: Settings::DEFAULT,
        }
    }

    /// It works on other threads.
    pub const fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    /// What several subscribers get; judged only if the subject makes processors that can be
    /// shared.
    pub const fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// Its subscribers get items in step: only what all of them have requested.
    pub const fn coordinated(mut self) -> Self {
        self.coordinated = true;
        self
    }

    /// It does not pass errors on; its upstream counts as canceled then (rule 4.2).
    pub const fn recovers(mut self) -> Self {
        self.recovers = true;
        self
    }

    /// It passes an error on only after the items that came before it, when those are requested.
    pub const fn delays_errors(mut self) -> Self {
        self.delays_errors = true;
        self
    }

    /// A cancel of its subscriber does not reach its upstream.
    pub const fn keeps_upstream(mut self) -> Self {
        self.keeps_upstream = true;
        self
    }

    /// It requests more than was requested from it and its buffer holds.
    pub const fn unbounded(mut self) -> Self {
        self.unbounded = true;
        self
    }

    /// Its ends are sent, and asked for, no more than `n` items; for those that take long for each.
    pub const fn max_length(mut self, n: u64) -> Self {
        self.max_length = n;
        self
    }

    /// How deep `on_next` may be nested in itself. Default: 1, which is not at all.
    pub const fn depth(mut self, n: usize) -> Self {
        self.depth = n;
        self
    }

    times!();
}

impl Default for ProcessorCapabilities {
    fn default() -> Self {
        Self::new()
    }
}
