//! The stream of an RSocket server.

use millstream::Error;

use super::{Stream, lines::Texts};
use crate::{RSocketSource, net::Net, rsocket::Endpoint};

/// Connects, and requests the stream when it is asked.
///
/// # Errors
///
/// The server cannot be reached.
pub(super) fn open(spec: &RSocketSource, texts: Texts, net: &Net) -> Result<Stream, Error> {
    let (endpoint, resume_for) = (Endpoint::to(&spec.connection)?, spec.resume_for);
    let requester = net.wait(async move {
        match resume_for {
            Some(time) => endpoint.connect_resumable(time.0).await,
            None => endpoint.connect().await,
        }
    })?;
    let items = requester.request_stream(spec.payload());
    let data = items.map(|payload| payload.data.to_vec());
    Ok(texts.of("item", data))
}
