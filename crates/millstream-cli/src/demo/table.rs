//! A row each second.

use std::io::{self, Write};

use super::shop::Row;

/// The table of a demo without a page.
pub(super) struct Table {
    /// Made, sold and lost until the last row.
    before: (u64, u64, u64, f64),
    has_head: bool,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { before: (0, 0, 0, 0.0), has_head: false }
    }

    /// The last row may be of no whole second.
    pub(super) fn print(
        &mut self,
        row: &Row,
        is_last: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let lost = row.queue.balance.total_dropped();
        let elapsed = row.elapsed.as_secs_f64();
        let seconds = elapsed - self.before.3;
        if is_last && seconds < 0.2 {
            return Ok(());
        }
        if !self.has_head {
            self.has_head = true;
            writeln!(
                out,
                "{:>5}  {:<12} {:>9} {:>9} {:>9} {:>8} {:>10} {:>9}",
                "time", "policy", "orders/s", "sold/s", "lost/s", "waiting", "p99", "memory"
            )?;
        }
        let (made, sold, dropped, _) = self.before;
        let rate = |now: u64, before: u64| (now - before) as f64 / seconds.max(0.05);
        let policy = row.policy.name();
        let memory = row.memory.map_or_else(
            || "-".to_owned(),
            |bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        );
        writeln!(
            out,
            "{elapsed:>4.0}s  {policy:<12} {:>9.0} {:>9.0} {:>9.0} {:>8} {:>10} {memory:>9}",
            rate(row.made, made),
            rate(row.sold, sold),
            rate(lost, dropped),
            row.queue.items,
            format!("{:.1?}", row.p99),
        )?;
        self.before = (row.made, row.sold, lost, elapsed);
        Ok(())
    }
}
