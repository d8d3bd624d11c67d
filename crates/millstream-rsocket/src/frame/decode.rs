//! Bytes to frames.

use std::fmt;

use bytes::{Buf, Bytes};

use super::{Body, Frame, HEAD, MAX_FRAME, MAX_U31, Resume, Setup, flags, types};
use crate::{ErrorCode, Payload};

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The frame ends before what its layout has to contain.
    Truncated,
    /// The metadata is longer than the frame.
    MetadataTooLong,
    /// A number of 31 or 63 bits has its reserved bit set.
    Reserved,
    /// The frame is longer than its length could say.
    TooLong,
    /// A type that the protocol does not have, in a frame that must not be ignored.
    UnknownType(u8),
    /// Text, where a transport carries frames as binary messages.
    Text,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the frame is cut off"),
            Self::MetadataTooLong => f.write_str("the metadata is longer than the frame"),
            Self::Reserved => f.write_str("a reserved bit is set"),
            Self::TooLong => write!(f, "the frame is longer than {MAX_FRAME} bytes"),
            Self::Text => f.write_str("a frame is no text"),
            Self::UnknownType(number) => write!(f, "there is no frame of type {number:#04x}"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl Frame {
    /// Reads one frame, without the length before it. Its payload is slices of `bytes`.
    ///
    /// Flags that the type does not have are ignored.
    ///
    /// # Errors
    ///
    /// If the bytes are no frame; nothing is kept of them.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_FRAME {
            return Err(DecodeError::TooLong);
        }
        let Some((&[a, b, c, d, high, low], _)) = bytes.split_first_chunk() else {
            return Err(DecodeError::Truncated);
        };
        let stream = u31(u32::from_be_bytes([a, b, c, d]))?;
        let word = u16::from_be_bytes([high, low]);
        let (frame_type, flags) = ((word >> 10) as u8, word & 0x3FF);
        let mut rest = Rest(bytes);
        rest.0.advance(HEAD);
        if frame_type == types::PAYLOAD && flags & flags::METADATA == 0 {
            // Most frames are these, and all that is left of them is data.
            return Ok(Self { stream, body: rest.item(flags, None) });
        }
        let is = |flag: u16| flags & flag != 0;
        let follows = is(flags::FOLLOWS);
        let body = match frame_type {
            types::SETUP => Body::Setup(Box::new(rest.setup(flags)?)),
            types::LEASE => Body::Lease {
                ttl_ms: rest.u31()?,
                n_requests: rest.u31()?,
                metadata: is(flags::METADATA).then(|| rest.all()),
            },
            types::KEEPALIVE => Body::KeepAlive {
                respond: is(flags::RESPOND),
                position: rest.u63()?,
                data: rest.all(),
            },
            types::REQUEST_RESPONSE => {
                Body::RequestResponse { follows, payload: rest.payload(flags)? }
            }
            types::REQUEST_FNF => Body::RequestFnf { follows, payload: rest.payload(flags)? },
            types::REQUEST_STREAM => Body::RequestStream {
                initial_n: rest.u31()?,
                follows,
                payload: rest.payload(flags)?,
            },
            types::REQUEST_CHANNEL => Body::RequestChannel {
                initial_n: rest.u31()?,
                follows,
                complete: is(flags::COMPLETE),
                payload: rest.payload(flags)?,
            },
            types::REQUEST_N => Body::RequestN(rest.u31()?),
            types::CANCEL => Body::Cancel,
            types::PAYLOAD => {
                let metadata = rest.metadata()?;
                rest.item(flags, Some(metadata))
            }
            types::ERROR => Body::Error { code: ErrorCode(rest.u32()?), data: rest.all() },
            types::METADATA_PUSH => Body::MetadataPush(rest.all()),
            types::RESUME => Body::Resume(Resume {
                version: (rest.u16()?, rest.u16()?),
                token: rest.behind_u16()?,
                last_received: rest.u63()?,
                first_available: rest.u63()?,
            }),
            types::RESUME_OK => Body::ResumeOk { position: rest.u63()? },
            types::EXTENSION => Body::Extension {
                ignore: is(flags::IGNORE),
                extended_type: rest.u31()?,
                payload: rest.payload(flags)?,
            },
            frame_type if is(flags::IGNORE) => Body::Unknown { frame_type },
            frame_type => return Err(DecodeError::UnknownType(frame_type)),
        };
        Ok(Self { stream, body })
    }
}

fn u31(number: u32) -> Result<u32, DecodeError> {
    if number > MAX_U31 { Err(DecodeError::Reserved) } else { Ok(number) }
}

/// What is left to read of a frame.
pub(crate) struct Rest(pub(crate) Bytes);

impl Rest {
    pub(crate) fn take(&mut self, n: usize) -> Result<Bytes, DecodeError> {
        if n > self.0.len() { Err(DecodeError::Truncated) } else { Ok(self.0.split_to(n)) }
    }

    fn all(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        self.0.try_get_u8().map_err(|_| DecodeError::Truncated)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.0.try_get_u16().map_err(|_| DecodeError::Truncated)
    }

    pub(crate) fn u24(&mut self) -> Result<usize, DecodeError> {
        let number = self.0.try_get_uint(3).map_err(|_| DecodeError::Truncated)?;
        Ok(number as usize)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.0.try_get_u32().map_err(|_| DecodeError::Truncated)
    }

    fn u31(&mut self) -> Result<u32, DecodeError> {
        u31(self.u32()?)
    }

    fn u63(&mut self) -> Result<u64, DecodeError> {
        let number = self.0.try_get_u64().map_err(|_| DecodeError::Truncated)?;
        if number > i64::MAX as u64 { Err(DecodeError::Reserved) } else { Ok(number) }
    }

    fn behind_u8(&mut self) -> Result<Bytes, DecodeError> {
        let length = self.u8()?;
        self.take(length.into())
    }

    fn behind_u16(&mut self) -> Result<Bytes, DecodeError> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// Metadata behind its length, if the flag says that there is some, and data up to the end.
    fn payload(&mut self, flags: u16) -> Result<Payload, DecodeError> {
        let metadata = match flags & flags::METADATA {
            0 => None,
            _ => Some(self.metadata()?),
        };
        Ok(Payload { metadata, data: self.all() })
    }

    fn metadata(&mut self) -> Result<Bytes, DecodeError> {
        let length = self.u24()?;
        self.take(length).map_err(|_| DecodeError::MetadataTooLong)
    }

    /// A PAYLOAD with this metadata, and data up to the end.
    #[inline]
    fn item(self, flags: u16, metadata: Option<Bytes>) -> Body {
        Body::Payload {
            follows: flags & flags::FOLLOWS != 0,
            complete: flags & flags::COMPLETE != 0,
            next: flags & flags::NEXT != 0,
            payload: Payload { metadata, data: self.0 },
        }
    }

    fn setup(&mut self, flags: u16) -> Result<Setup, DecodeError> {
        Ok(Setup {
            version: (self.u16()?, self.u16()?),
            keep_alive_ms: self.u31()?,
            max_lifetime_ms: self.u31()?,
            resume_token: match flags & flags::RESUME {
                0 => None,
                _ => Some(self.behind_u16()?),
            },
            lease: flags & flags::LEASE != 0,
            metadata_mime: self.behind_u8()?,
            data_mime: self.behind_u8()?,
            payload: self.payload(flags)?,
        })
    }
}
