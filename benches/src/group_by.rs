//! Many keys, and a sum for each: the cost of finding the sum's place, and of bringing the item
//! there.

use std::collections::HashMap;

use millstream::range;

use crate::map;

/// Keys that come in no order.
fn key(n: u64, n_keys: u64) -> u64 {
    map(n) % n_keys
}

/// A `HashMap` in a loop.
#[must_use]
pub fn by_hash_map(n: u64, n_keys: u64) -> u64 {
    let mut sums = HashMap::<u64, u64>::new();
    for n in 0..n {
        let sum = sums.entry(key(n, n_keys)).or_default();
        *sum = sum.wrapping_add(n);
    }
    sums.into_values().fold(0, |all, sum| all.wrapping_add(mixed(sum)))
}

/// A group for each key, folded where it is.
#[must_use]
pub fn by_group_by(n: u64, n_keys: u64) -> u64 {
    let max_groups = n_keys as usize;
    let groups = range(0..n).group_by(move |n| key(*n, n_keys)).max_groups(max_groups).capacity(32);
    let sums = groups.map(|group| group.fold(0, u64::wrapping_add)).collect::<Vec<_>>();
    let sums = sums.wait().unwrap_or_default().into_iter().map(|sum| sum.wait().unwrap_or(0));
    sums.fold(0, |all, sum| all.wrapping_add(mixed(sum)))
}

/// A group for each key, whose running sums are passed on together.
#[must_use]
pub fn by_group_map(n: u64, n_keys: u64) -> u64 {
    let max_groups = n_keys as usize;
    let sums = range(0..n)
        .group_map(
            move |n| key(*n, n_keys),
            |group| {
                let sums = group.scan(0, |sum: &mut u64, n| {
                    *sum = sum.wrapping_add(n);
                    Some(*sum)
                });
                sums.take_last(1)
            },
        )
        .max_groups(max_groups)
        .capacity(32);
    sums.fold(0, |all: u64, sum| all.wrapping_add(mixed(sum))).wait().unwrap_or(0)
}

/// So that a sum of all items would not do.
fn mixed(sum: u64) -> u64 {
    map(sum)
}
