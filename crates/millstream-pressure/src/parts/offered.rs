//! `Offered`: a call between its beginning and what becomes of it.

use crate::{Ledger, Reason, Rejected};

/// A call that was counted, and is accounted for also when its future is dropped.
pub(crate) struct Offered<'a>(Option<&'a Ledger>);

impl<'a> Offered<'a> {
    pub(crate) fn new(ledger: &'a Ledger) -> Self {
        ledger.offer(1);
        Self(Some(ledger))
    }

    /// The permit accounts for it from here on.
    pub(crate) fn accept(mut self) {
        self.0 = None;
    }

    /// It has ended.
    pub(crate) fn deliver(mut self) {
        if let Some(ledger) = self.0.take() {
            ledger.deliver(1);
        }
    }

    /// It is refused.
    pub(crate) fn refuse(mut self, reason: Reason) -> Rejected<()> {
        if let Some(ledger) = self.0.take() {
            ledger.discard(reason, 1);
        }
        Rejected::new((), reason)
    }
}

impl Drop for Offered<'_> {
    fn drop(&mut self) {
        if let Some(ledger) = self.0 {
            ledger.discard(Reason::Canceled, 1);
        }
    }
}
