//! `Envelope`: what a system says about a delivery, besides its payload.

use std::{fmt, sync::Arc, time::SystemTime};

use bytes::Bytes;

/// What a system says about a delivery. What a system does not say is `None`, or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Deliveries of one key belong together: a record's key, a message's subject.
    pub key: Option<Bytes>,
    /// Names and values, in their order.
    pub headers: Headers,
    /// When it was put into the system, by the system's clock.
    pub time: Option<SystemTime>,
    /// Where it stands in its system.
    pub position: Option<Position>,
    /// 1 if it was not delivered before, and 0 where the system does not count.
    pub attempt: u32,
}

/// Where a delivery stands: which of a system's sequences it is in, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// The sequence: a stream, a partition of a topic.
    pub sequence: Arc<str>,
    /// Its number there.
    pub offset: u64,
    /// Its number among those with the same offset, in systems whose positions are two numbers,
    /// such as a time and a count; 0 in others.
    pub minor: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.sequence, self.offset)?;
        if self.minor == 0 { Ok(()) } else { write!(f, "-{}", self.minor) }
    }
}

/// Names and values; a name may occur several times. An empty one allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Arc<str>, Bytes)>);

impl Headers {
    /// Adds a value.
    pub fn add(&mut self, name: impl Into<Arc<str>>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first value of a name, whose case counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.iter().find(|(each, _)| *each == name).map(|(_, value)| value)
    }

    /// Names and values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<Arc<str>>, V: Into<Bytes>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
