//! The consumer of a broker: how much it polls, in which batches, how far it lags behind, and how
//! many workers it needs.

mod batch;
mod lag;
mod poll;
mod pool_gate;
mod scale;

pub use self::{
    batch::{BatchSized, BatchSizer, BatchSizerConfig, BatchSizerSnapshot},
    lag::{Lag, LagConfig, LagReading, LagSnapshot},
    poll::{PollBound, PollConfig, PollSize, PollSizer, PollSnapshot, PollTurn, Polled},
    pool_gate::{PoolConfig, PoolGate, PoolSnapshot},
    scale::{Scale, ScaleConfig, ScaleSnapshot, Scaler},
};
