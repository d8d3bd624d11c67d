//! `Curve`: how much is still let in at which pressure.

use crate::InvalidSetting;

/// From a pressure to the share that is let in: all up to `low`, and evenly less up to `high`,
/// where it is `floor`.
///
/// ```
/// use millstream_pressure::Curve;
///
/// let curve = Curve { low: 0.6, high: 1.0, floor: 0.2 };
/// assert_eq!([0.0, 0.6, 1.0].map(|level| curve.factor(level)), [1.0, 1.0, 0.2]);
/// assert!((0.59..0.61).contains(&curve.factor(0.8)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Curve {
    /// Up to this pressure, all is let in. Default: 0.7.
    pub low: f64,
    /// From this pressure on, `floor` is let in. Default: 1.
    pub high: f64,
    /// What is let in at least. Default: 0.1.
    pub floor: f64,
}

impl Default for Curve {
    fn default() -> Self {
        Self { low: 0.7, high: 1.0, floor: 0.1 }
    }
}

impl Curve {
    /// The share that is let in at this pressure, from 1 to `floor`.
    #[must_use]
    pub fn factor(&self, level: f64) -> f64 {
        let above = ((level - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        // Not 1 - above * (1 - floor): at `high`, it is exactly the floor.
        (1.0 - above) + above * self.floor
    }

    pub(super) fn validate(&self, policy: &'static str) -> Result<(), InvalidSetting> {
        let &Self { low, high, floor } = self;
        let rule = "a number from 0 to 1";
        InvalidSetting::unless_within(policy, "curve.low", low, 0.0..=1.0, rule)?;
        let is_valid = high > low && high <= 1.0;
        let rule = "more than low and at most 1";
        InvalidSetting::unless(is_valid, policy, "curve.high", high, rule)?;
        InvalidSetting::unless_within(policy, "curve.floor", floor, 0.0..=1.0, "from 0 to 1")
    }
}
