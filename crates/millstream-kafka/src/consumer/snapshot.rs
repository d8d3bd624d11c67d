//! `ConsumerSnapshot`: what a consumer is doing.

use std::sync::Arc;

/// What a consumer is doing, as of a moment ago.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerSnapshot {
    /// The partitions that are this member's.
    pub partitions: Vec<PartitionSnapshot>,
    /// How often partitions were given to it or taken away.
    pub rebalances: u64,
    /// How often a partition was paused, because nobody asked for its records.
    pub pauses: u64,
    /// What the client complained of last, such as a connection that was lost.
    pub last_complaint: Option<String>,
}

/// What a consumer is doing with a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionSnapshot {
    /// Its topic.
    pub topic: Arc<str>,
    /// Its number.
    pub partition: i32,
    /// The offset before which everything was acknowledged here, if anything was.
    pub acknowledged: Option<u64>,
    /// What the group has committed, as of the client's last word.
    pub committed: Option<u64>,
    /// How many offsets are behind that; `None` until the client has said where the partition ends,
    /// which it does [every so often](crate::ConsumerConfig::lag_every).
    pub lag: Option<u64>,
    /// How many records are here for which nobody has asked.
    pub held: u64,
    /// How many were passed on and are not settled.
    pub unsettled: u64,
    /// Whether it is paused.
    pub is_paused: bool,
}

impl ConsumerSnapshot {
    /// The lag of all partitions, as far as it is known.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.partitions.iter().filter_map(|partition| partition.lag).sum()
    }

    /// The partitions that lag more than `factor` times as far behind as the median of all, and
    /// those with no more than `least` left out: a key that is too common, or a partitioner that is
    /// not fair.
    #[must_use]
    pub fn hot_partitions(&self, factor: u64, least: u64) -> Vec<&PartitionSnapshot> {
        let mut lags: Vec<_> = self.partitions.iter().filter_map(|each| each.lag).collect();
        lags.sort_unstable();
        let Some(median) = lags.get(lags.len().saturating_sub(1) / 2) else { return Vec::new() };
        let bound = median.saturating_mul(factor).max(least);
        self.partitions.iter().filter(|each| each.lag.is_some_and(|lag| lag > bound)).collect()
    }
}

#[test]
fn a_partition_that_lags_far_behind_the_others_is_hot() {
    let partition = |partition, lag| PartitionSnapshot {
        topic: "orders".into(),
        partition,
        acknowledged: None,
        committed: None,
        lag,
        held: 0,
        unsettled: 0,
        is_paused: false,
    };
    let lags = [Some(10), Some(12), Some(900), None];
    let partitions = (0..).zip(lags).map(|(n, lag)| partition(n, lag)).collect();
    let snapshot = ConsumerSnapshot { partitions, ..ConsumerSnapshot::default() };
    let hot = |factor, least| -> Vec<_> {
        snapshot.hot_partitions(factor, least).iter().map(|each| each.partition).collect()
    };
    assert_eq!(hot(5, 100), [2]);
    assert_eq!(hot(5, 1_000), [] as [i32; 0]);
    assert_eq!(snapshot.lag(), 922);
    assert!(ConsumerSnapshot::default().hot_partitions(2, 0).is_empty());
}
