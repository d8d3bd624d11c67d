//! Several kinds of metadata in one.

use bytes::{BufMut, Bytes, BytesMut};

use super::Mime;
use crate::frame::{DecodeError, MAX_FRAME, Rest};

/// Entries of metadata, each with its MIME type, in order. A type may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composite {
    /// The entries.
    pub entries: Vec<(Mime, Bytes)>,
}

impl Composite {
    /// No entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an entry.
    #[must_use]
    pub fn with(mut self, mime: Mime, metadata: impl Into<Bytes>) -> Self {
        self.entries.push((mime, metadata.into()));
        self
    }

    /// The first entry of this type.
    #[must_use]
    pub fn get(&self, mime: &Mime) -> Option<Bytes> {
        self.entries.iter().find(|(each, _)| each == mime).map(|(_, metadata)| metadata.clone())
    }

    /// Reads entries up to the end of `bytes`, whose slices they are.
    ///
    /// # Errors
    ///
    /// If the last entry is cut off.
    pub fn decode(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let mut rest = Rest(bytes.into());
        let mut entries = Vec::new();
        while !rest.0.is_empty() {
            let mime = Mime::read(&mut rest)?;
            let length = rest.u24()?;
            entries.push((mime, rest.take(length).map_err(|_| DecodeError::MetadataTooLong)?));
        }
        Ok(Self { entries })
    }

    /// The entries as bytes.
    ///
    /// # Panics
    ///
    /// If an entry is longer than 16 777 215 bytes, or its type is not of 1 to 128 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        for (mime, metadata) in &self.entries {
            assert!(metadata.len() <= MAX_FRAME, "an entry of metadata is too long");
            mime.write(&mut bytes);
            bytes.put_uint(metadata.len() as u64, 3);
            bytes.put_slice(metadata);
        }
        bytes.freeze()
    }
}
