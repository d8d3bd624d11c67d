//! Operators that turn each item into many under the TCK.

use millstream::{just, range};
use reactive_streams_tck::publisher_tests;

publisher_tests!(concat_map, |n| range(0..n).concat_map(just));
publisher_tests!(flat_map_iter, |n| range(0..n).flat_map_iter(Some));
