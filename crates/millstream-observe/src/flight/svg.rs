//! A flight as a picture.

use std::fmt::Write as _;

use super::{Flight, FlightSignal, FlowFlight};
use crate::svg::{Canvas, escaped};

const LEFT: f64 = 190.0;
const WIDTH: f64 = 760.0;
const ROW: f64 = 34.0;

impl Flight {
    /// Marbles as SVG: a line for each stage, with items on it and requests below. It follows the
    /// light or dark of what shows it.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut canvas = Canvas::default();
        let mut y = 16.0;
        for flow in &self.flows {
            y = draw(&mut canvas, flow, y);
        }
        canvas.finish(LEFT + WIDTH + 40.0, y, &format!("The last signals of {}", self.name))
    }
}

fn draw(canvas: &mut Canvas, flow: &FlowFlight, mut y: f64) -> f64 {
    let Some((first, last)) = flow.span() else { return y };
    let end = flow.at_seconds.max(last);
    let x_of = |at: f64| LEFT + WIDTH * ((at - first) / (end - first).max(1e-9)).clamp(0.0, 1.0);
    canvas.text(12.0, y + 12.0, "name", &flow.name, 60);
    canvas.text(LEFT, y + 12.0, "small", &format!("the last {:.3} s", end - first), 60);
    y += 34.0;
    for stage in &flow.stages {
        canvas.text(12.0, y + 4.0, "plain", &stage.name, 24);
        let is_ended = stage.signals.last().is_some_and(|it| "|#x".contains(&*it.sign()));
        let until = stage
            .signals
            .last()
            .filter(|_| is_ended)
            .map_or(LEFT + WIDTH, |it| x_of(it.at_seconds));
        canvas
            .put(format_args!("<path class=\"line\" d=\"M{LEFT:.1},{y:.1} L{until:.1},{y:.1}\"/>"));
        for signal in &stage.signals {
            marble(canvas, signal, x_of(signal.at_seconds), y);
        }
        y += ROW;
    }
    y + 14.0
}

fn marble(canvas: &mut Canvas, signal: &FlightSignal, x: f64, y: f64) {
    let mut title = String::new();
    // Writing to a string does not fail.
    let _written = write!(title, "{} at {:.6} s", signal.signal, signal.at_seconds);
    if let Some(n) = signal.n {
        let _written = write!(title, ", for {n}");
    }
    let title = escaped(&title);
    let shape = match &*signal.signal {
        "item" => format!("<circle class=\"item\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\">"),
        "skipped" => format!("<circle class=\"skipped\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\">"),
        "completed" => format!("<path class=\"end\" d=\"M{x:.1},{:.1} v16\">", y - 8.0),
        "failed" | "canceled" => format!(
            "<path class=\"{}\" d=\"M{:.1},{:.1} l10,10 m0,-10 l-10,10\">",
            if signal.signal == "failed" { "bad" } else { "end" },
            x - 5.0,
            y - 5.0
        ),
        _ => format!("<path class=\"request\" d=\"M{x:.1},{:.1} l-4,8 h8 z\">", y + 3.0),
    };
    let tag = if shape.starts_with("<circle") { "circle" } else { "path" };
    canvas.put(format_args!("{shape}<title>{title}</title></{tag}>"));
}
