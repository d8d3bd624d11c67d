//! `JsonLines`, `json_line`: values as lines of JSON.

use std::{io, marker::PhantomData};

use bytes::{Buf as _, Bytes, BytesMut};
use reactive_streams::{Error, ErrorKind};
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::codec::Decoder;

/// A decoder of lines of JSON, one value each: for [`decode_with`](super::decode_with) and
/// [`decode`](crate::Flow::decode), which bound a line's length. Empty lines are passed over, and
/// the last line needs no end.
///
/// ```
/// use millstream::bridge::JsonLines;
///
/// let chunks = millstream::from_iter(["[1,", "2]\n\n[3]"]);
/// let lists = chunks.decode(JsonLines::<Vec<u32>>::new(), 1_024);
/// assert_eq!(lists.collect::<Vec<_>>().wait()?, [vec![1, 2], vec![3]]);
/// # Ok::<(), millstream::Error>(())
/// ```
#[derive(Debug)]
pub struct JsonLines<T> {
    /// How far the buffer was searched for an end.
    n_searched: usize,
    value: PhantomData<fn() -> T>,
}

impl<T> JsonLines<T> {
    /// Of values of type `T`.
    #[must_use]
    pub fn new() -> Self {
        Self { n_searched: 0, value: PhantomData }
    }
}

impl<T> Default for JsonLines<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: DeserializeOwned> Decoder for JsonLines<T> {
    type Item = T;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<T>> {
        while let Some(n) = bytes[self.n_searched..].iter().position(|byte| *byte == b'\n') {
            let line = bytes.split_to(self.n_searched + n);
            bytes.advance(1);
            self.n_searched = 0;
            if let Some(value) = value(&line)? {
                return Ok(Some(value));
            }
        }
        self.n_searched = bytes.len();
        Ok(None)
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<T>> {
        if let Some(value) = self.decode(bytes)? {
            return Ok(Some(value));
        }
        self.n_searched = 0;
        value(&bytes.split())
    }
}

/// The value of a line, unless it is empty.
fn value<T: DeserializeOwned>(line: &[u8]) -> io::Result<Option<T>> {
    let line = line.trim_ascii();
    if line.is_empty() { Ok(None) } else { Ok(Some(serde_json::from_slice(line)?)) }
}

/// A value as a line of JSON, with its end.
///
/// ```
/// let lines = millstream::range(1..3).map(|n| millstream::bridge::json_line(&[n]))
///     .flatten_results();
/// assert_eq!(lines.collect::<Vec<_>>().wait()?, ["[1]\n", "[2]\n"]);
/// # Ok::<(), millstream::Error>(())
/// ```
///
/// # Errors
///
/// JSON has no such value, such as a map whose keys are not texts: of kind `InvalidData`.
pub fn json_line<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, Error> {
    let mut line = serde_json::to_vec(value)
        .map_err(|cause| Error::with_source(ErrorKind::InvalidData, "", cause))?;
    line.push(b'\n');
    Ok(line.into())
}
