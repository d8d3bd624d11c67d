//! How far the log has come, which one line with a wrong clock does not decide.

/// How many lines in a row have to be far from the time so far to be believed.
const N_BELIEVED: usize = 8;

/// The time of the log, by the minutes of its lines.
///
/// A line within `reach` seconds may move it forward. Lines that are further away, in either
/// direction, move it when eight of them follow each other, as they do after a gap in the log, and
/// to the smallest of them: a time that is too early closes no minute too soon.
pub(crate) struct Clock {
    now: Option<i64>,
    reach: i64,
    n_strays: usize,
    /// The smallest minute of the strays.
    stray: i64,
}

impl Clock {
    pub(crate) fn new(reach: i64) -> Self {
        Self { now: None, reach, n_strays: 0, stray: i64::MAX }
    }

    /// The latest minute, once there was a line.
    pub(crate) fn now(&self) -> Option<i64> {
        self.now
    }

    /// Notes the minute of a line.
    pub(crate) fn see(&mut self, minute: i64) {
        let now = *self.now.get_or_insert(minute);
        if now.abs_diff(minute) <= self.reach.unsigned_abs() {
            self.now = Some(now.max(minute));
            (self.n_strays, self.stray) = (0, i64::MAX);
            return;
        }
        self.n_strays += 1;
        self.stray = self.stray.min(minute);
        if self.n_strays == N_BELIEVED {
            self.now = Some(self.stray);
            (self.n_strays, self.stray) = (0, i64::MAX);
        }
    }

    /// Begins anew.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.reach);
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    fn after(minutes: &[i64]) -> Option<i64> {
        let mut clock = Clock::new(300);
        minutes.iter().for_each(|minute| clock.see(*minute));
        clock.now()
    }

    #[test]
    fn lines_within_reach_move_it_forward_alone() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[600, 660, 360]), Some(660));
        assert_eq!(after(&[600, 900, 1200]), Some(1200));
    }

    #[test]
    fn strays_between_good_lines_do_not_move_it() {
        let mixed: Vec<i64> =
            (0..100).flat_map(|_| [[1_000_000; 7].as_slice(), &[60]].concat()).collect();

        assert_eq!(after(&[&[0], &mixed[..]].concat()), Some(60));
        assert_eq!(after(&[&[2_000_000], &mixed[..]].concat()), Some(60), "a wrong start");
    }

    #[test]
    fn a_gap_and_a_wrong_start_are_believed_after_eight_lines() {
        assert_eq!(after(&[&[0][..], &[9000; 7]].concat()), Some(0));
        assert_eq!(after(&[&[0][..], &[9060], &[9000; 7]].concat()), Some(9000));
        assert_eq!(after(&[&[9000][..], &[0; 7], &[60]].concat()), Some(0));
        assert_eq!(after(&[&[i64::MIN][..], &[i64::MAX; 8]].concat()), Some(i64::MAX));
    }
}
