//! What metadata and data are.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::{DecodeError, Rest};

/// A MIME type: one that has a number, or a text of 1 to 128 bytes.
///
/// A text that has a number is that number, so that types compare equal however they were sent.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mime(Kind);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    Known(u8),
    Text(Bytes),
}

/// The numbers that the protocol's extensions give to types.
const KNOWN: [(u8, &str); 49] = [
    (0x00, "application/avro"),
    (0x01, "application/cbor"),
    (0x02, "application/graphql"),
    (0x03, "application/gzip"),
    (0x04, "application/javascript"),
    (0x05, "application/json"),
    (0x06, "application/octet-stream"),
    (0x07, "application/pdf"),
    (0x08, "application/vnd.apache.thrift.binary"),
    (0x09, "application/vnd.google.protobuf"),
    (0x0a, "application/xml"),
    (0x0b, "application/zip"),
    (0x0c, "audio/aac"),
    (0x0d, "audio/mp3"),
    (0x0e, "audio/mp4"),
    (0x0f, "audio/mpeg3"),
    (0x10, "audio/mpeg"),
    (0x11, "audio/ogg"),
    (0x12, "audio/opus"),
    (0x13, "audio/vorbis"),
    (0x14, "image/bmp"),
    (0x15, "image/gif"),
    (0x16, "image/heic-sequence"),
    (0x17, "image/heic"),
    (0x18, "image/heif-sequence"),
    (0x19, "image/heif"),
    (0x1a, "image/jpeg"),
    (0x1b, "image/png"),
    (0x1c, "image/tiff"),
    (0x1d, "multipart/mixed"),
    (0x1e, "text/css"),
    (0x1f, "text/csv"),
    (0x20, "text/html"),
    (0x21, "text/plain"),
    (0x22, "text/xml"),
    (0x23, "video/H264"),
    (0x24, "video/H265"),
    (0x25, "video/VP8"),
    (0x26, "application/x-hessian"),
    (0x27, "application/x-java-object"),
    (0x28, "application/cloudevents+json"),
    (0x29, "application/x-capnp"),
    (0x2a, "application/x-flatbuffers"),
    (0x7a, "message/x.rsocket.mime-type.v0"),
    (0x7b, "message/x.rsocket.accept-mime-types.v0"),
    (0x7c, "message/x.rsocket.authentication.v0"),
    (0x7d, "message/x.rsocket.tracing-zipkin.v0"),
    (0x7e, "message/x.rsocket.routing.v0"),
    (0x7f, "message/x.rsocket.composite-metadata.v0"),
];

impl Mime {
    /// CBOR.
    pub const CBOR: Self = Self(Kind::Known(0x01));
    /// JSON.
    pub const JSON: Self = Self(Kind::Known(0x05));
    /// Bytes.
    pub const OCTET_STREAM: Self = Self(Kind::Known(0x06));
    /// Protocol Buffers.
    pub const PROTOBUF: Self = Self(Kind::Known(0x09));
    /// Text.
    pub const TEXT: Self = Self(Kind::Known(0x21));
    /// The type of the data of one stream.
    pub const MIME_TYPE: Self = Self(Kind::Known(0x7a));
    /// The types of data that a requester takes.
    pub const ACCEPT_MIME_TYPES: Self = Self(Kind::Known(0x7b));
    /// [`Authentication`](super::Authentication).
    pub const AUTHENTICATION: Self = Self(Kind::Known(0x7c));
    /// Zipkin's context of a trace.
    pub const TRACING_ZIPKIN: Self = Self(Kind::Known(0x7d));
    /// [`Routing`](super::Routing).
    pub const ROUTING: Self = Self(Kind::Known(0x7e));
    /// [`Composite`](super::Composite).
    pub const COMPOSITE: Self = Self(Kind::Known(0x7f));

    /// The text, if the type has one: a number that has no name here does not.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Kind::Known(number) => {
                KNOWN.iter().find(|(each, _)| each == number).map(|(_, text)| *text)
            }
            Kind::Text(text) => std::str::from_utf8(text).ok(),
        }
    }

    fn of(text: Bytes) -> Self {
        match KNOWN.iter().find(|(_, each)| each.as_bytes() == text) {
            Some((number, _)) => Self(Kind::Known(*number)),
            None => Self(Kind::Text(text)),
        }
    }

    /// Reads a type as composite metadata has it: a number, or one less than a length, and a text.
    pub(super) fn read(rest: &mut Rest) -> Result<Self, DecodeError> {
        let first = rest.u8()?;
        if first & 0x80 != 0 {
            return Ok(Self(Kind::Known(first & 0x7F)));
        }
        Ok(Self::of(rest.take(usize::from(first) + 1)?))
    }

    pub(super) fn write(&self, into: &mut BytesMut) {
        match &self.0 {
            Kind::Known(number) => into.put_u8(0x80 | number),
            Kind::Text(text) => {
                assert!((1..=128).contains(&text.len()), "a MIME type has 1 to 128 bytes");
                into.put_u8(text.len() as u8 - 1);
                into.put_slice(text);
            }
        }
    }
}

impl From<&'static str> for Mime {
    fn from(text: &'static str) -> Self {
        Self::of(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Mime {
    fn from(text: String) -> Self {
        Self::of(text.into())
    }
}

impl fmt::Debug for Mime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.as_str()) {
            (_, Some(text)) => write!(f, "Mime({text})"),
            (Kind::Known(number), None) => write!(f, "Mime({number:#04x})"),
            (Kind::Text(text), None) => write!(f, "Mime({text:?})"),
        }
    }
}

/// Reads a list of types: those of [`Mime::MIME_TYPE`] and [`Mime::ACCEPT_MIME_TYPES`].
///
/// # Errors
///
/// If the last type is cut off.
pub fn decode_mimes(bytes: impl Into<Bytes>) -> Result<Vec<Mime>, DecodeError> {
    let mut rest = Rest(bytes.into());
    let mut mimes = Vec::new();
    while !rest.0.is_empty() {
        mimes.push(Mime::read(&mut rest)?);
    }
    Ok(mimes)
}

/// A list of types as bytes.
///
/// # Panics
///
/// If the text of a type is not of 1 to 128 bytes.
#[must_use]
pub fn encode_mimes(mimes: &[Mime]) -> Bytes {
    let mut bytes = BytesMut::new();
    for mime in mimes {
        mime.write(&mut bytes);
    }
    bytes.freeze()
}
