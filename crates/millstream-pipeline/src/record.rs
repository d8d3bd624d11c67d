//! `Record`: what flows through a pipeline.

#[cfg(feature = "receipts")]
use std::sync::Weak;
use std::{cell::Cell, fmt, sync::Arc, time::Duration};

use millstream_pressure::{Acknowledge, Acknowledgement, Outcome, Permit, Settlement};
use serde_json::Value;

/// An item on its way from the source to the sink.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) value: Value,
    /// When it came, or was due, by the clock of the pipeline.
    pub(crate) born: Duration,
    /// What flow control gave it, to be finished when it has been dealt with.
    permit: Option<Permit>,
    /// What its system is to be told, if it has one that waits for that.
    receipt: Receipt,
}

/// The duty to tell a system what became of an item. Its drop has the item be delivered again,
/// unless it was stored.
#[derive(Default)]
pub(crate) struct Receipt(Option<Box<dyn Settle>>);

/// The acknowledgement of some system.
trait Settle: Send {
    fn settle(self: Box<Self>, settlement: Settlement);

    /// It is on the disk here, and is acknowledged when it is dropped.
    fn stored(&self);
}

#[cfg_attr(not(feature = "receipts"), expect(dead_code, reason = "no source waits for it"))]
struct Pending<A: Acknowledge> {
    acknowledgement: Option<Acknowledgement<A>>,
    is_stored: Cell<bool>,
    /// Alive as long as its system is not told.
    _outstanding: Option<Arc<()>>,
}

impl<A: Acknowledge> Settle for Pending<A> {
    fn settle(mut self: Box<Self>, settlement: Settlement) {
        if let Some(acknowledgement) = self.acknowledgement.take() {
            acknowledgement.settle(settlement);
        }
    }

    fn stored(&self) {
        self.is_stored.set(true);
    }
}

impl<A: Acknowledge> Drop for Pending<A> {
    fn drop(&mut self) {
        if let Some(acknowledgement) = self.acknowledgement.take()
            && self.is_stored.get()
        {
            acknowledgement.ack();
        }
    }
}

impl Receipt {
    /// It has been dealt with.
    pub(crate) fn ack(self) {
        if let Some(settle) = self.0 {
            settle.settle(Settlement::Ack);
        }
    }

    /// It never will be.
    pub(crate) fn reject(self, reason: String) {
        if let Some(settle) = self.0 {
            settle.settle(Settlement::Reject { reason });
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receipt").field(&self.0.is_some()).finish()
    }
}

impl Record {
    pub(crate) fn new(value: Value, born: Duration) -> Self {
        Self { value, born, permit: None, receipt: Receipt::default() }
    }

    pub(crate) fn with_permit(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// Its system waits for this. `outstanding` is alive until it has been told.
    #[cfg(feature = "receipts")]
    pub(crate) fn with_receipt<A: Acknowledge + Send>(
        mut self,
        acknowledgement: Acknowledgement<A>,
        outstanding: &Weak<()>,
    ) -> Self {
        self.receipt = Receipt(Some(Box::new(Pending {
            acknowledgement: Some(acknowledgement),
            is_stored: Cell::new(false),
            _outstanding: outstanding.upgrade(),
        })));
        self
    }

    /// It is in the sink, whose receipt is still to be given.
    pub(crate) fn arrived(self) -> (Value, Receipt) {
        if let Some(permit) = self.permit {
            permit.finish(Outcome::Success);
        }
        (self.value, self.receipt)
    }

    /// It has become part of another one.
    pub(crate) fn joined(self) {
        self.arrived().1.ack();
    }

    /// It is on the disk here: when it is dropped, its system may forget it.
    pub(crate) fn stored(&self) {
        if let Some(settle) = &self.receipt.0 {
            settle.stored();
        }
    }

    /// A queue has dropped it as it should: it is not delivered again.
    pub(crate) fn dropped(self) {
        self.receipt.ack();
    }

    /// A stage has dropped it as it should.
    pub(crate) fn left_out(self) {
        if let Some(permit) = self.permit {
            permit.finish(Outcome::Ignored);
        }
        self.receipt.ack();
    }

    /// A stage can do nothing with it, now or later.
    pub(crate) fn rejected(self, reason: String) {
        if let Some(permit) = self.permit {
            permit.finish(Outcome::Ignored);
        }
        self.receipt.reject(reason);
    }

    /// What it weighs as a line, about.
    pub(crate) fn bytes(value: &Value) -> u64 {
        let of = |parts: &mut dyn Iterator<Item = u64>| parts.sum::<u64>() + 2;
        match value {
            Value::Null | Value::Bool(_) => 4,
            Value::Number(_) => 8,
            Value::String(text) => text.len() as u64 + 2,
            Value::Array(items) => of(&mut items.iter().map(|item| Self::bytes(item) + 1)),
            Value::Object(fields) => of(&mut fields
                .iter()
                .map(|(name, value)| name.len() as u64 + 4 + Self::bytes(value))),
        }
    }
}
