//! What happened between a publisher and a subscriber, call by call.
//!
//! A trace is a list of [`Event`]s in the order in which they happened. Every call has two: one
//! when it is made and one when it returns or panics, so that nesting and overlap can be seen.
//!
//! # Text form
//!
//! One event per line, `SUBSCRIPTION THREAD MARK CALL [ARGUMENT] [#ITEM]`, where the mark is `>`
//! for made, `<` for returned, `~` for returned late, and `!` for panicked.
//! `#ITEM` tells an item from others by a number.
//! Empty lines and lines that begin with `#` are skipped.
//!
//! ```text
//! 1 0 > on_subscribe
//! 1 0 > request 2
//! 1 0 < request 2
//! 1 0 < on_subscribe
//! ```

use std::fmt;

use reactive_streams::ErrorKind;

/// The kinds of errors, by their names in the text form. An error without one is of kind `Other`.
const KINDS: &[(ErrorKind, &str)] = &[
    (ErrorKind::IllegalRequest, "illegal_request"),
    (ErrorKind::Overflow, "overflow"),
    (ErrorKind::Timeout, "timeout"),
    (ErrorKind::Panicked, "panicked"),
    (ErrorKind::Rejected, "rejected"),
    (ErrorKind::Disconnected, "disconnected"),
    (ErrorKind::Io, "io"),
    (ErrorKind::InvalidData, "invalid_data"),
];

/// The name of a kind in the text form, unless it is `Other`.
pub(crate) fn kind_name(kind: ErrorKind) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, name)| *name)
}

/// A call from one side to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// The subscriber was given to the publisher.
    Subscribe,
    /// The subscription was handed over.
    OnSubscribe,
    /// An item. On return: whether it was taken.
    OnNext(Answer),
    /// A failure of this kind.
    OnError(ErrorKind),
    /// The end.
    OnComplete,
    /// Demand for so many items.
    Request(u64),
    /// The subscriber withdrew.
    Cancel,
    /// The subscriber was dropped.
    Drop,
    /// The subscription was dropped by the subscriber.
    Release,
    /// The publisher took this demand out of the subscriber, ahead of the subscription.
    InitialRequest(u64),
    /// The publisher's stack has grown by so many bytes from item to item.
    Stack(u64),
    /// The subscriber says that it has processed a signal.
    Report(Processed),
    /// So many items were made and are neither delivered nor dropped.
    Lost(u64),
    /// Nothing more can come: rules about what must happen in the end can be judged.
    Settled,
}

/// A signal that a subscriber says to have processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processed {
    /// `on_subscribe`: it keeps the subscription.
    OnSubscribe,
    /// `on_next`, of the item that the event names.
    OnNext,
    /// `on_error`, with the error that was sent.
    OnError,
    /// `on_complete`.
    OnComplete,
}

/// What a subscriber said to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It used one unit of demand.
    Accepted,
    /// It used none.
    Skipped,
    /// It was the last one.
    Finished,
}

/// Where in its life a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The call was made.
    Made,
    /// The call returned.
    Returned,
    /// The call returned, after more time than it should take.
    Late,
    /// The call panicked.
    Panicked,
}

/// One line of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which subscription, counted from 1.
    pub subscription: u32,
    /// Which thread, counted from 0 in order of appearance.
    pub thread: u32,
    /// Made, returned or panicked.
    pub phase: Phase,
    /// The call.
    pub call: Call,
    /// Which item, for calls that carry one and where items can be told apart.
    pub item: Option<u64>,
}

impl Call {
    /// Whether the call has no duration, so that it never returns.
    #[must_use]
    pub fn is_moment(self) -> bool {
        matches!(
            self,
            Self::Drop
                | Self::Release
                | Self::Report(_)
                | Self::InitialRequest(_)
                | Self::Stack(_)
                | Self::Lost(_)
                | Self::Settled
        )
    }

    /// The call's name, as the text form has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Subscribe => "subscribe",
            Self::OnSubscribe => "on_subscribe",
            Self::OnNext(_) => "on_next",
            Self::OnError(_) => "on_error",
            Self::OnComplete => "on_complete",
            Self::Cancel => "cancel",
            Self::Drop => "drop",
            Self::Release => "release",
            Self::InitialRequest(_) => "initial_request",
            Self::Stack(_) => "stack",
            Self::Report(_) => "report",
            Self::Lost(_) => "lost",
            Self::Settled => "settled",
        }
    }
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedTrace {
    line: usize,
    reason: String,
}

impl fmt::Display for MalformedTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for MalformedTrace {}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.phase {
            Phase::Made => '>',
            Phase::Returned => '<',
            Phase::Late => '~',
            Phase::Panicked => '!',
        };
        write!(f, "{} {} {mark} ", self.subscription, self.thread)?;
        f.write_str(self.call.name())?;
        match self.call {
            Call::Request(n) | Call::InitialRequest(n) | Call::Stack(n) | Call::Lost(n) => {
                write!(f, " {n}")?
            }
            Call::OnNext(Answer::Skipped) => f.write_str(" skipped")?,
            Call::OnNext(Answer::Finished) => f.write_str(" finished")?,
            Call::OnError(kind) => {
                if let Some(name) = kind_name(kind) {
                    write!(f, " {name}")?;
                }
            }
            Call::Report(Processed::OnSubscribe) => f.write_str(" on_subscribe")?,
            Call::Report(Processed::OnNext) => f.write_str(" on_next")?,
            Call::Report(Processed::OnError) => f.write_str(" on_error")?,
            Call::Report(Processed::OnComplete) => f.write_str(" on_complete")?,
            _ => {}
        }
        self.item.map_or(Ok(()), |item| write!(f, " #{item}"))
    }
}

/// Reads the text form.
///
/// # Errors
///
/// [`MalformedTrace`] names the first line that cannot be read, and what was expected there.
pub fn parse(text: &str) -> Result<Vec<Event>, MalformedTrace> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|(index, line)| {
            parse_line(line).map_err(|reason| MalformedTrace { line: index + 1, reason })
        })
        .collect()
}

fn parse_line(line: &str) -> Result<Event, String> {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let item = match words.last().and_then(|word| word.strip_prefix('#')) {
        None => None,
        Some(number) => {
            let item = number.parse::<u64>();
            words.pop();
            Some(item.map_err(|_| format!("`#` needs the number of an item, got `{number}`"))?)
        }
    };
    let [subscription, thread, mark, call @ ..] = words.as_slice() else {
        return Err(format!("expected `SUBSCRIPTION THREAD MARK CALL`, got `{line}`"));
    };
    let number = |word: &str, what: &str| {
        word.parse::<u32>().map_err(|_| format!("{what} has to be a number, got `{word}`"))
    };
    let phase = match *mark {
        ">" => Phase::Made,
        "<" => Phase::Returned,
        "~" => Phase::Late,
        "!" => Phase::Panicked,
        other => return Err(format!("the mark has to be `>`, `<`, `~` or `!`, got `{other}`")),
    };
    let call = match call {
        ["subscribe"] => Call::Subscribe,
        ["on_subscribe"] => Call::OnSubscribe,
        ["on_next"] => Call::OnNext(Answer::Accepted),
        ["on_next", "skipped"] => Call::OnNext(Answer::Skipped),
        ["on_next", "finished"] => Call::OnNext(Answer::Finished),
        ["on_error"] => Call::OnError(ErrorKind::Other),
        ["on_error", name] => match KINDS.iter().find(|(_, known)| known == name) {
            Some((kind, _)) => Call::OnError(*kind),
            None => return Err(format!("`{name}` is no kind of error, such as `illegal_request`")),
        },
        ["on_complete"] => Call::OnComplete,
        ["request", n] => Call::Request(
            n.parse().map_err(|_| format!("`request` needs a number from 0 on, got `{n}`"))?,
        ),
        ["cancel"] => Call::Cancel,
        ["lost", n] => {
            Call::Lost(n.parse().map_err(|_| format!("`lost` needs a number of items, got `{n}`"))?)
        }
        ["initial_request", n] => Call::InitialRequest(
            n.parse().map_err(|_| format!("`initial_request` needs a number, got `{n}`"))?,
        ),
        ["stack", n] => Call::Stack(
            n.parse().map_err(|_| format!("`stack` needs a number of bytes, got `{n}`"))?,
        ),
        ["settled"] => Call::Settled,
        ["drop"] => Call::Drop,
        ["release"] => Call::Release,
        ["report", "on_subscribe"] => Call::Report(Processed::OnSubscribe),
        ["report", "on_next"] => Call::Report(Processed::OnNext),
        ["report", "on_error"] => Call::Report(Processed::OnError),
        ["report", "on_complete"] => Call::Report(Processed::OnComplete),
        other => return Err(format!("no such call: `{}`", other.join(" "))),
    };
    Ok(Event {
        subscription: number(subscription, "the subscription")?,
        thread: number(thread, "the thread")?,
        phase,
        call,
        item,
    })
}
