//! What streams carry.

use std::fmt;

use bytes::Bytes;

/// Data, and metadata beside it if there is any.
///
/// Both are slices of the buffer that they were read into, so a clone copies nothing. A small
/// payload that is kept for long keeps that buffer: copy it out with [`detached`](Self::detached).
///
/// ```
/// use millstream_rsocket::Payload;
///
/// let payload = Payload::from("data").with_metadata("beside it");
/// assert_eq!(payload.data, "data");
/// assert_eq!(payload.len(), 13);
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Payload {
    /// Metadata, which may be there and empty.
    pub metadata: Option<Bytes>,
    /// The data, which may be empty.
    pub data: Bytes,
}

impl Payload {
    /// Data alone.
    #[must_use]
    pub fn new(data: impl Into<Bytes>) -> Self {
        Self { metadata: None, data: data.into() }
    }

    /// The same data with this metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<Bytes>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// The number of bytes of data and metadata.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len() + self.metadata.as_ref().map_or(0, Bytes::len)
    }

    /// How many bytes it has in a frame.
    pub(crate) fn encoded_len(&self) -> usize {
        self.metadata.as_ref().map_or(0, |metadata| 3 + metadata.len()) + self.data.len()
    }

    /// Returns whether there is no byte of data or metadata.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy that shares no buffer with anything.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            metadata: self.metadata.as_deref().map(Bytes::copy_from_slice),
            data: Bytes::copy_from_slice(&self.data),
        }
    }
}

impl<D: Into<Bytes>> From<D> for Payload {
    fn from(data: D) -> Self {
        Self::new(data)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Payload");
        if let Some(metadata) = &self.metadata {
            debug.field("metadata", metadata);
        }
        debug.field("data", &self.data).finish()
    }
}
