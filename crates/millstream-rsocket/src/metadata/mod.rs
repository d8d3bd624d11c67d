//! What metadata says: composite metadata, routing, authentication and MIME types.
//!
//! ```
//! use millstream_rsocket::metadata::{Composite, Mime, Routing};
//!
//! let metadata = Composite::new()
//!     .with(Mime::ROUTING, Routing::to("orders.stream").to_bytes())
//!     .with(Mime::from("application/x.trace"), "a1b2");
//! let bytes = metadata.to_bytes();
//!
//! let read = Composite::decode(bytes)?;
//! let route = Routing::decode(read.get(&Mime::ROUTING).unwrap_or_default())?;
//! assert_eq!(route.tags, ["orders.stream"]);
//! # Ok::<(), millstream_rsocket::frame::DecodeError>(())
//! ```

mod authentication;
mod composite;
mod mime;
mod routing;

pub use authentication::Authentication;
pub use composite::Composite;
pub use mime::{Mime, decode_mimes, encode_mimes};
pub use routing::Routing;
