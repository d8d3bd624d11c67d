//! Values with units: durations, sizes, rates and shares.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use bytesize::ByteSize;
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// A duration, such as `5s`, `100ms` or `1m 30s`; more than nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A number of bytes, such as `4096` or `64 MiB`; at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// So many a second: `2000`, `2000/s` or `100/min`; more than 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(pub f64);

/// A number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span: SignedDuration =
            text.parse().map_err(|_| format!("`{text}` is not a duration"))?;
        match Duration::try_from(span) {
            Ok(time) if !time.is_zero() => Ok(Self(time)),
            _ => Err(format!("`{text}` is not more than no time")),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size: ByteSize = text.parse().map_err(|_| format!("`{text}` is not a size"))?;
        Self::checked(size.as_u64())
    }
}

impl Size {
    fn checked(n: u64) -> Result<Self, String> {
        if n == 0 { Err("0 is not at least 1 byte".to_owned()) } else { Ok(Self(n)) }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            unit => return Err(format!("`{unit}` is no unit of time: use s, min or h")),
        };
        let number: f64 = number.trim().parse().map_err(|_| format!("`{text}` is not a rate"))?;
        Self::checked(number / seconds)
    }
}

impl Rate {
    fn checked(rate: f64) -> Result<Self, String> {
        // What the limiter behind it can do.
        if (1e-6..=1e9).contains(&rate) {
            Ok(Self(rate))
        } else {
            Err(format!("{rate} a second is not between 0.000001 and 1,000,000,000"))
        }
    }
}

/// How a value with a unit reads its forms.
trait Unit: Sized + FromStr<Err = String> {
    const NAME: &'static str;
    const EXPECTED: &'static str;
    const EXAMPLES: &'static [&'static str];

    /// From a number without a unit.
    fn from_number(number: f64) -> Result<Self, String>;
}

impl Unit for Time {
    const NAME: &'static str = "Time";
    const EXPECTED: &'static str = "a duration with a unit, such as 5s or 100ms";
    const EXAMPLES: &'static [&'static str] = &["5s", "100ms", "1m 30s"];

    fn from_number(number: f64) -> Result<Self, String> {
        Err(format!("{number} has no unit: write {number}s or {number}ms"))
    }
}

impl Unit for Size {
    const NAME: &'static str = "Size";
    const EXPECTED: &'static str = "a number of bytes, such as 4096 or 64 MiB";
    const EXAMPLES: &'static [&'static str] = &["64 MiB", "4096"];

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole and not negative"
    )]
    fn from_number(number: f64) -> Result<Self, String> {
        if number < 0.0 || number.fract() != 0.0 {
            return Err(format!("{number} is not a whole number of bytes"));
        }
        Self::checked(number as u64)
    }
}

impl Unit for Rate {
    const NAME: &'static str = "Rate";
    const EXPECTED: &'static str = "so many a second, such as 2000 or 100/min";
    const EXAMPLES: &'static [&'static str] = &["2000/s", "100/min"];

    fn from_number(number: f64) -> Result<Self, String> {
        Self::checked(number)
    }
}

struct Forms<U>(std::marker::PhantomData<U>);

impl<U: Unit> Visitor<'_> for Forms<U> {
    type Value = U;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(U::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<U, E> {
        let why = match text.parse::<f64>() {
            Ok(number) => U::from_number(number),
            Err(_) => text.parse(),
        };
        why.map_err(|why| E::custom(format!("{why}: expected {}", U::EXPECTED)))
    }

    #[expect(clippy::cast_precision_loss, reason = "as good as a number in a file is")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<U, E> {
        self.visit_f64(number as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "as good as a number in a file is")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<U, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<U, E> {
        U::from_number(number).map_err(E::custom)
    }
}

macro_rules! unit {
    ($Unit:ty) => {
        impl<'de> Deserialize<'de> for $Unit {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Forms(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $Unit {
            fn schema_name() -> Cow<'static, str> {
                <$Unit as Unit>::NAME.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": <$Unit as Unit>::EXPECTED,
                    "type": ["string", "number"],
                    "examples": <$Unit as Unit>::EXAMPLES,
                })
            }
        }
    };
}

unit!(Time);
unit!(Size);
unit!(Rate);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(D::Error::invalid_value(Unexpected::Float(share), &"a number from 0 to 1"))
        }
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "a number from 0 to 1", "type": "number", "minimum": 0, "maximum": 1 })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rate, Size, Time};

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn values_have_units() {
        assert_eq!(read("5s"), Ok(Time(Duration::from_secs(5))));
        assert_eq!(read("1m 30s"), Ok(Time(Duration::from_secs(90))));
        assert_eq!(read("64 MiB"), Ok(Size(64 << 20)));
        assert_eq!(read("4096"), Ok(Size(4096)));
        assert_eq!(read("2000"), Ok(Rate(2000.0)));
        assert_eq!(read("'90/min'"), Ok(Rate(1.5)));
    }

    #[test]
    fn what_has_none_or_makes_no_sense_is_refused_with_what_to_write() {
        let says = |error: Result<Time, String>, part: &str| {
            let error = error.unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        says(read("5"), "5 has no unit: write 5s or 5ms");
        says(read("soon"), "`soon` is not a duration: expected a duration with a unit");
        says(read("0s"), "not more than no time");
        says(read("-5s"), "not more than no time");
        says(read("[5s]"), "expected a duration with a unit");
        assert!(read::<Size>("0").unwrap_err().contains("at least 1 byte"));
        assert!(read::<Size>("1.5").unwrap_err().contains("whole number"));
        assert!(read::<Size>("5 parsecs").unwrap_err().contains("is not a size"));
        assert!(read::<Rate>("0").unwrap_err().contains("between"));
        assert!(read::<Rate>("5/fortnight").unwrap_err().contains("no unit of time"));
    }
}
