//! What becomes of the items of a window.

use std::collections::HashSet;

use hdrhistogram::Histogram;
use serde_json::{Number, Value};

use crate::Aggregate;

/// What an aggregate knows of the items until now.
pub(super) enum Total {
    Count(u64),
    /// Whole numbers are added exactly, as long as they fit.
    Sum(Number),
    Mean {
        sum: f64,
        n: u64,
    },
    /// The least, the greatest, the first or the last.
    One(Option<Value>),
    Distinct(HashSet<String>),
    Quantile(Box<Quantile>),
}

/// Quantiles of numbers that are not negative, to three digits.
pub(super) struct Quantile {
    histogram: Histogram<u64>,
    of: f64,
    max: f64,
}

/// Numbers are kept in thousandths.
const SCALE: f64 = 1_000.0;

impl Total {
    pub(super) fn new(aggregate: &Aggregate) -> Self {
        let quantile = |of| {
            let histogram = Histogram::new(3).expect("three digits are allowed");
            Self::Quantile(Box::new(Quantile { histogram, of, max: 0.0 }))
        };
        match aggregate {
            Aggregate::Count => Self::Count(0),
            Aggregate::Sum(_) => Self::Sum(0.into()),
            Aggregate::Mean(_) => Self::Mean { sum: 0.0, n: 0 },
            Aggregate::Min(_) | Aggregate::Max(_) | Aggregate::First(_) | Aggregate::Last(_) => {
                Self::One(None)
            }
            Aggregate::Distinct(_) => Self::Distinct(HashSet::new()),
            Aggregate::P50(_) => quantile(0.5),
            Aggregate::P95(_) => quantile(0.95),
            Aggregate::P99(_) => quantile(0.99),
        }
    }

    /// Adds what [`of`] has made of an item.
    pub(super) fn add(&mut self, aggregate: &Aggregate, made: Value) {
        let number = made.as_f64().unwrap_or_default();
        match self {
            Self::Count(n) => *n += 1,
            Self::Sum(sum) => *sum = add(sum, &made),
            Self::Mean { sum, n } => {
                *sum += number;
                *n += 1;
            }
            Self::One(best) => {
                let before = best.as_ref().and_then(Value::as_f64).unwrap_or_default();
                let is_better = match aggregate {
                    _ if best.is_none() => true,
                    Aggregate::First(_) => false,
                    Aggregate::Min(_) => number < before,
                    Aggregate::Max(_) => number > before,
                    _ => true,
                };
                if is_better {
                    *best = Some(made);
                }
            }
            Self::Distinct(seen) => {
                seen.insert(made.to_string());
            }
            Self::Quantile(quantile) => quantile.add(number),
        }
    }

    /// The field of the new item.
    pub(super) fn finish(self) -> Value {
        match self {
            Self::Count(n) => n.into(),
            Self::Sum(sum) => Value::Number(sum),
            #[expect(clippy::cast_precision_loss, reason = "as exact as a mean is")]
            Self::Mean { sum, n } => (sum / n as f64).into(),
            Self::One(best) => best.unwrap_or(Value::Null),
            Self::Distinct(seen) => seen.len().into(),
            #[expect(clippy::cast_precision_loss, reason = "it has three digits")]
            Self::Quantile(quantile) => {
                let Quantile { histogram, of, max } = *quantile;
                let value = histogram.lowest_equivalent(histogram.value_at_quantile(of));
                (value as f64 / SCALE).min(max).into()
            }
        }
    }
}

/// What an aggregate takes of an item: a number, where it needs one.
pub(super) fn of(aggregate: &Aggregate, item: &Value) -> Result<Value, String> {
    let (expression, needs_number) = match aggregate {
        Aggregate::Count => return Ok(Value::Null),
        Aggregate::First(expression)
        | Aggregate::Last(expression)
        | Aggregate::Distinct(expression) => (expression, false),
        Aggregate::Sum(expression)
        | Aggregate::Mean(expression)
        | Aggregate::Min(expression)
        | Aggregate::Max(expression)
        | Aggregate::P50(expression)
        | Aggregate::P95(expression)
        | Aggregate::P99(expression) => (expression, true),
    };
    let made = expression.evaluate(item)?;
    if !needs_number {
        return Ok(made);
    }
    let wrong = |what: &str| Err(format!("`{}`: {made} {what}", expression.text()));
    match (made.as_f64(), aggregate) {
        (None, _) => wrong("is not a number"),
        (Some(number), Aggregate::P50(_) | Aggregate::P95(_) | Aggregate::P99(_))
            if !(0.0..=1e15).contains(&number) =>
        {
            wrong("is not from 0 to 10^15")
        }
        (Some(_), _) => Ok(made),
    }
}

impl Quantile {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    fn add(&mut self, number: f64) {
        self.max = self.max.max(number);
        // It grows as far as it has to: 64 bits of thousandths fit.
        self.histogram.record((number * SCALE).round() as u64).ok();
    }
}

/// A sum, exact for whole numbers as long as they fit.
fn add(sum: &Number, made: &Value) -> Number {
    if let (Some(sum), Some(made)) = (sum.as_i64(), made.as_i64())
        && let Some(sum) = sum.checked_add(made)
    {
        return sum.into();
    }
    let total = sum.as_f64().unwrap_or_default() + made.as_f64().unwrap_or_default();
    Number::from_f64(total.clamp(f64::MIN, f64::MAX)).unwrap_or_else(|| 0.into())
}
