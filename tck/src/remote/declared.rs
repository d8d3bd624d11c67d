//! What a subject in another process declares: by itself, in a file, or by flags.

use std::{path::Path, time::Duration};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::{
    capabilities::{AfterCancel, Capabilities, Numbering, Sharing},
    subject::{ProcessorCapabilities, SubscriberCapabilities},
};

/// No more items are asked for or sent in one case, and no more calls made in a row: each of them
/// is a message and its reply. What recurses has come to the end of its stack before.
const MOST: u64 = 10_000;

/// What is declared; what is left out is as [`Capabilities`] and the like have it.
#[derive(Args, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Declared {
    /// It signals from threads of its own
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asynchronous: Option<bool>,
    /// It cannot have, or is sent, no more than this many items
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_length: Option<u64>,
    /// It has this many items, whatever it is asked for
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exact_length: Option<u64>,
    /// It has items without end
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endless: Option<bool>,
    /// It does not complete after its last item
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) never_completes: Option<bool>,
    /// It sends no item, but an error
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fails: Option<bool>,
    /// How deep `on_next` may be nested in itself
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) depth: Option<usize>,
    /// What several subscribers get
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sharing: Option<Sharing>,
    /// What may still come once `cancel` was called
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after_cancel: Option<AfterCancel>,
    /// How its items are numbered
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) numbering: Option<Numbering>,
    /// A subscriber that cancels after this many items
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) takes: Option<u64>,
    /// A subscriber that is judged from outside alone
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) black_box: Option<bool>,
    /// A subscriber that reports by itself what it has processed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reports: Option<bool>,
    /// A cancel does not reach the upstream
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keeps_upstream: Option<bool>,
    /// A processor whose subscribers get items in step
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) coordinated: Option<bool>,
    /// A processor that does not pass errors on
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recovers: Option<bool>,
    /// A processor that passes an error on after the items before it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delays_errors: Option<bool>,
    /// A processor that requests more than it was asked for and can hold
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unbounded: Option<bool>,
    /// What its subscriber throws comes out of the call that led to the signal
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rethrows: Option<bool>,
    /// How long what is due may take by itself, in milliseconds
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deadline_ms: Option<u64>,
    /// How long to listen for what must not come, in milliseconds
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quiet_ms: Option<u64>,
    /// How long a call may take, in milliseconds
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget_ms: Option<u64>,
    /// How many random scripts are played
    #[arg(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cases: Option<u64>,
}

/// Takes, for each field, the first that says something.
macro_rules! first_of {
    ($a:expr, $b:expr, $($field:ident)*) => {
        Declared { $($field: $a.$field.or($b.$field),)* }
    };
}

impl Declared {
    /// Reads a file in TOML.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or says something that is not known.
    pub fn read(path: &Path) -> Result<Self, String> {
        let named = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
        toml::from_str(&text).map_err(|error| named(error.to_string()))
    }

    /// What this says, and where it says nothing, what `other` says.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        first_of!(self, other, asynchronous max_length exact_length endless never_completes fails depth sharing
            after_cancel numbering takes black_box reports keeps_upstream coordinated recovers delays_errors
            unbounded rethrows deadline_ms quiet_ms budget_ms cases)
    }

    pub(super) fn publisher(&self) -> Capabilities {
        let mut its = Capabilities::new();
        its.max_length = self.max_length.unwrap_or(its.max_length).min(MOST);
        its.exact_length =
            if self.endless == Some(true) { Some(u64::MAX) } else { self.exact_length };
        its.most_calls = MOST as u32;
        its.completes = self.never_completes != Some(true);
        its.fails = self.fails == Some(true);
        its.asynchronous = self.asynchronous == Some(true);
        its.depth = self.depth.unwrap_or(its.depth);
        its.sharing = self.sharing.unwrap_or(its.sharing);
        its.rethrows = self.rethrows == Some(true);
        its.after_cancel = self.after_cancel.unwrap_or(its.after_cancel);
        its.numbering = Some(self.numbering.unwrap_or(Numbering::Consecutive));
        self.times(&mut its.settings);
        its
    }

    pub(super) fn subscriber(&self) -> SubscriberCapabilities {
        let mut its = SubscriberCapabilities::new();
        its.asynchronous = self.asynchronous == Some(true);
        its.takes = self.takes;
        its.max_length = self.max_length.unwrap_or(its.max_length).min(MOST);
        its.keeps_upstream = self.keeps_upstream == Some(true);
        self.times(&mut its.settings);
        its
    }

    pub(super) fn processor(&self) -> ProcessorCapabilities {
        let mut its = ProcessorCapabilities::new();
        its.asynchronous = self.asynchronous == Some(true);
        its.sharing = self.sharing.unwrap_or(its.sharing);
        its.coordinated = self.coordinated == Some(true);
        its.recovers = self.recovers == Some(true);
        its.delays_errors = self.delays_errors == Some(true);
        its.keeps_upstream = self.keeps_upstream == Some(true);
        its.unbounded = self.unbounded == Some(true);
        its.max_length = self.max_length.unwrap_or(its.max_length).min(MOST);
        its.depth = self.depth.unwrap_or(its.depth);
        self.times(&mut its.settings);
        its
    }

    fn times(&self, settings: &mut crate::settings::Settings) {
        let ms = Duration::from_millis;
        settings.deadline = self.deadline_ms.map_or(settings.deadline, ms);
        settings.quiet = self.quiet_ms.map_or(settings.quiet, ms);
        settings.budget = self.budget_ms.map_or(settings.budget, ms);
        settings.cases = self.cases.unwrap_or(settings.cases);
    }

    /// What a publisher declares, for the process that hosts it.
    pub(super) fn of_publisher(its: &Capabilities) -> Self {
        Self {
            asynchronous: Some(its.asynchronous),
            max_length: Some(its.max_length),
            exact_length: its.exact_length,
            never_completes: Some(!its.completes),
            fails: Some(its.fails),
            depth: Some(its.depth),
            sharing: Some(its.sharing),
            after_cancel: Some(its.after_cancel),
            numbering: Some(its.numbering.unwrap_or_default()),
            ..Self::of_times(&its.settings)
        }
    }

    /// What a subscriber declares, for the process that hosts it.
    pub(super) fn of_subscriber(its: &SubscriberCapabilities, reports: bool) -> Self {
        Self {
            asynchronous: Some(its.asynchronous),
            takes: its.takes,
            max_length: Some(its.max_length),
            keeps_upstream: Some(its.keeps_upstream),
            black_box: Some(!reports),
            reports: Some(reports),
            ..Self::of_times(&its.settings)
        }
    }

    /// What a processor declares, for the process that hosts it.
    pub(super) fn of_processor(its: &ProcessorCapabilities) -> Self {
        Self {
            asynchronous: Some(its.asynchronous),
            sharing: Some(its.sharing),
            coordinated: Some(its.coordinated),
            recovers: Some(its.recovers),
            delays_errors: Some(its.delays_errors),
            keeps_upstream: Some(its.keeps_upstream),
            unbounded: Some(its.unbounded),
            max_length: Some(its.max_length),
            depth: Some(its.depth),
            ..Self::of_times(&its.settings)
        }
    }

    fn of_times(settings: &crate::settings::Settings) -> Self {
        let ms = |time: Duration| u64::try_from(time.as_millis()).ok();
        Self {
            deadline_ms: ms(settings.deadline),
            quiet_ms: ms(settings.quiet),
            budget_ms: ms(settings.budget),
            cases: Some(settings.cases),
            ..Self::default()
        }
    }
}
