//! What several operators, hubs and bridges share.

pub(crate) mod closing;
pub(crate) mod downstream;
pub(crate) mod fan_in;
pub(crate) mod inlet;
pub(crate) mod junction;
pub(crate) mod outlet;
pub(crate) mod sequence;
pub(crate) mod shed;
pub(crate) mod terminal;
