//! Items to a service over HTTP.

use millstream::{Error, ErrorKind};
use serde_json::Value;

use crate::{HttpSink, client::Client};

pub(super) fn open(spec: &HttpSink) -> Result<Client, Error> {
    let target = spec.target().map_err(|why| Error::new(ErrorKind::InvalidData, why))?;
    Client::new(target, spec.timeout.0)
}

pub(super) async fn send(client: &Client, value: &Value) -> Result<(), Error> {
    let answer = client.send(None, Some(value)).await?;
    let Some((kind, why)) = answer.fault() else { return Ok(()) };
    if let Some(wait) = answer.retry_after.filter(|_| kind == ErrorKind::Disconnected) {
        // It is sent again by the caller, who knows for how long.
        tokio::time::sleep(wait).await;
    }
    Err(client.failed(kind, &why))
}
