//! Stages that look at one item at a time. Neighbors run as one operator.

mod access_log;
mod csv;
mod dedup;
mod parse;
mod pattern;

use std::collections::BTreeMap;

use millstream::{Error, ErrorKind, Handled};
use serde_json::{Map, Value};

use self::{dedup::Dedup, parse::Parse};
use crate::{Expression, OnError, StageSpec, record::Record, status::Faults};

/// A stage that looks at one item at a time.
enum Step {
    Parse(Parse),
    Filter(Expression),
    Map(Expression),
    Set(BTreeMap<String, Expression>),
    Keep(Vec<String>),
    Dedup(Dedup),
    Sample { one_of: u64, n_seen: u64 },
}

/// What a step makes of a value: another one, or nothing.
type Made = Result<Option<Value>, Fault>;

/// Why a stage can do nothing with an item.
pub(crate) struct Fault {
    pub(crate) why: String,
    /// The pipeline fails, also where such items are skipped.
    pub(crate) is_fatal: bool,
}

impl Fault {
    pub(crate) fn fatal(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_fatal: true }
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self { why, is_fatal: false }
    }
}

impl Step {
    fn apply(&mut self, value: Value) -> Made {
        match self {
            Self::Parse(parse) => parse.apply(value),
            Self::Filter(expression) => {
                let holds = expression.holds(&value).map_err(|why| of(&value, &why))?;
                Ok(holds.then_some(value))
            }
            Self::Map(expression) => {
                expression.evaluate(&value).map(Some).map_err(|why| of(&value, &why).into())
            }
            Self::Set(fields) => {
                let set = fields.iter().map(|(name, expression)| {
                    expression.evaluate(&value).map(|made| (name.clone(), made))
                });
                let set: Vec<_> = set.collect::<Result<_, _>>().map_err(|why| of(&value, &why))?;
                let mut object = into_object(value)?;
                object.extend(set);
                Ok(Some(Value::Object(object)))
            }
            Self::Keep(names) => {
                let mut object = into_object(value)?;
                object.retain(|name, _| names.iter().any(|kept| kept == name));
                Ok(Some(Value::Object(object)))
            }
            Self::Dedup(dedup) => Ok(dedup.is_new(&value)?.then_some(value)),
            Self::Sample { one_of, n_seen } => {
                let is_kept = *n_seen % *one_of == 0;
                *n_seen += 1;
                Ok(is_kept.then_some(value))
            }
        }
    }
}

/// What is wrong with a value.
fn of(value: &Value, why: &str) -> String {
    format!("{why}, of {}", shown(value))
}

fn into_object(value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(object) => Ok(object),
        Value::String(_) => Err("is a text without fields: parse it first".to_owned()),
        other => Err(format!("{} has no fields", shown(&other))),
    }
}

/// A value in a message, cut where it is long.
fn shown(value: &Value) -> String {
    const MOST: usize = 120;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

struct Named {
    /// Its place among the stages, such as `stages[2] filter`.
    place: String,
    kind: &'static str,
    step: Step,
    on_error: OnError,
}

/// Neighboring steps.
pub(crate) struct Steps {
    steps: Vec<Named>,
    faults: Faults,
}

impl Steps {
    pub(crate) fn new(faults: &Faults) -> Self {
        Self { steps: Vec::new(), faults: faults.clone() }
    }

    /// Adds a stage that is a step. Others come back.
    pub(crate) fn push<'a>(
        &mut self,
        index: usize,
        stage: &'a StageSpec,
        on_error: OnError,
    ) -> Option<&'a StageSpec> {
        let on_error = match stage {
            StageSpec::Parse(spec) => spec.on_error.unwrap_or(on_error),
            _ => on_error,
        };
        let step = match stage {
            StageSpec::Parse(spec) => Step::Parse(Parse::new(spec)),
            StageSpec::Filter(expression) => Step::Filter(expression.clone()),
            StageSpec::Map(expression) => Step::Map(expression.clone()),
            StageSpec::Set(fields) => Step::Set(fields.clone()),
            StageSpec::Keep(names) => Step::Keep(names.clone()),
            StageSpec::Dedup(spec) => Step::Dedup(Dedup::new(spec)),
            StageSpec::Sample(spec) => Step::Sample { one_of: spec.one_of.get(), n_seen: 0 },
            other => return Some(other),
        };
        let kind = stage.kind();
        self.steps.push(Named { place: format!("stages[{index}] {kind}"), kind, step, on_error });
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What they are called together.
    pub(crate) fn name(&self) -> String {
        self.steps.iter().map(|named| named.kind).collect::<Vec<_>>().join("+")
    }

    /// What they make of a record.
    pub(crate) fn apply(&mut self, mut record: Record) -> Handled<Record> {
        for Named { place, step, on_error, .. } in &mut self.steps {
            let value = std::mem::take(&mut record.value);
            match step.apply(value) {
                Ok(Some(value)) => record.value = value,
                Ok(None) => {
                    record.left_out();
                    return Handled::Skip;
                }
                Err(fault) if *on_error == OnError::Skip && !fault.is_fatal => {
                    let why = format!("{place}: {}", fault.why);
                    self.faults.reject(record, why);
                    return Handled::Skip;
                }
                Err(fault) => {
                    let why = format!("{place}: {}", fault.why);
                    return Handled::Fail(Error::new(ErrorKind::InvalidData, why));
                }
            }
        }
        Handled::Pass(record)
    }
}
