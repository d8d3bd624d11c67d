//! The one error type that signals carry.

use alloc::{borrow::Cow, string::String, sync::Arc};
use core::{any::Any, error, fmt};

/// Why a stream failed: what `on_error` carries.
///
/// One pointer wide and cheap to clone, because a failure may have to reach many subscribers. It
/// has a [kind](Self::kind) to branch on, a message for people, and possibly the [error that caused
/// it](error::Error::source), which [`downcast_ref`](Self::downcast_ref) gives back with its own
/// type.
///
/// # Examples
///
/// ```
/// use reactive_streams::{Error, ErrorKind};
///
/// let error = Error::other("not a number".parse::<u8>().unwrap_err());
/// assert_eq!(error.kind(), ErrorKind::Other);
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// assert_eq!(error.to_string(), "invalid digit found in string");
///
/// let error = error.context("line 7");
/// assert_eq!(error.to_string(), "line 7: invalid digit found in string");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn Source>>,
}

/// What went wrong, in terms of the runtime rather than of the user's domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `request(0)` was called (rule 3.9).
    IllegalRequest,
    /// A publisher sent more than was asked for, or a bounded buffer could not take an item.
    Overflow,
    /// Something did not happen in time.
    Timeout,
    /// A closure, iterator, future or subscriber panicked. The message holds the panic's text.
    Panicked,
    /// A scheduler or hub takes no more work because it was shut down.
    Rejected,
    /// The other side went away without a terminal signal.
    Disconnected,
    /// Reading or writing failed. The source is the `std::io::Error`.
    Io,
    /// Input could not be decoded.
    InvalidData,
    /// The user's own error.
    Other,
}

/// An error that can also be looked at as `Any`, so that it can be downcast behind an `Arc`.
trait Source: error::Error + Send + Sync + 'static {
    fn as_any(&self) -> &dyn Any;
    fn as_error(&self) -> &(dyn error::Error + 'static);
}

impl<E: error::Error + Send + Sync + 'static> Source for E {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_error(&self) -> &(dyn error::Error + 'static) {
        self
    }
}

impl Error {
    /// An error of `kind` with a message: lower case, no period, says what would help.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: None }))
    }

    /// An error of `kind` that was caused by `source`. An empty message shows the source's.
    pub fn with_source<E>(kind: ErrorKind, message: impl Into<Cow<'static, str>>, source: E) -> Self
    where
        E: error::Error + Send + Sync + 'static,
    {
        Self(Arc::new(Inner { kind, message: message.into(), source: Some(Arc::new(source)) }))
    }

    /// The user's own error. An `Error` that went through here comes out as it was.
    pub fn other<E>(source: E) -> Self
    where
        E: error::Error + Send + Sync + 'static,
    {
        match (&source as &dyn Any).downcast_ref::<Self>() {
            Some(same) => same.clone(),
            None => Self::with_source(ErrorKind::Other, "", source),
        }
    }

    /// The user's own error, when it is only a text.
    pub fn message(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Other, message)
    }

    /// The error with which `request(0)` is answered (rule 3.9).
    #[must_use]
    pub fn illegal_request() -> Self {
        Self::new(
            ErrorKind::IllegalRequest,
            "request(0) is not allowed: ask for at least one item (rule 3.9)",
        )
    }

    /// An error of kind `Panicked` from what `catch_unwind` caught.
    #[must_use]
    pub fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&'static str>()
            .map(|text| String::from(*text))
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| String::from("a value that is not a text"));
        Self::new(ErrorKind::Panicked, alloc::format!("panicked: {text}"))
    }

    /// The same error with `context` before its message; kind and source stay.
    #[must_use]
    pub fn context(&self, context: impl fmt::Display) -> Self {
        let message = alloc::format!("{context}: {self}");
        let source = self.0.source.clone();
        Self(Arc::new(Inner { kind: self.0.kind, message: message.into(), source }))
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error that caused this one, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: error::Error + 'static>(&self) -> Option<&E> {
        // `**`: through the Arc, or the Arc itself would be looked at.
        self.0.source.as_ref().and_then(|source| (**source).as_any().downcast_ref())
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source.as_ref().map(|source| (**source).as_error())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.source {
            Some(source) if self.0.message.is_empty() => fmt::Display::fmt(source, f),
            _ => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}
