//! `parse`: makes fields of a text.

use serde_json::Value;

use super::{Fault, Made, access_log::AccessLog, csv::Csv, pattern::Groups, shown};
use crate::{Format, ParseSpec};

/// Makes fields of a text.
pub(super) enum Parse {
    Json,
    Csv(Box<Csv>),
    AccessLog(AccessLog),
    Pattern(Groups),
}

impl Parse {
    pub(super) fn new(spec: &ParseSpec) -> Self {
        match spec.format {
            Format::Json => Self::Json,
            Format::Csv => Self::Csv(Box::new(Csv::new(spec))),
            Format::AccessLog => Self::AccessLog(AccessLog::default()),
            Format::Regex => {
                let pattern = spec.pattern.as_ref().expect("a spec is checked when it is read");
                Self::Pattern(Groups::new(&pattern.0, &spec.types))
            }
        }
    }

    pub(super) fn apply(&mut self, value: Value) -> Made {
        let Value::String(text) = &value else {
            return Err(format!("{} is not a text", shown(&value)).into());
        };
        let made = match self {
            Self::Json => {
                serde_json::from_str(text).map(Some).map_err(|error| error.to_string().into())
            }
            Self::Csv(csv) => csv.parse(text),
            Self::AccessLog(log) => log.parse(text).map(Some).map_err(Fault::from),
            Self::Pattern(groups) => groups.parse(text).map(Some).map_err(Fault::from),
        };
        made.map_err(|Fault { why, is_fatal }| Fault {
            why: format!("{why}, in {}", shown(&value)),
            is_fatal,
        })
    }
}
