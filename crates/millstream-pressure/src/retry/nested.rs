//! Which budgets the call that runs on this thread was counted by.
//!
//! Layers nest: what retries calls what hedges, or the other way round, and both have the budget of
//! the dependency. An attempt is polled by whoever made it, so that the thread knows, while it
//! polls it, in which calls it is.

use std::{cell::RefCell, sync::Arc};

use super::RetryBudget;

thread_local! {
    /// The budgets of the attempts that are being polled, by their addresses, outermost first.
    static WITHIN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn address(budget: &RetryBudget) -> usize {
    Arc::as_ptr(&budget.0).addr()
}

/// Leaves the innermost attempt, also when it panics.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        // On a thread that ends there is nothing left to leave.
        let _ = WITHIN.try_with(|within| within.borrow_mut().pop());
    }
}

/// Runs a part of an attempt of `budget`.
pub(super) fn within<R>(budget: &RetryBudget, run: impl FnOnce() -> R) -> R {
    let has_entered = WITHIN.try_with(|within| within.borrow_mut().push(address(budget))).is_ok();
    let _leave = has_entered.then_some(Leave);
    run()
}

/// Returns whether this thread is in an attempt of `budget`.
pub(super) fn is_within(budget: &RetryBudget) -> bool {
    WITHIN.try_with(|within| within.borrow().contains(&address(budget))).unwrap_or(false)
}
