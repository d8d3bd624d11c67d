//! `Policy`: what all policies have in common.

use crate::{InvalidSetting, Settings};

/// A handle that is cheap to clone; clones are the same policy.
pub trait Policy: Clone + Send + Sync + 'static {
    /// What can be set.
    type Config: Settings;

    /// A reading of state and counters.
    type Snapshot;

    /// The name that was given when it was made.
    fn name(&self) -> &str;

    /// The present configuration.
    fn config(&self) -> Self::Config;

    /// A consistent reading of state and counters.
    fn snapshot(&self) -> Self::Snapshot;

    /// Replaces the configuration. Takes effect for the future, and loses nothing that is in
    /// flight.
    ///
    /// # Errors
    ///
    /// `config` is not valid. Nothing has changed.
    fn reconfigure(&self, config: Self::Config) -> Result<(), InvalidSetting>;
}
