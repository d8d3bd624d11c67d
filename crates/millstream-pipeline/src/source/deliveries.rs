//! Deliveries as records, which carry the duty to acknowledge them.

use millstream::{Error, ErrorKind, Flow, Handled, Publisher};
use millstream_pressure::{Acknowledge, Delivery};
use serde_json::Value;

use super::{Stream, lines::Texts};
use crate::{OnError, net::Net, record::Record};

/// Records of deliveries, whose payloads `read` makes values of.
///
/// One of which it cannot is rejected where such items are skipped.
pub(super) fn records<P, T, A>(
    deliveries: Flow<P>,
    texts: Texts,
    net: &Net,
    read: impl Fn(T) -> Result<Value, String> + Send + 'static,
) -> Stream
where
    P: Publisher<Item = Delivery<T, A>> + Send + 'static,
    T: Send + 'static,
    A: Acknowledge,
{
    let Texts { name, on_error, faults, clock } = texts;
    let (context, outstanding) = (name.clone(), net.outstanding());
    let records =
        deliveries.map_err(move |error| error.context(&context)).handle(move |delivery| {
            let (payload, envelope, acknowledgement) = delivery.into_parts();
            let why = match read(payload) {
                Ok(value) => {
                    let record = Record::new(value, clock.now());
                    return Handled::Pass(record.with_receipt(acknowledgement, &outstanding));
                }
                Err(why) => why,
            };
            let position = envelope.position.map_or_else(String::new, |at| format!(" {at}"));
            let why = format!("{name}: the message{position} {why}");
            match on_error {
                OnError::Skip => {
                    acknowledgement.reject(why.clone());
                    faults.note(why);
                    Handled::Skip
                }
                OnError::Fail => {
                    let why = format!("{why}; `on_error: skip` leaves it out");
                    Handled::Fail(Error::new(ErrorKind::InvalidData, why))
                }
            }
        });
    records.boxed()
}

/// The text that bytes are.
pub(super) fn text(bytes: &[u8]) -> Result<Value, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err("is not UTF-8".to_owned()),
    }
}
