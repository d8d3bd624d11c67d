//! Which policy for which situation.

/// What is to be decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Whether so much passes that a wait of the producer matters.
    pub is_high_volume: bool,
    /// Whether the producer can be faster than the consumer, if only for a while.
    pub is_producer_faster: bool,
    /// What may be lost.
    pub loss: Loss,
    /// What waiting costs.
    pub latency: Latency,
}

/// What may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    Nothing,
    /// What is old: only the newest matters.
    Old,
    /// Some, as long as what remains stands for all.
    Some,
}

/// What waiting costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Little: a producer may be blocked.
    Tolerant,
    /// Much, and the load is even.
    Sensitive,
    /// Much, and the load comes in bursts.
    SensitiveInBursts,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Nothing: demand is enough.
    Demand,
    /// A bounded queue whose producers wait: [`WhenFull::Wait`](crate::WhenFull::Wait).
    Wait,
    /// [`WhenFull::DropOldest`](crate::WhenFull::DropOldest).
    DropOldest,
    /// [`WhenFull::Sample`](crate::WhenFull::Sample).
    Sample,
    /// A rate or a limit that follows the latency.
    Adaptive,
    /// Credits.
    Credits,
}

/// Which policy for which situation.
///
/// A producer that is never faster needs none, and at a low volume a bounded queue whose
/// producers wait costs nothing that anybody notices.
///
/// ```
/// use millstream_pressure::advice::{Advice, Latency, Loss, Situation, decide};
///
/// let telemetry = Situation {
///     is_high_volume: true,
///     is_producer_faster: true,
///     loss: Loss::Old,
///     latency: Latency::Tolerant,
/// };
/// assert_eq!(decide(telemetry), Advice::DropOldest);
/// ```
#[must_use]
pub fn decide(situation: Situation) -> Advice {
    let Situation { is_high_volume, is_producer_faster, loss, latency } = situation;
    match (loss, latency) {
        _ if !is_producer_faster => Advice::Demand,
        _ if !is_high_volume => Advice::Wait,
        (Loss::Old, _) => Advice::DropOldest,
        (Loss::Some, _) => Advice::Sample,
        (Loss::Nothing, Latency::Tolerant) => Advice::Wait,
        (Loss::Nothing, Latency::Sensitive) => Advice::Credits,
        (Loss::Nothing, Latency::SensitiveInBursts) => Advice::Adaptive,
    }
}
