//! Fragments, put together again under a bound.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::Payload;

/// What has come of a payload that arrives in fragments.
///
/// It grows with what arrives and not with what was announced, up to a bound.
#[derive(Debug)]
pub struct Reassembly {
    metadata: Option<BytesMut>,
    data: BytesMut,
    max: usize,
}

/// The payload is larger than its receiver takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// The most bytes that it takes.
    pub max: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a payload in fragments is larger than {} bytes", self.max)
    }
}

impl std::error::Error for TooLarge {}

impl Reassembly {
    /// Nothing yet, of a payload of at most `max` bytes.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { metadata: None, data: BytesMut::new(), max }
    }

    /// Appends a fragment.
    ///
    /// # Errors
    ///
    /// If the payload is larger than the bound; then the fragment was not appended.
    pub fn push(&mut self, fragment: &Payload) -> Result<(), TooLarge> {
        if self.len() + fragment.len() > self.max {
            return Err(TooLarge { max: self.max });
        }
        if let Some(part) = &fragment.metadata {
            self.metadata.get_or_insert_default().extend_from_slice(part);
        }
        self.data.extend_from_slice(&fragment.data);
        Ok(())
    }

    /// How many bytes have come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len() + self.metadata.as_ref().map_or(0, BytesMut::len)
    }

    /// Returns whether no byte has come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The payload.
    #[must_use]
    pub fn finish(self) -> Payload {
        let freeze = |bytes: BytesMut| -> Bytes { bytes.freeze() };
        Payload { metadata: self.metadata.map(freeze), data: self.data.freeze() }
    }
}
