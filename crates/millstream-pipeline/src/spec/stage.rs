//! What is done with each item.

use std::{borrow::Cow, collections::BTreeMap, fmt, num::NonZeroUsize, path::PathBuf};

use millstream_pressure::{RateConfig, Settings as _};
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

#[cfg(feature = "http")]
use super::CallSpec;
use super::{Expression, LanesSpec, Rate, Size, WindowSpec};

/// What is done with each item.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "stage")]
#[non_exhaustive]
pub enum StageSpec {
    /// Makes fields of a text.
    Parse(ParseSpec),
    /// Keeps the items for which this holds.
    Filter(Expression),
    /// Turns each item into what this gives.
    Map(Expression),
    /// Adds fields, or replaces them, by what these give for the item as it was.
    Set(BTreeMap<String, Expression>),
    /// Drops all fields but these.
    Keep(Vec<String>),
    /// Drops items that are equal to an earlier one.
    Dedup(DedupSpec),
    /// Keeps one of so many.
    Sample(SampleSpec),
    /// Passes on so many a second, and has the source wait for the others.
    Rate(RateSpec),
    /// Groups items, and makes one item of each group.
    Window(WindowSpec),
    /// Items wait here, in the queue of this name in `backpressure.queues`, and what follows runs
    /// on a thread of its own.
    Queue(#[schemars(with = "String")] Spanned<String>),
    /// Items wait in lanes, of which some come first.
    Lanes(LanesSpec),
    /// Items that do not fit into memory wait here on the disk.
    Spill(SpillSpec),
    /// Calls a service for each item, and puts the answer into it.
    #[cfg(feature = "http")]
    Call(CallSpec),
}

impl PartialEq for StageSpec {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Parse(a), Self::Parse(b)) => a == b,
            (Self::Filter(a), Self::Filter(b)) | (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => a == b,
            (Self::Keep(a), Self::Keep(b)) => a == b,
            (Self::Dedup(a), Self::Dedup(b)) => a == b,
            (Self::Sample(a), Self::Sample(b)) => a == b,
            (Self::Rate(a), Self::Rate(b)) => a == b,
            (Self::Window(a), Self::Window(b)) => a == b,
            (Self::Queue(a), Self::Queue(b)) => a.value == b.value,
            (Self::Lanes(a), Self::Lanes(b)) => a == b,
            (Self::Spill(a), Self::Spill(b)) => a == b,
            #[cfg(feature = "http")]
            (Self::Call(a), Self::Call(b)) => a == b,
            _ => false,
        }
    }
}

impl StageSpec {
    /// The name of its kind, as a file has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Parse(_) => "parse",
            Self::Filter(_) => "filter",
            Self::Map(_) => "map",
            Self::Set(_) => "set",
            Self::Keep(_) => "keep",
            Self::Dedup(_) => "dedup",
            Self::Sample(_) => "sample",
            Self::Rate(_) => "rate",
            Self::Window(_) => "window",
            Self::Queue(_) => "queue",
            Self::Lanes(_) => "lanes",
            Self::Spill(_) => "spill",
            #[cfg(feature = "http")]
            Self::Call(_) => "call",
        }
    }
}

/// Makes fields of a text: `parse: json`, or `parse: { format: csv, columns: [id, price] }`.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseSpec {
    /// What the text is.
    pub format: Format,
    /// For `csv`: the names of the columns. Default: the first line has them.
    pub columns: Option<Vec<String>>,
    /// For `csv`: what is between two columns. Default: `,`.
    pub separator: char,
    /// For `csv` and `regex`: what fields are, if not texts.
    pub types: BTreeMap<String, FieldType>,
    /// For `regex`: the pattern, whose named groups are the fields.
    pub pattern: Option<Pattern>,
    /// What becomes of a text that is not what it should be. Default: as for the pipeline.
    pub on_error: Option<OnError>,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON.
    Json,
    /// Values with commas between them.
    Csv,
    /// A line of a web server's log, in the common or combined format.
    AccessLog,
    /// What a pattern matches.
    Regex,
}

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A text.
    Text,
}

/// What becomes of an item with which something is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The pipeline fails.
    #[default]
    Fail,
    /// It is dropped and counted, and the first one is shown at the end.
    Skip,
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let regex = Regex::new(&text).map_err(D::Error::custom)?;
        if regex.capture_names().flatten().next().is_none() {
            let why =
                "the pattern has no named group, such as (?P<user>\\w+): nothing would be left";
            return Err(D::Error::custom(why));
        }
        Ok(Self(regex))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename = "parse", deny_unknown_fields)]
struct ParseFields {
    format: Format,
    #[serde(default)]
    columns: Option<Vec<String>>,
    #[serde(default = "comma")]
    separator: char,
    #[serde(default)]
    types: BTreeMap<String, FieldType>,
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pattern: Option<Pattern>,
    #[serde(default)]
    on_error: Option<OnError>,
}

fn comma() -> char {
    ','
}

impl<'de> Deserialize<'de> for ParseSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = ParseSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a format, such as json, or { format: json, on_error: skip }")
            }

            fn visit_str<E: serde::de::Error>(self, format: &str) -> Result<ParseSpec, E> {
                let format = serde::de::value::StrDeserializer::new(format);
                ParseSpec::checked(ParseFields {
                    format: Format::deserialize(format)?,
                    columns: None,
                    separator: comma(),
                    types: BTreeMap::new(),
                    pattern: None,
                    on_error: None,
                })
                .map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ParseSpec, A::Error> {
                let fields = ParseFields::deserialize(MapAccessDeserializer::new(map))?;
                ParseSpec::checked(fields).map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl ParseSpec {
    fn checked(fields: ParseFields) -> Result<Self, &'static str> {
        let ParseFields { format, columns, separator, types, pattern, on_error } = fields;
        match format {
            Format::Regex if pattern.is_none() => Err("`regex` needs a `pattern`"),
            Format::Csv if !separator.is_ascii() => Err("`separator` has to be an ASCII character"),
            Format::Csv if columns.as_ref().is_some_and(Vec::is_empty) => {
                Err("`columns` names no column")
            }
            Format::Json | Format::AccessLog if !types.is_empty() => {
                Err("`types` is for csv and regex, whose fields are texts")
            }
            _ if pattern.is_some() && format != Format::Regex => Err("`pattern` is for regex"),
            _ if columns.is_some() && format != Format::Csv => Err("`columns` is for csv"),
            _ => Ok(Self { format, columns, separator, types, pattern, on_error }),
        }
    }
}

impl JsonSchema for ParseSpec {
    fn schema_name() -> Cow<'static, str> {
        "Parse".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (format, fields) =
            (generator.subschema_for::<Format>(), generator.subschema_for::<ParseFields>());
        json_schema!({ "description": "Makes fields of a text.", "anyOf": [format, fields] })
    }
}

/// Drops items that are equal to an earlier one.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DedupSpec {
    /// What has to be equal. Default: the whole item.
    pub key: Option<Expression>,
    /// How many of the last different ones are remembered. Default: 100000.
    pub remember: NonZeroUsize,
}

impl Default for DedupSpec {
    fn default() -> Self {
        Self { key: None, remember: NonZeroUsize::new(100_000).expect("it is not 0") }
    }
}

/// Keeps one of so many.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleSpec {
    /// Of how many.
    pub one_of: std::num::NonZeroU64,
}

/// Passes on so many a second.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateSpec {
    /// How many.
    pub rate: Rate,
    /// The most at once. Default: 10.
    #[serde(default = "burst", deserialize_with = "checked_burst")]
    pub burst: std::num::NonZeroU64,
}

fn checked_burst<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<std::num::NonZeroU64, D::Error> {
    let burst = std::num::NonZeroU64::deserialize(deserializer)?;
    let config = RateConfig { rate: 1.0, burst: burst.get() };
    config.validate().map_err(D::Error::custom)?;
    Ok(burst)
}

fn burst() -> std::num::NonZeroU64 {
    std::num::NonZeroU64::new(10).expect("it is not 0")
}

/// Items that do not fit into memory wait on the disk.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpillSpec {
    /// The folder, which no other program uses. It is made if it is not there.
    pub directory: PathBuf,
    /// How many items wait in memory before any is written. Default: 1000; with 0 every item is
    /// written.
    #[serde(default = "memory", deserialize_with = "checked_memory")]
    pub memory: usize,
    /// The most bytes on the disk; then the source waits. Default: 10 GiB.
    #[serde(default = "max_bytes")]
    pub max_bytes: Size,
}

fn memory() -> usize {
    1_000
}

fn checked_memory<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    const MOST: usize = 1 << 24;
    match usize::deserialize(deserializer)? {
        memory if memory <= MOST => Ok(memory),
        memory => Err(D::Error::custom(format!("memory is {memory}, and at most {MOST}"))),
    }
}

fn max_bytes() -> Size {
    Size(10 << 30)
}
