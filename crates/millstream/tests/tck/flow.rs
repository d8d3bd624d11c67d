//! Flows without their types under the TCK.

use millstream::range;
use reactive_streams_tck::publisher_tests;

publisher_tests!(through, |n| range(0..n).through(|flow| flow.map(|n| n)));
publisher_tests!(boxed, |n| range(0..n).boxed());
publisher_tests!(boxed_clone, |n| range(0..n).boxed_clone());
