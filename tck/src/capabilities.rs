//! What a publisher declares about itself.

use std::time::Duration;

use crate::settings::{Settings, times};

/// What a publisher declares about itself. What is declared and does not hold is a failure.
///
/// # Examples
///
/// ```
/// use reactive_streams_tck::Capabilities;
///
/// let of_one = Capabilities::new().max_length(1);
/// let on_threads = Capabilities::new().asynchronous();
/// let never = Capabilities::new().exact_length(0).never_completes();
/// # let _ = (of_one, on_threads, never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Capabilities {
    pub(crate) max_length: u64,
    pub(crate) exact_length: Option<u64>,
    pub(crate) completes: bool,
    pub(crate) fails: bool,
    pub(crate) asynchronous: bool,
    pub(crate) depth: usize,
    pub(crate) sharing: Sharing,
    pub(crate) after_cancel: AfterCancel,
    /// How the items are numbered; `None` where that follows from their type.
    pub(crate) numbering: Option<Numbering>,
    /// Whether it can be told that a subscriber is no longer held.
    pub(crate) retention: bool,
    /// Whether that is looked for when nothing more comes.
    pub(crate) collected: bool,
    /// Whether its signals have `offer` and `initial_request`.
    pub(crate) offers: bool,
    /// Whether what its subscriber throws comes out of the call that led to the signal (rule 2.13).
    pub(crate) rethrows: bool,
    /// How often a check calls it in a row at most.
    pub(crate) most_calls: u32,
    pub(crate) settings: Settings,
}

/// What several subscribers of one publisher get (rule 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum, serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "kebab-case"))]
pub enum Sharing {
    /// A publisher serves one subscriber, and rejects the others: `on_subscribe`, then `on_error`.
    Single,
    /// Each subscriber gets all items.
    Each,
    /// All subscribers get the same items in the same order, from the time they subscribe.
    Multicast,
    /// Each item goes to one of the subscribers.
    Split,
}

/// How the items of a publisher are numbered, so that a lost, repeated or reordered one is found
/// (rule R.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum, serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "kebab-case"))]
pub enum Numbering {
    /// In no way that is known.
    #[default]
    Any,
    /// Each number is one more than the number before.
    Consecutive,
    /// 0, 1, 2 and so on.
    FromZero,
}

/// What may still come once `cancel` was called (rule 1.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum, serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "kebab-case"))]
pub enum AfterCancel {
    /// Nothing that begins after `cancel` has returned, unless another thread is just about to
    /// send.
    /// Not for publishers with threads of their own, which cannot keep it.
    Nothing,
    /// What is on its way: items that were requested, and the end; but nothing from within
    /// `cancel`.
    #[default]
    OnItsWay,
    /// As before, and `cancel` itself may end the stream.
    Terminal,
}

impl Capabilities {
    /// A synchronous publisher of any number of items that completes.
    pub const fn new() -> Self {
        Self {
            max_length: u64::MAX,
            exact_length: None,
            completes: true,
            fails: false,
            asynchronous: false,
            depth: 1,
            sharing: Sharing::Each,
            after_cancel: AfterCancel::OnItsWay,
            numbering: None,
            retention: true,
            collected: false,
            offers: true,
            rethrows: false,
            most_calls: u32::MAX,
            settings: Settings::DEFAULT,
        }
    }

    /// It cannot have more than `n` items.
    pub const fn max_length(mut self, n: u64) -> Self {
        self.max_length = n;
        self
    }

    /// It has `n` items, whatever it is asked for; `u64::MAX` means that it never ends.
    pub const fn exact_length(mut self, n: u64) -> Self {
        self.exact_length = Some(n);
        self
    }

    /// It does not complete after its last item.
    pub const fn never_completes(mut self) -> Self {
        self.completes = false;
        self
    }

    /// It sends no item, but an error, at the latest when something is requested.
    pub const fn fails(mut self) -> Self {
        self.fails = true;
        self
    }

    /// It signals from other threads.
    pub const fn asynchronous(mut self) -> Self {
        self.asynchronous = true;
        self
    }

    /// How deep `on_next` may be nested in itself. Default: 1, which is not at all.
    pub const fn depth(mut self, n: usize) -> Self {
        self.depth = n;
        self
    }

    /// What several subscribers get; judged only if the subject makes publishers that can be
    /// shared.
    pub const fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = sharing;
        self
    }

    /// What may still come once `cancel` was called. Default: what is on its way.
    pub const fn after_cancel(mut self, policy: AfterCancel) -> Self {
        self.after_cancel = policy;
        self
    }

    /// How its items are numbered (rule R.3). Default: [`Numbering::Consecutive`] for what a
    /// closure makes if the items are `u64` or [`Item`](crate::reference::Item), and otherwise
    /// [`Numbering::Any`].
    pub const fn numbering(mut self, numbering: Numbering) -> Self {
        self.numbering = Some(numbering);
        self
    }

    /// How many items a publisher has that was asked for so many.
    pub(crate) fn length(&self, wanted: u64) -> u64 {
        self.exact_length.unwrap_or(wanted.min(self.max_length))
    }

    times!();

    /// How many random scripts are played. Default: 64.
    pub const fn cases(mut self, n: u64) -> Self {
        self.settings.cases = n;
        self
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::new()
    }
}
