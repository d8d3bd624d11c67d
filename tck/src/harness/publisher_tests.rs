//! The macro that makes tests of checks.

/// One test per check on the publisher that a closure makes for a number of items.
///
/// The tests stand in a module of the given name, so that `cargo test -- name` runs them all and
/// `cargo test -- rule_3_9` the checks of one rule.
/// Where a file has the name already, because it uses a crate that is called so, give the tests a
/// module around them, as in the second example. The third argument declares
/// [`Capabilities`](crate::Capabilities); without it the publisher is synchronous, of any length,
/// and completes.
///
/// `failing: || publisher` after the first closure makes a publisher that fails as soon as it can
/// (rule 1.4).
/// Written with `clone` before the name, the publisher is subscribed to several times as well (rule
/// 1.11); written with `subject`, the tests are those of any [`Subject`](crate::Subject).
///
/// # Examples
///
/// ```
/// use reactive_streams::Error;
/// use reactive_streams_tck::{
///     Capabilities, Sharing, Subject, publisher_tests,
///     reference::{failed, iterate, multicast, on_turns},
/// };
///
/// publisher_tests!(numbers, |n| iterate(0..n));
/// publisher_tests!(a_few, |n| iterate(0..n), Capabilities::new().max_length(3));
/// publisher_tests!(failing, |n| iterate(0..n), failing: || failed(Error::message("no")));
/// publisher_tests!(clone hub, |n| multicast(0..n),
///     Capabilities::new().sharing(Sharing::Multicast));
/// publisher_tests!(
///     subject in_turns,
///     Subject::on_turns("in_turns", Capabilities::new(),
///         |n, turns| on_turns(iterate(0..n), turns))
/// );
/// ```
///
/// Tests with the name of a crate that the file uses, in a module around them:
///
/// ```
/// use reactive_streams::Publisher;
///
/// mod tck {
///     use super::*;
///     use reactive_streams_tck::{publisher_tests, reference::multicast};
///
///     publisher_tests!(clone reactive_streams, |n| multicast(0..n));
/// }
/// ```
#[macro_export]
macro_rules! publisher_tests {
    (clone $name:ident, $create:expr $(,)?) => {
        $crate::publisher_tests!(clone $name, $create, $crate::Capabilities::new());
    };
    (clone $name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::publisher_tests!(
            subject $name,
            $crate::Subject::cloneable(stringify!($name), $capabilities, $create)
        );
    };
    (subject $name:ident, $subject:expr $(,)?) => {
        $crate::publisher_checks!(check_tests $name, |_: &str| $subject,);
    };
    ($name:ident, $create:expr, failing: $fail:expr $(,)?) => {
        $crate::publisher_tests!($name, $create, failing: $fail, $crate::Capabilities::new());
    };
    ($name:ident, $create:expr, failing: $fail:expr, $capabilities:expr $(,)?) => {
        $crate::publisher_tests!(
            subject $name,
            $crate::Subject::with_failing(stringify!($name), $capabilities, $create, $fail)
        );
    };
    ($name:ident, $create:expr $(,)?) => {
        $crate::publisher_tests!($name, $create, $crate::Capabilities::new());
    };
    ($name:ident, $create:expr, $capabilities:expr $(,)?) => {
        $crate::publisher_tests!(
            subject $name,
            $crate::Subject::of(stringify!($name), $capabilities, $create)
        );
    };
}
