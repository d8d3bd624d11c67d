//! From items to bytes and back.

use std::error::Error;

/// What a codec says when it fails.
pub type CodecError = Box<dyn Error + Send + Sync>;

/// Writes items as bytes, and reads them back.
///
/// Both run on the thread that does the disk's work. A panic in either counts as an error of it.
pub trait Codec: Send + Sync + 'static {
    /// What is written.
    type Item: Send + 'static;

    /// Appends `item` to `out`, in which other bytes may stand already.
    ///
    /// # Errors
    ///
    /// The item cannot be written: its sender gets it back.
    fn encode(&self, item: &Self::Item, out: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads what [`encode`](Self::encode) appended.
    ///
    /// # Errors
    ///
    /// These bytes are no item: the receiver is told, and goes on behind it.
    fn decode(&self, bytes: &[u8]) -> Result<Self::Item, CodecError>;
}

/// Bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytes;

impl Codec for Bytes {
    type Item = Vec<u8>;

    fn encode(&self, item: &Vec<u8>, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(item);
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
        Ok(bytes.to_vec())
    }
}

/// Text, as UTF-8.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text;

impl Codec for Text {
    type Item = String;

    fn encode(&self, item: &String, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(item.as_bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, CodecError> {
        Ok(std::str::from_utf8(bytes)?.to_owned())
    }
}

/// Numbers, in eight bytes, the lowest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct U64;

impl Codec for U64 {
    type Item = u64;

    fn encode(&self, item: &u64, out: &mut Vec<u8>) -> Result<(), CodecError> {
        out.extend_from_slice(&item.to_le_bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<u64, CodecError> {
        Ok(u64::from_le_bytes(bytes.try_into()?))
    }
}

/// Whatever serde can write and read, as JSON.
#[cfg(feature = "serde")]
pub struct Json<T>(std::marker::PhantomData<fn() -> T>);

#[cfg(feature = "serde")]
impl<T> Json<T> {
    /// The codec.
    #[must_use]
    pub const fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

#[cfg(feature = "serde")]
impl<T> Default for Json<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "serde")]
impl<T> std::fmt::Debug for Json<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Json")
    }
}

#[cfg(feature = "serde")]
impl<T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static> Codec for Json<T> {
    type Item = T;

    fn encode(&self, item: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
        Ok(serde_json::to_writer(out, item)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<T, CodecError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}
