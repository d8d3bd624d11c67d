//! Range, map, filter, sum, by millstream and its peers.

use millstream::range;

use crate::{keep, map, sum};

/// By hand.
#[must_use]
pub fn by_loop(n: u64) -> u64 {
    let mut sum = 0_u64;
    let mut i = 0;
    while i < n {
        let item = map(i);
        if keep(item) {
            sum = sum.wrapping_add(item);
        }
        i += 1;
    }
    sum
}

/// By `std`.
#[must_use]
pub fn by_iterator(n: u64) -> u64 {
    (0..n).map(map).filter(|n| keep(*n)).fold(0, u64::wrapping_add)
}

/// By a stream.
#[cfg(feature = "peers")]
#[must_use]
pub fn by_futures(n: u64) -> u64 {
    use futures::{StreamExt, executor::block_on, stream};

    let items = stream::iter(0..n).map(map).filter(|n| std::future::ready(keep(*n)));
    block_on(items.fold(0, |sum, n| std::future::ready(u64::wrapping_add(sum, n))))
}

/// By a flow, whose subscriber asks for `batch` items at a time, or for all of them with 0.
#[must_use]
pub fn by_millstream(n: u64, batch: u64) -> u64 {
    sum(range(0..n).map(map).filter(|n| keep(*n)), batch)
}

/// By a flow that is run by `fold`.
#[must_use]
pub fn by_fold(n: u64) -> u64 {
    range(0..n).map(map).filter(|n| keep(*n)).fold(0, u64::wrapping_add).wait().unwrap_or(0)
}

/// By tokio's streams.
#[cfg(feature = "peers")]
#[must_use]
pub fn by_tokio_stream(n: u64) -> u64 {
    use tokio_stream::{StreamExt, iter};

    let items = iter(0..n).map(map).filter(|n| keep(*n));
    futures::executor::block_on(items.fold(0, u64::wrapping_add))
}

/// By an observable, which knows no demand.
#[cfg(feature = "peers")]
#[must_use]
pub fn by_rxrust(n: u64) -> u64 {
    use rxrust::prelude::{Local, Observable, ObservableFactory};

    let mut sum = 0_u64;
    let items = Local::from_iter(0..n).map(map).filter(|n: &u64| keep(*n));
    items.subscribe(|item| sum = sum.wrapping_add(item));
    sum
}
