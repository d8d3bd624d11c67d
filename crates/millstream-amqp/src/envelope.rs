//! What the broker says about a message, and headers both ways.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lapin::{
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use millstream_pressure::{Envelope, Headers};

/// The envelope of a delivery: its routing key is the key.
pub(crate) fn envelope(delivery: &Delivery) -> Envelope {
    let properties = &delivery.properties;
    let table = properties.headers().as_ref();
    let mut headers = table.map(headers_of).unwrap_or_default();
    let named = [
        ("content-type", properties.content_type()),
        ("message-id", properties.message_id()),
        ("correlation-id", properties.correlation_id()),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            headers.add(name, value.as_str().to_owned());
        }
    }
    let time = properties.timestamp().map(Duration::from_secs);
    Envelope {
        key: Some(Bytes::copy_from_slice(delivery.routing_key.as_str().as_bytes())),
        headers,
        time: time.and_then(|time| SystemTime::UNIX_EPOCH.checked_add(time)),
        position: None,
        attempt: attempt(table, delivery.redelivered),
    }
}

/// Quorum queues count deliveries; a queue of dead letters counts how often a message came there;
/// otherwise it is known whether it was delivered before, and not how often.
fn attempt(table: Option<&FieldTable>, is_again: bool) -> u32 {
    let number = |value: &AMQPValue| match value {
        AMQPValue::LongLongInt(n) => u32::try_from(*n).ok(),
        AMQPValue::LongInt(n) => u32::try_from(*n).ok(),
        AMQPValue::LongUInt(n) => Some(*n),
        AMQPValue::ShortShortInt(n) => u32::try_from(*n).ok(),
        AMQPValue::ShortInt(n) => u32::try_from(*n).ok(),
        AMQPValue::ShortShortUInt(n) => Some((*n).into()),
        _ => None,
    };
    let value = |name: &str| table.and_then(|table| table.inner().get(name));
    let deaths = match value("x-death") {
        Some(AMQPValue::FieldArray(deaths)) => {
            let counts = deaths.as_slice().iter().filter_map(|death| match death {
                AMQPValue::FieldTable(death) => death.inner().get("count").and_then(number),
                _ => None,
            });
            counts.fold(0, u32::saturating_add)
        }
        _ => 0,
    };
    let before = value("x-delivery-count").and_then(number).unwrap_or(is_again.into());
    before.saturating_add(deaths).saturating_add(1)
}

/// Numbers and truth as text; tables and lists are left out.
fn headers_of(table: &FieldTable) -> Headers {
    let pairs = table.inner().iter().filter_map(|(name, value)| {
        let bytes = match value {
            AMQPValue::LongString(text) => Bytes::copy_from_slice(text.as_bytes()),
            AMQPValue::ShortString(text) => Bytes::copy_from_slice(text.as_str().as_bytes()),
            AMQPValue::ByteArray(bytes) => Bytes::copy_from_slice(bytes.as_slice()),
            AMQPValue::Boolean(value) => value.to_string().into(),
            AMQPValue::ShortShortInt(n) => n.to_string().into(),
            AMQPValue::ShortShortUInt(n) => n.to_string().into(),
            AMQPValue::ShortInt(n) => n.to_string().into(),
            AMQPValue::ShortUInt(n) => n.to_string().into(),
            AMQPValue::LongInt(n) => n.to_string().into(),
            AMQPValue::LongUInt(n) => n.to_string().into(),
            AMQPValue::LongLongInt(n) => n.to_string().into(),
            AMQPValue::Timestamp(n) => n.to_string().into(),
            AMQPValue::Float(n) => n.to_string().into(),
            AMQPValue::Double(n) => n.to_string().into(),
            AMQPValue::DecimalValue(_)
            | AMQPValue::FieldArray(_)
            | AMQPValue::FieldTable(_)
            | AMQPValue::Void => return None,
        };
        Some((name.as_str(), bytes))
    });
    pairs.collect()
}

/// The headers of a message to be published. `None` says that a name is too long.
pub(crate) fn table_of(headers: &Headers) -> Option<FieldTable> {
    let mut table = FieldTable::default();
    for (name, value) in headers.iter() {
        if name.len() > crate::config::MAX_NAME {
            return None;
        }
        table.insert(name.into(), AMQPValue::LongString(value.to_vec().into()));
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::{AMQPValue, FieldTable, Headers, attempt, headers_of, table_of};

    fn table(pairs: &[(&str, AMQPValue)]) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in pairs {
            table.insert((*name).into(), value.clone());
        }
        table
    }

    #[test]
    fn attempts_are_those_that_are_known() {
        assert_eq!((attempt(None, false), attempt(None, true)), (1, 2));
        let counted = table(&[("x-delivery-count", AMQPValue::LongLongInt(4))]);
        assert_eq!(attempt(Some(&counted), true), 5);
        let death = table(&[("count", AMQPValue::LongLongInt(3))]);
        let deaths = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(death)].into());
        assert_eq!(attempt(Some(&table(&[("x-death", deaths)])), false), 4);
        let odd = table(&[("x-delivery-count", AMQPValue::LongLongInt(-1))]);
        assert_eq!(attempt(Some(&odd), false), 1);
    }

    #[test]
    fn headers_go_both_ways() {
        let headers = Headers::from_iter([("trace", "17")]);
        let table = table_of(&headers).unwrap_or_default();
        assert_eq!(headers_of(&table), headers);
        assert!(table_of(&Headers::from_iter([("x".repeat(256), "1")])).is_none());
    }
}
