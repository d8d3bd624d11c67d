//! Operators that let some items through under the TCK.

use millstream::{KillSwitch, range};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

publisher_tests!(
    filter,
    |n| range(0..2 * n).filter(|n| n % 2 == 0),
    Capabilities::new().max_length(1 << 40).numbering(Numbering::Any)
);
publisher_tests!(filter_map, |n| range(0..n).filter_map(Some));
publisher_tests!(take, |n| range(0..).take(n));
publisher_tests!(take_while, |n| range(0..).take_while(move |i| *i < n));
publisher_tests!(skip, |n| range(0..n.saturating_add(3)).skip(3));
publisher_tests!(skip_while, |n| range(0..n.saturating_add(3)).skip_while(|i| *i < 3));
publisher_tests!(
    distinct,
    |n| range(0..2 * n).distinct_by_key(|n| n / 2),
    Capabilities::new().max_length(100_000).numbering(Numbering::Any)
);
publisher_tests!(
    distinct_until_changed,
    |n| range(0..2 * n).distinct_until_changed_by_key(|n| n / 2),
    Capabilities::new().max_length(1 << 40).numbering(Numbering::Any)
);
publisher_tests!(skip_last, |n| range(0..n.saturating_add(3)).skip_last(3));
publisher_tests!(take_last, |_| range(0..9).take_last(5), Capabilities::new().exact_length(5));
publisher_tests!(kill_switch, |n| range(0..n).kill_switch(&KillSwitch::new()));
