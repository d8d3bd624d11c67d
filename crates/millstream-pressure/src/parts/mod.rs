//! The vocabulary that all policies share.

mod class;
mod clock;
mod keys;
mod latencies;
mod ledger;
mod meter;
mod offered;
mod one_worker;
mod permit;
mod policy;
mod pressure;
mod random;
mod reason;
mod rejected;
mod settings;
mod spans;
mod turn;
mod weigh;

pub use class::{Class, Criticality};
pub use clock::{Clock, Sleep};
pub(crate) use keys::Keys;
pub(crate) use latencies::Latencies;
pub use ledger::{Balance, Ledger};
pub use meter::{Meter, Metered};
pub(crate) use offered::Offered;
pub(crate) use one_worker::OneWorker;
pub use permit::{Grant, Outcome, Permit, Settle};
pub use policy::Policy;
pub use pressure::{Pressure, PressureSource};
pub use random::Random;
pub use reason::Reason;
pub use rejected::Rejected;
pub use settings::{InvalidSetting, Settings};
pub(crate) use spans::Spans;
pub(crate) use turn::{Look, Stay, Turn};
pub use weigh::{Items, Weigh};
