//! The same chain, 1, 5 and 20 operators deep, by millstream and its peers.
//!
//! Five operators are map, filter, map, filter, map; twenty are four times those.

use std::future::ready;

use futures::{StreamExt as _, executor::block_on, stream};
use millstream::{BoxPublisher, Flow, Range, range};

use crate::{mix, pass};

/// How deep the chains are.
pub const DEPTHS: [usize; 3] = [1, 5, 20];

/// One peer: its name, and what runs `n` items through a chain of each of [`DEPTHS`].
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// As criterion and the report call it.
    pub name: &'static str,
    /// From the number of items to the sum of what is left, as deep as the peer goes.
    pub run: &'static [fn(u64) -> u64],
}

/// Three functions, one for each depth, from what makes a source, what filters, and what sums.
macro_rules! runs {
    ($source:expr, $pass:expr, $sum:expr) => {
        &[
            |n| $sum($source(n).map(mix)),
            |n| $sum(five!($source(n), $pass)),
            |n| $sum(five!(five!(five!(five!($source(n), $pass), $pass), $pass), $pass)),
        ]
    };
}

/// `five!(source, predicate)`: the source with five operators behind it.
macro_rules! five {
    ($source:expr, $pass:expr) => {
        $source.map(mix).filter($pass).map(mix).filter($pass).map(mix)
    };
}

/// All peers, the loop first.
pub const PEERS: [Peer; 8] = [
    Peer {
        name: "loop",
        run: &[|n| by_loop(n, one), |n| by_loop(n, five), |n| by_loop(n, twenty)],
    },
    Peer { name: "iterator", run: runs!(|n| 0..n, |n| pass(*n), sum_of_iterator) },
    Peer {
        name: "futures",
        run: runs!(|n| stream::iter(0..n), |n| ready(pass(*n)), sum_of_stream),
    },
    Peer { name: "tokio_stream", run: &[tokio::one, tokio::five, tokio::twenty] },
    // The type of rxrust's twenty operators takes the compiler minutes.
    Peer { name: "rxrust", run: &[rx::one, rx::five] },
    Peer { name: "millstream", run: runs!(numbers, |n| pass(*n), |flow| crate::sum(flow, 0)) },
    Peer { name: "millstream_fold", run: runs!(numbers, |n| pass(*n), sum_by_fold) },
    Peer { name: "millstream_boxed", run: &[|n| boxed(n, 1), |n| boxed(n, 5), |n| boxed(n, 20)] },
];

fn one(item: u64) -> Option<u64> {
    Some(mix(item))
}

#[inline(always)]
fn five(item: u64) -> Option<u64> {
    let item = mix(item);
    if !pass(item) {
        return None;
    }
    let item = mix(item);
    if !pass(item) {
        return None;
    }
    Some(mix(item))
}

#[inline(always)]
fn twenty(item: u64) -> Option<u64> {
    five(five(five(five(item)?)?)?)
}

/// By hand.
#[inline(always)]
fn by_loop(n: u64, chain: impl Fn(u64) -> Option<u64>) -> u64 {
    let mut sum = 0_u64;
    for i in 0..n {
        if let Some(item) = chain(i) {
            sum = sum.wrapping_add(item);
        }
    }
    sum
}

fn numbers(n: u64) -> Flow<Range<u64>> {
    range(0..n)
}

fn sum_of_iterator(items: impl Iterator<Item = u64>) -> u64 {
    items.fold(0, u64::wrapping_add)
}

fn sum_of_stream(items: impl stream::Stream<Item = u64>) -> u64 {
    block_on(items.fold(0, |sum, n| ready(u64::wrapping_add(sum, n))))
}

fn sum_by_fold(flow: Flow<impl millstream::Publisher<Item = u64>>) -> u64 {
    flow.fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

mod tokio {
    use futures::executor::block_on;
    use tokio_stream::{Stream, StreamExt, iter};

    use crate::{mix, pass};

    fn sum(items: impl Stream<Item = u64>) -> u64 {
        block_on(items.fold(0, u64::wrapping_add))
    }

    pub(super) fn one(n: u64) -> u64 {
        sum(iter(0..n).map(mix))
    }

    pub(super) fn five(n: u64) -> u64 {
        sum(five!(iter(0..n), |n| pass(*n)))
    }

    pub(super) fn twenty(n: u64) -> u64 {
        let source = five!(iter(0..n), |n| pass(*n));
        let source = five!(source, |n| pass(*n));
        let source = five!(source, |n| pass(*n));
        sum(five!(source, |n| pass(*n)))
    }
}

mod rx {
    use rxrust::prelude::{Local, Observable, ObservableFactory};

    use crate::{mix, pass};

    pub(super) fn one(n: u64) -> u64 {
        let mut sum = 0_u64;
        Local::from_iter(0..n).map(mix).subscribe(|item| sum = sum.wrapping_add(item));
        sum
    }

    pub(super) fn five(n: u64) -> u64 {
        let mut sum = 0_u64;
        five!(Local::from_iter(0..n), |n| pass(*n)).subscribe(|item| sum = sum.wrapping_add(item));
        sum
    }
}

/// The flow of twenty operators, in one type.
pub fn flow_of_twenty(n: u64) -> Flow<impl millstream::Publisher<Item = u64>> {
    five!(five!(five!(five!(numbers(n), |n| pass(*n)), |n| pass(*n)), |n| pass(*n)), |n| pass(*n))
}

/// A flow whose type is erased after each operator.
pub fn boxed_flow(n: u64, depth: usize) -> Flow<BoxPublisher<u64>> {
    let mut flow = range(0..n).boxed();
    for level in 0..depth {
        // The second and fourth of five filter.
        flow = if level % 5 % 2 == 1 {
            flow.filter(|n| pass(*n)).boxed()
        } else {
            flow.map(mix).boxed()
        };
    }
    flow
}

/// Runs a [`boxed_flow`].
#[must_use]
pub fn boxed(n: u64, depth: usize) -> u64 {
    sum_by_fold(boxed_flow(n, depth))
}

/// `map` this often, in one type for each of 1, 2, 4, 8, 16, 32 and 64.
#[must_use]
pub fn maps(n: u64, depth: usize) -> u64 {
    macro_rules! repeat {
        ($flow:ident) => { $flow.map(mix) };
        ($flow:ident x $($half:tt)*) => {{
            let $flow = repeat!($flow $($half)*);
            repeat!($flow $($half)*)
        }};
    }
    macro_rules! chain {
        ($($half:tt)*) => {{
            let flow = range(0..n);
            sum_by_fold(repeat!(flow $($half)*))
        }};
    }
    match depth {
        1 => chain!(),
        2 => chain!(x),
        4 => chain!(x x),
        8 => chain!(x x x),
        16 => chain!(x x x x),
        32 => chain!(x x x x x),
        _ => chain!(x x x x x x),
    }
}
