//! A flight as marble diagrams, in text.

use std::fmt::Write as _;

use super::{Flight, FlowFlight};
use crate::describe::plain;

/// The most columns of time.
const COLUMNS: f64 = 60.0;

impl Flight {
    /// Marbles: a line for each stage, time from left to right.
    ///
    /// | sign | meaning |
    /// |---|---|
    /// | `-` | time passes: one column |
    /// | `r4`, `r∞` | a request, for so many items |
    /// | `o` | an item |
    /// | `.` | an item that the next operator dropped |
    /// | `\|` `#` `x` | the flow has completed, has failed, was canceled |
    /// | `(r2 o o)` | several signals in one column |
    ///
    /// Columns of all stages of a flow are of the same time, as long as the line of none has got
    /// ahead of it for lack of room.
    #[must_use]
    pub fn to_marbles(&self) -> String {
        let mut text = String::new();
        for flow in &self.flows {
            flow.write_marbles(&mut text);
        }
        text
    }
}

impl FlowFlight {
    /// Marbles of this flow alone: see [`Flight::to_marbles`].
    #[must_use]
    pub fn to_marbles(&self) -> String {
        let mut text = String::new();
        self.write_marbles(&mut text);
        text
    }

    fn write_marbles(&self, text: &mut String) {
        let Some((first, last)) = self.span() else { return };
        let end = self.at_seconds.max(last);
        let column = step((end - first) / COLUMNS);
        let (all, each) = (words(end - first), words(column));
        // Writing to a string does not fail.
        let _written = writeln!(text, "{}, the last {all}, {each} a column", plain(&self.name));
        let width = self.stages.iter().map(|stage| plain(&stage.name).chars().count()).max();
        for stage in &self.stages {
            let name = plain(&stage.name);
            let _written = write!(text, "{name:width$}  ", width = width.unwrap_or(0));
            let at = |seconds: f64| ((seconds - first) / column + 1e-6) as usize;
            let (mut n_columns, mut signals) = (0, &stage.signals[..]);
            while let Some(signal) = signals.first() {
                let now = at(signal.at_seconds);
                let n_here = signals.iter().take_while(|it| at(it.at_seconds) <= now).count();
                let signs: Vec<String> = signals[..n_here].iter().map(|it| it.sign()).collect();
                let signs = signs.join(" ");
                let signs = if n_here > 1 { format!("({signs})") } else { signs };
                text.extend(std::iter::repeat_n('-', now.saturating_sub(n_columns)));
                text.push_str(&signs);
                n_columns = n_columns.max(now) + signs.chars().count();
                signals = &signals[n_here..];
            }
            let is_ended = stage.signals.last().is_some_and(|it| "|#x".contains(&*it.sign()));
            if !is_ended {
                text.extend(std::iter::repeat_n('-', at(end).saturating_sub(n_columns)));
            }
            text.push('\n');
        }
    }
}

/// 1, 2 or 5 of a unit, and at least as much.
fn step(least: f64) -> f64 {
    let mut unit = 1e-3;
    loop {
        for n in [1.0, 2.0, 5.0] {
            if n * unit >= least {
                return n * unit;
            }
        }
        unit *= 10.0;
    }
}

fn words(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds} s") }
}
