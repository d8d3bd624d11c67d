//! What JetStream says about a message, in its headers and in the subject for its acknowledgement.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_nats::HeaderMap;
use bytes::Bytes;
use millstream_pressure::{Envelope, Headers, Position};

/// The envelope of a message: its subject is the key.
pub(crate) fn envelope(
    stream: &Arc<str>,
    subject: &str,
    reply: &str,
    headers: Option<&HeaderMap>,
) -> Envelope {
    let said = said(reply).unwrap_or_default();
    Envelope {
        key: Some(Bytes::copy_from_slice(subject.as_bytes())),
        headers: headers.map(headers_of).unwrap_or_default(),
        time: SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(said.nanos)),
        position: Some(Position { sequence: Arc::clone(stream), offset: said.sequence, minor: 0 }),
        attempt: said.attempt,
    }
}

pub(crate) fn headers_of(headers: &HeaderMap) -> Headers {
    let pairs = headers.iter().flat_map(|(name, values)| {
        values.iter().map(move |value| {
            let name: &str = name.as_ref();
            (name, Bytes::copy_from_slice(value.as_ref()))
        })
    });
    pairs.collect()
}

/// What the subject for an acknowledgement says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    attempt: u32,
    sequence: u64,
    nanos: u64,
}

/// `$JS.ACK.<stream>.<consumer>.<attempt>.<sequence>.<of the consumer>.<nanos>.<pending>`, and
/// since 2.10 with a domain and an account after the second part.
fn said(reply: &str) -> Option<Said> {
    let mut parts = reply.strip_prefix("$JS.ACK.")?.split('.');
    if reply.split('.').count() > 9 {
        parts.by_ref().take(2).for_each(drop);
    }
    let mut number = |nth| parts.nth(nth).and_then(|part| part.parse::<u64>().ok());
    let attempt = number(2)?;
    let (sequence, nanos) = (number(0)?, number(1)?);
    Some(Said { attempt: u32::try_from(attempt).unwrap_or(u32::MAX), sequence, nanos })
}

#[cfg(test)]
mod tests {
    use super::{Said, said};

    #[test]
    fn both_forms_are_read() {
        let should = Said { attempt: 2, sequence: 17, nanos: 1_700_000_000_000_000_000 };
        let short = "$JS.ACK.orders.work.2.17.9.1700000000000000000.5";
        assert_eq!(said(short), Some(should));
        let should = Said { attempt: 2, sequence: 17, nanos: 1_700_000_000_000_000_000 };
        let long = "$JS.ACK._.hash.orders.work.2.17.9.1700000000000000000.5.x";
        assert_eq!(said(long), Some(should));
    }

    #[test]
    fn what_is_something_else_is_nothing() {
        for reply in
            ["", "x", "$JS.ACK.", "$JS.ACK.a.b.c", "$JS.ACK.a.b.-1.2.3.4.5", "$JS.ACK....."]
        {
            assert_eq!(said(reply), None, "{reply}");
        }
    }
}
