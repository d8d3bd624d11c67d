//! Operators that look on under the TCK.

use millstream::range;
use reactive_streams_tck::publisher_tests;

publisher_tests!(inspect, |n| range(0..n).inspect(|_| {}));
