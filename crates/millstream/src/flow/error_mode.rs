//! `ErrorMode`: what the failure of one flow does to the others.

/// What the failure of one of several flows does to the others: an option of
/// [`merge`](crate::merge), [`flat_map`](crate::Flow::flat_map), [`concat_map`](crate::Flow::concat_map)
/// and their like.
///
/// In every mode the items that a flow gave before it failed come before its error.
/// The first failure counts; later ones are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorMode {
    /// The first failure ends everything: the other flows are canceled, and what waits of them is
    /// dropped.
    #[default]
    Immediate,
    /// The first failure is signaled when the flows that have begun have ended.
    /// No other flow begins, and the source of flows is canceled.
    /// Where all flows begin at once, this is
    /// [`Delayed`](Self::Delayed).
    Boundary,
    /// The other flows go on, and so does the source; the first failure is signaled when all of
    /// them have ended.
    Delayed,
}
