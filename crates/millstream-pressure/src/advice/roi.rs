//! What backpressure is worth, and what it costs.

/// What is known before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiInput {
    /// Messages a second.
    pub per_second: f64,
    /// What a message is worth.
    pub value: f64,
    /// What the infrastructure costs an hour.
    pub cost_per_hour: f64,
    /// The share of messages that are lost without. Default: 0.05.
    pub drop_rate: f64,
    /// Crashes an hour without. Default: 0.001.
    pub crashes_per_hour: f64,
    /// Hours that a crash lasts. Default: 1.
    pub hours_per_crash: f64,
    /// The share of the lost messages that are lost no more. Default: 0.9.
    pub prevented: f64,
    /// What it costs, as a share of the infrastructure. Default: 0.1.
    pub overhead: f64,
}

/// What comes out of it, a day where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roi {
    /// What lost messages cost without.
    pub dropped: f64,
    /// What lost messages cost still.
    pub still_dropped: f64,
    /// What crashes cost without.
    pub crashes: f64,
    /// What it costs.
    pub overhead: f64,
    /// What is gained, less what it costs.
    pub benefit: f64,
    /// The same, a year of 365 days.
    pub benefit_per_year: f64,
    /// The benefit in percent of the cost; `None` if it costs nothing.
    pub percent: Option<f64>,
}

impl Default for RoiInput {
    /// Nothing passes and nothing costs, with what is usual for the rest.
    fn default() -> Self {
        Self {
            per_second: 0.0,
            value: 0.0,
            cost_per_hour: 0.0,
            drop_rate: 0.05,
            crashes_per_hour: 0.001,
            hours_per_crash: 1.0,
            prevented: 0.9,
            overhead: 0.1,
        }
    }
}

/// What backpressure is worth.
///
/// ```
/// use millstream_pressure::advice::{RoiInput, roi};
///
/// let known = RoiInput { per_second: 1e5, value: 0.001, ..RoiInput::default() };
/// let input = RoiInput { cost_per_hour: 500.0, ..known };
/// let roi = roi(&input);
/// assert_eq!(roi.benefit.round(), 396_240.0);
/// assert_eq!(roi.percent.map(f64::round), Some(33_020.0));
/// ```
#[must_use]
pub fn roi(input: &RoiInput) -> Roi {
    let per_hour = input.per_second * 3_600.0 * input.value;
    let dropped = per_hour * 24.0 * input.drop_rate;
    let still_dropped = dropped * (1.0 - input.prevented);
    let crashes = per_hour * input.hours_per_crash * input.crashes_per_hour * 24.0;
    let overhead = input.cost_per_hour * 24.0 * input.overhead;
    let benefit = dropped - still_dropped + crashes - overhead;
    Roi {
        dropped,
        still_dropped,
        crashes,
        overhead,
        benefit,
        benefit_per_year: benefit * 365.0,
        percent: (overhead > 0.0).then(|| benefit / overhead * 100.0),
    }
}
