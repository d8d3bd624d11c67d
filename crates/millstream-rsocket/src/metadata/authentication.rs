//! Who asks.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::{DecodeError, Rest};

const WELL_KNOWN: u8 = 0x80;
const SIMPLE: u8 = 0x00;
const BEARER: u8 = 0x01;

/// Credentials. They are not encrypted: that is up to the transport.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authentication {
    /// A name of up to 65 535 bytes, and a password.
    Simple {
        /// The name.
        username: Bytes,
        /// The password.
        password: Bytes,
    },
    /// A token.
    Bearer(Bytes),
    /// What has no name here: its type, by number or by text, and the rest.
    Other {
        /// The number of a type that was given by number.
        number: Option<u8>,
        /// The text of one that was given by text.
        name: Bytes,
        /// What follows.
        payload: Bytes,
    },
}

impl Authentication {
    /// Reads credentials.
    ///
    /// # Errors
    ///
    /// If they are cut off.
    pub fn decode(bytes: impl Into<Bytes>) -> Result<Self, DecodeError> {
        let mut rest = Rest(bytes.into());
        let first = rest.u8()?;
        Ok(match first & !WELL_KNOWN {
            SIMPLE if first & WELL_KNOWN != 0 => {
                let length = rest.u16()?;
                Self::Simple { username: rest.take(length.into())?, password: rest.0 }
            }
            BEARER if first & WELL_KNOWN != 0 => Self::Bearer(rest.0),
            number if first & WELL_KNOWN != 0 => {
                Self::Other { number: Some(number), name: Bytes::new(), payload: rest.0 }
            }
            length => {
                let name = rest.take(length.into())?;
                Self::Other { number: None, name, payload: rest.0 }
            }
        })
    }

    /// The credentials as bytes.
    ///
    /// # Panics
    ///
    /// If a name is longer than its field: 65 535 bytes for a user, 127 for a type.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        match self {
            Self::Simple { username, password } => {
                let length = u16::try_from(username.len()).expect("a name has up to 65535 bytes");
                bytes.put_u8(WELL_KNOWN | SIMPLE);
                bytes.put_u16(length);
                bytes.put_slice(username);
                bytes.put_slice(password);
            }
            Self::Bearer(token) => {
                bytes.put_u8(WELL_KNOWN | BEARER);
                bytes.put_slice(token);
            }
            Self::Other { number: Some(number), payload, .. } => {
                bytes.put_u8(WELL_KNOWN | number);
                bytes.put_slice(payload);
            }
            Self::Other { number: None, name, payload } => {
                assert!(name.len() < 128, "a type has up to 127 bytes");
                bytes.put_u8(name.len() as u8);
                bytes.put_slice(name);
                bytes.put_slice(payload);
            }
        }
        bytes.freeze()
    }
}

/// Without the secrets.
impl fmt::Debug for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple { username, .. } => {
                f.debug_struct("Simple").field("username", username).finish_non_exhaustive()
            }
            Self::Bearer(_) => f.debug_struct("Bearer").finish_non_exhaustive(),
            Self::Other { number, name, .. } => f
                .debug_struct("Other")
                .field("number", number)
                .field("name", name)
                .finish_non_exhaustive(),
        }
    }
}
