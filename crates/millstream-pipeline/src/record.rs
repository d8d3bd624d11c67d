//! `Record`: what flows through a pipeline.

use std::time::Duration;

use millstream_pressure::{Outcome, Permit};
use serde_json::Value;

/// An item on its way from the source to the sink.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) value: Value,
    /// When it came, or was due, by the clock of the pipeline.
    pub(crate) born: Duration,
    /// What flow control gave it, to be finished when it has been dealt with.
    permit: Option<Permit>,
}

impl Record {
    pub(crate) fn new(value: Value, born: Duration) -> Self {
        Self { value, born, permit: None }
    }

    pub(crate) fn with_permit(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// It has arrived, or has become part of another one.
    pub(crate) fn arrived(self) -> Value {
        if let Some(permit) = self.permit {
            permit.finish(Outcome::Success);
        }
        self.value
    }

    /// A stage has dropped it as it should.
    pub(crate) fn left_out(self) {
        if let Some(permit) = self.permit {
            permit.finish(Outcome::Ignored);
        }
    }

    /// What it weighs as a line, about.
    pub(crate) fn bytes(value: &Value) -> u64 {
        let of = |parts: &mut dyn Iterator<Item = u64>| parts.sum::<u64>() + 2;
        match value {
            Value::Null | Value::Bool(_) => 4,
            Value::Number(_) => 8,
            Value::String(text) => text.len() as u64 + 2,
            Value::Array(items) => of(&mut items.iter().map(|item| Self::bytes(item) + 1)),
            Value::Object(fields) => of(&mut fields
                .iter()
                .map(|(name, value)| name.len() as u64 + 4 + Self::bytes(value))),
        }
    }
}
