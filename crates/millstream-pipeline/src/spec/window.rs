//! Windows: items are grouped by time or number, and each group becomes one item.

use std::num::NonZeroUsize;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeMap;

use super::{Expression, Time};

/// Groups items, and makes one item of each group.
// The fields are read as derived, and then checked against each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct WindowSpec {
    /// A window is so many items. Either this or `every`.
    #[serde(default)]
    pub count: Option<NonZeroUsize>,
    /// A window is so long, by the time that `time` gives.
    #[serde(default)]
    pub every: Option<Time>,
    /// For `every`: when an item happened, in seconds since 1970.
    #[serde(default)]
    pub time: Option<Expression>,
    /// For `every`: how long a window waits for items that come late, by the time of the newest
    /// item. What comes later than that is counted as late, and dropped. Default: not at all.
    #[serde(default)]
    pub lateness: Option<Time>,
    /// The windows of each value of this are apart.
    #[serde(default)]
    pub by: Option<Expression>,
    /// The most values of `by` in progress; one more fails the pipeline. Default: 100000.
    #[serde(default = "max_keys")]
    pub max_keys: NonZeroUsize,
    /// What becomes of the items of a window, by the names of the new item's fields.
    pub aggregates: BTreeMap<String, Aggregate>,
}

/// What becomes of the items of a window.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", rename = "aggregate")]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// The sum of a number of each.
    Sum(Expression),
    /// The mean.
    Mean(Expression),
    /// The smallest.
    Min(Expression),
    /// The largest.
    Max(Expression),
    /// What it is for the first item.
    First(Expression),
    /// What it is for the last item.
    Last(Expression),
    /// How many different ones there are.
    Distinct(Expression),
    /// The median, to three digits.
    P50(Expression),
    /// What 95 of 100 are not above, to three digits.
    P95(Expression),
    /// What 99 of 100 are not above, to three digits.
    P99(Expression),
}

fn max_keys() -> NonZeroUsize {
    NonZeroUsize::new(100_000).expect("it is not 0")
}

impl<'de> Deserialize<'de> for WindowSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spec = Self::deserialize(deserializer)?;
        let Self { count, every, time, lateness, aggregates, .. } = &spec;
        let why = match (count, every, time, lateness) {
            (Some(_), Some(_), ..) => Some("has `count` and `every`: name one of them"),
            (None, None, ..) => Some("needs `count: 100` or `every: 1m`"),
            (Some(_), None, Some(_), _) | (Some(_), None, _, Some(_)) => {
                Some("`time` and `lateness` belong to `every`")
            }
            (None, Some(_), None, _) => {
                Some("`every` needs `time: EXPRESSION`, the seconds since 1970 of an item")
            }
            _ if aggregates.is_empty() => Some("needs an aggregate, such as `n: count`"),
            _ if ["key", "from", "to"].iter().any(|name| aggregates.contains_key(*name)) => {
                Some("names an aggregate `key`, `from` or `to`, which are the window's own")
            }
            _ => None,
        };
        match why {
            Some(why) => Err(D::Error::custom(format!("the window {why}"))),
            None => Ok(spec),
        }
    }
}
