//! One line of the protocol; `docs/book/src/tck-protocol.md` has it in words and `schema/` as a
//! schema.

use serde::{Deserialize, Serialize};

/// The version that both sides say first.
pub(super) const VERSION: u32 = 1;

/// A line: a call on a thread, the reply to one, or a notice without a thread.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Message {
    /// The thread that makes the call, or that of the call which is replied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) thread: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<Verb>,
    /// `true` for a call that returned, `false` for one that threw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) notice: Option<Notice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) case: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    /// How many items; left out for as many as are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) items: Option<u64>,
    /// Whether the publisher is to fail.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) fail: bool,
    /// How many subscribers there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subscribers: Option<u32>,
    /// How many items a processor holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) buffer: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subscriber: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subscription: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) n: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<u64>,
    /// Of an error: whether it says that a request was illegal.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) illegal: bool,
    /// Of an error: whether it is, or comes from, the one that the TCK sent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) ours: bool,
    /// Which signal is reported as processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<Verb>,
    /// What an offered item came to; left out if it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Answered>,
    /// Of a reply to `open` or `subscribe`: that there is no such subject.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) none: bool,
    /// Of a reply to `subscribe`: that the code which makes the subject failed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) harness: bool,
    /// What was thrown, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

/// What is called.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verb {
    /// Makes the subject of a case.
    Open,
    /// Does the work that is pending.
    Settle,
    /// Sees which subscribers are no longer held, and says so by notices.
    Collect,
    /// Ends a case: nothing of it is reported any more.
    End,
    Subscribe,
    OnSubscribe,
    OnNext,
    /// `on_next` whose answer counts, where the language has that.
    Offer,
    OnError,
    OnComplete,
    /// Asks a subscriber what it will request, where the language has that.
    InitialRequest,
    Request,
    Cancel,
    /// Makes a subscriber request, from outside.
    Trigger,
    /// Makes a subscriber cancel, from outside.
    Withdraw,
    /// Lets go of a subscriber.
    Drop,
    /// A subscriber has processed a signal.
    Report,
}

/// What is said without a reply.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notice {
    /// The process is alive.
    Beat,
    /// The subject no longer holds a subscriber.
    Dropped,
    /// Nobody holds a subscription any more.
    Released,
}

/// What a subscriber said to an item that was offered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answered {
    Skipped,
    Finished,
}

/// The first line of the child.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Hello {
    pub(super) hello: u32,
    /// The adapter's name and version, for messages.
    #[serde(default)]
    pub(super) adapter: String,
    #[serde(default)]
    pub(super) features: Vec<Feature>,
    pub(super) subjects: Vec<Offered>,
}

/// What not every runtime can do.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Feature {
    /// It tells when a subscriber or subscription is no longer held.
    Retention,
    /// Its signals have `offer` and `initial_request`.
    Offer,
}

/// A subject that the child can play.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Offered {
    pub(super) name: String,
    pub(super) role: Role,
    #[serde(default)]
    pub(super) capabilities: super::declared::Declared,
}

/// What a subject is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It is subscribed to.
    Publisher,
    /// It is signaled.
    Subscriber,
    /// Both.
    Processor,
}

const fn is_false(value: &bool) -> bool {
    !*value
}

impl Message {
    pub(super) fn call(verb: Verb, case: u64) -> Self {
        Self { call: Some(verb), case: Some(case), ..Self::default() }
    }

    pub(super) fn notice(notice: Notice) -> Self {
        Self { notice: Some(notice), ..Self::default() }
    }

    pub(super) fn returned() -> Self {
        Self { reply: Some(true), ..Self::default() }
    }

    pub(super) fn threw(text: impl Into<String>) -> Self {
        Self { reply: Some(false), text: Some(text.into()), ..Self::default() }
    }

    pub(super) fn has_thrown(&self) -> bool {
        self.reply == Some(false)
    }
}
