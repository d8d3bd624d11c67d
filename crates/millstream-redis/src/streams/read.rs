//! Entries, and how they are read from the server's answers.

use bytes::Bytes;
use redis::Value;

/// An entry of a stream: names and values, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry(Vec<(Bytes, Bytes)>);

impl Entry {
    /// An entry of one field.
    pub fn of(name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        Self::default().with(name, value)
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The first value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(each, _)| each == name.as_bytes()).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn fields(&self) -> impl Iterator<Item = (&Bytes, &Bytes)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

/// Ids and entries. An entry that was deleted meanwhile has no fields.
pub(super) type Entries = Vec<(String, Option<Entry>)>;

/// The entries of one stream in the answer to `XREADGROUP`.
pub(super) fn read_answer(answer: Value) -> Option<Entries> {
    match answer {
        Value::Nil => Some(Vec::new()),
        Value::Array(streams) => {
            let stream = streams.into_iter().next()?;
            let Value::Array(pair) = stream else { return None };
            entries(pair.into_iter().nth(1)?)
        }
        // The third version of the protocol.
        Value::Map(streams) => entries(streams.into_iter().next()?.1),
        _ => None,
    }
}

/// The entries in the answer to `XAUTOCLAIM`, and where it goes on.
pub(super) fn claim_answer(answer: Value) -> Option<(String, Entries)> {
    let Value::Array(parts) = answer else { return None };
    let mut parts = parts.into_iter();
    Some((text(parts.next()?)?, entries(parts.next()?)?))
}

/// Ids and how often each was delivered, in the answer to `XPENDING`.
pub(super) fn pending_answer(answer: Value) -> Option<Vec<(String, u32)>> {
    let Value::Array(rows) = answer else { return None };
    let row = |row| {
        let Value::Array(row) = row else { return None };
        let mut row = row.into_iter();
        let id = text(row.next()?)?;
        let Value::Int(times) = row.nth(2)? else { return None };
        Some((id, u32::try_from(times).unwrap_or(u32::MAX)))
    };
    rows.into_iter().map(row).collect()
}

fn entries(value: Value) -> Option<Entries> {
    let Value::Array(entries) = value else { return None };
    let entry = |entry| match entry {
        Value::Array(pair) => {
            let mut pair = pair.into_iter();
            let id = text(pair.next()?)?;
            match pair.next()? {
                Value::Nil => Some(Some((id, None))),
                Value::Array(fields) => Some(Some((id, Some(fields_of(fields)?)))),
                _ => None,
            }
        }
        // What servers before 7 say of an entry that was deleted.
        Value::Nil => Some(None),
        _ => None,
    };
    let entries: Option<Vec<_>> = entries.into_iter().map(entry).collect();
    Some(entries?.into_iter().flatten().collect())
}

fn fields_of(values: Vec<Value>) -> Option<Entry> {
    let mut entry = Entry::default();
    let mut values = values.into_iter();
    while let Some(name) = values.next() {
        entry = entry.with(bytes(name)?, bytes(values.next()?)?);
    }
    Some(entry)
}

fn bytes(value: Value) -> Option<Bytes> {
    match value {
        Value::BulkString(bytes) => Some(bytes.into()),
        Value::SimpleString(text) => Some(text.into()),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    String::from_utf8(bytes(value)?.into()).ok()
}

/// The two numbers of an id.
pub(super) fn numbers_of(id: &str) -> Option<(u64, u64)> {
    let (ms, n) = id.split_once('-')?;
    Some((ms.parse().ok()?, n.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::{Entry, claim_answer, numbers_of, pending_answer, read_answer};

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn entry(id: &str) -> Value {
        Value::Array(vec![bulk(id), Value::Array(vec![bulk("a"), bulk("1")])])
    }

    #[test]
    fn answers_are_read() {
        let entries = Value::Array(vec![entry("5-0"), entry("5-1")]);
        let answer = Value::Array(vec![Value::Array(vec![bulk("key"), entries.clone()])]);
        let should = |id: &str| (id.to_owned(), Some(Entry::of("a", "1")));
        assert_eq!(read_answer(answer), Some(vec![should("5-0"), should("5-1")]));
        assert_eq!(read_answer(Value::Nil), Some(Vec::new()));
        let deleted = Value::Array(vec![bulk("6-0"), Value::Nil]);
        let claimed = Value::Array(vec![entry("5-0"), Value::Nil, deleted]);
        let (next, claimed) = claim_answer(Value::Array(vec![bulk("0-0"), claimed])).unwrap();
        assert_eq!(
            (next.as_str(), claimed),
            ("0-0", vec![should("5-0"), ("6-0".to_owned(), None)])
        );
        let row = Value::Array(vec![bulk("5-0"), bulk("me"), Value::Int(9), Value::Int(3)]);
        assert_eq!(pending_answer(Value::Array(vec![row])), Some(vec![("5-0".to_owned(), 3)]));
    }

    #[test]
    fn what_is_something_else_is_nothing() {
        let odd = Value::Array(vec![bulk("5-0"), Value::Array(vec![bulk("a")])]);
        for value in [Value::Int(1), Value::Array(vec![Value::Int(1)]), Value::Array(vec![odd])] {
            assert_eq!(read_answer(value.clone()), None, "{value:?}");
            assert_eq!(claim_answer(value.clone()), None, "{value:?}");
            assert_eq!(pending_answer(value.clone()), None, "{value:?}");
        }
        assert_eq!(numbers_of("17-3"), Some((17, 3)));
        assert!(["", "17", "a-b", "17-", "-1-2"].iter().all(|id| numbers_of(id).is_none()));
    }
}
