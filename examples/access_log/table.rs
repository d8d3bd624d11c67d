//! The table at the end: what passed each stage.

use std::{fs, time::Duration};

use comfy_table::{CellAlignment, Table, presets};

use crate::meter::Meter;

/// One row for each meter, and below what the process took.
pub(crate) fn table(meters: &[&Meter], elapsed: Duration) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_BORDERS_ONLY_CONDENSED);
    table.set_header(["stage", "items", "requested", "delivered", "in flight at most"]);
    for meter in meters {
        let count = meter.count();
        let requested = match count.requested {
            // No demand is counted there.
            0 => "-".to_owned(),
            u64::MAX => "unbounded".to_owned(),
            n => n.to_string(),
        };
        let delivered = count.delivered.to_string();
        let most = count.most_in_flight.to_string();
        table.add_row([meter.name, meter.items, &requested, &delivered, &most]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{table}\npeak memory {}, time {elapsed:.2?}", peak_memory())
}

/// The most memory that the process has had, where the system tells.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or("unknown".to_owned(), |text| text.trim().to_owned())
}
