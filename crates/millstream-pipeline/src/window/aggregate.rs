//! What becomes of the items of a window.

use std::collections::HashSet;

use hdrhistogram::Histogram;
use serde_json::{Number, Value};

use crate::{Aggregate, Expression};

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

    /// Adds an item.
    pub(super) fn add(&mut self, aggregate: &Aggregate, value: &Value) -> Result<(), String> {
        let expression = match aggregate {
            Aggregate::Count => {
                if let Self::Count(n) = self {
                    *n += 1;
                }
                return Ok(());
            }
            Aggregate::Sum(expression)
            | Aggregate::Mean(expression)
            | Aggregate::Min(expression)
            | Aggregate::Max(expression)
            | Aggregate::First(expression)
            | Aggregate::Last(expression)
            | Aggregate::Distinct(expression)
            | Aggregate::P50(expression)
            | Aggregate::P95(expression)
            | Aggregate::P99(expression) => expression,
        };
        let made = expression.evaluate(value)?;
        match self {
            Self::Count(_) => {}
            Self::Sum(sum) => *sum = add(sum, number(expression, &made)?)?,
            Self::Mean { sum, n } => {
                *sum += float(expression, &made)?;
                *n += 1;
            }
            Self::One(best) => {
                let is_better = match (aggregate, &best) {
                    (Aggregate::First(_), best) => best.is_none(),
                    (Aggregate::Min(_), Some(best)) => {
                        float(expression, &made)? < float(expression, best)?
                    }
                    (Aggregate::Max(_), Some(best)) => {
                        float(expression, &made)? > float(expression, best)?
                    }
                    (Aggregate::Min(_) | Aggregate::Max(_), None) => {
                        float(expression, &made).map(|_| true)?
                    }
                    _ => true,
                };
                if is_better {
                    *best = Some(made);
                }
            }
            Self::Distinct(seen) => {
                seen.insert(made.to_string());
            }
            Self::Quantile(quantile) => quantile.add(expression, &made)?,
        }
        Ok(())
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

impl Quantile {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked before, and a conversion saturates"
    )]
    fn add(&mut self, expression: &Expression, value: &Value) -> Result<(), String> {
        let number = float(expression, value)?;
        if number < 0.0 {
            return Err(format!("`{}`: {number} is negative", expression.text()));
        }
        self.max = self.max.max(number);
        let why = |error: hdrhistogram::RecordError| format!("`{}`: {error}", expression.text());
        self.histogram.record((number * SCALE).round() as u64).map_err(why)
    }
}

fn number<'a>(expression: &Expression, value: &'a Value) -> Result<&'a Number, String> {
    match value {
        Value::Number(number) => Ok(number),
        other => Err(format!("`{}`: {other} is not a number", expression.text())),
    }
}

fn float(expression: &Expression, value: &Value) -> Result<f64, String> {
    let number = number(expression, value)?;
    number.as_f64().ok_or_else(|| format!("`{}`: {number} is out of range", expression.text()))
}

fn add(a: &Number, b: &Number) -> Result<Number, String> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64())
        && let Some(sum) = a.checked_add(b)
    {
        return Ok(sum.into());
    }
    let sum = a.as_f64().zip(b.as_f64()).and_then(|(a, b)| Number::from_f64(a + b));
    sum.ok_or_else(|| format!("the sum of {a} and {b} is out of range"))
}
