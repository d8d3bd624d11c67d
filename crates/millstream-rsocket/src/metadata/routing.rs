//! Where a request goes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::{DecodeError, Rest};

/// Tags by which a responder finds what is to answer. The first one is the route by custom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// The tags, each of at most 255 bytes.
    pub tags: Vec<String>,
}

impl Routing {
    /// One tag.
    #[must_use]
    pub fn to(route: impl Into<String>) -> Self {
        Self { tags: vec![route.into()] }
    }

    /// Reads tags up to the end of `bytes`. What is not UTF-8 becomes replacement characters.
    ///
    /// # Errors
    ///
    /// If the last tag is cut off.
    pub fn decode(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let mut rest = Rest(bytes.into());
        let mut tags = Vec::new();
        while !rest.0.is_empty() {
            let length = rest.u8()?;
            let tag = rest.take(length.into())?;
            tags.push(String::from_utf8_lossy(&tag).into_owned());
        }
        Ok(Self { tags })
    }

    /// The tags as bytes.
    ///
    /// # Panics
    ///
    /// If a tag is longer than 255 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        for tag in &self.tags {
            let length = u8::try_from(tag.len()).expect("a tag has at most 255 bytes");
            bytes.put_u8(length);
            bytes.put_slice(tag.as_bytes());
        }
        bytes.freeze()
    }
}
