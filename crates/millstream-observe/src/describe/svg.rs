//! A description as a picture.

use std::collections::BTreeMap;

use super::{Description, text::InWords};
use crate::{Bound, EdgeKind, Place, svg::Canvas};

const WIDTH: f64 = 168.0;
const HEIGHT: f64 = 58.0;
const GAP: f64 = 46.0;
const ROW: f64 = 96.0;
const LEFT: f64 = 16.0;

/// A box in the picture.
#[derive(Clone, Copy)]
struct Spot {
    x: f64,
    y: f64,
}

impl Description {
    /// The topology as SVG: a row for each flow with its stages from left to right, policies in
    /// front of them, every bound in items and bytes, and the worst-case memory of the whole. It
    /// follows the light or dark of what shows it.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut canvas = Canvas::default();
        let mut spots: BTreeMap<Place, Spot> = BTreeMap::new();
        let (mut y, mut width) = (20.0, 420.0_f64);
        canvas.text(LEFT, y + 4.0, "name", &self.snapshot.name, 80);
        y += 28.0;
        for flow in &self.snapshot.flows {
            let title = format!("{}: {}", flow.name, InWords(flow.bound));
            canvas.text(LEFT, y + 4.0, "small", &title, 110);
            // Room for what stands in front of the stages.
            y += 14.0;
            let fed_by = self.feeders(&flow.name);
            let mut x = LEFT;
            for policy in &fed_by {
                spots.entry(Place::Named(policy.clone())).or_insert(Spot { x, y });
                x += WIDTH + GAP;
            }
            for stage in &flow.stages {
                spots.insert(Place::from((&*flow.name, &*stage.name)), Spot { x, y });
                self.stage(&mut canvas, stage, Spot { x, y });
                x += WIDTH + GAP;
            }
            width = width.max(x);
            y += ROW;
        }
        let mut x = LEFT;
        for policy in &self.snapshot.policies {
            let place = Place::Named(policy.name.clone());
            let spot = spots.get(&place).copied().unwrap_or_else(|| {
                let spot = Spot { x, y: y + 10.0 };
                x += WIDTH + GAP;
                spot
            });
            spots.insert(place, spot);
            width = width.max(spot.x + WIDTH + GAP);
            self.policy(&mut canvas, policy, spot);
        }
        if x > LEFT {
            y += ROW + 10.0;
        }
        for edge in &self.snapshot.edges {
            if let (Some(&from), Some(&to)) = (spots.get(&edge.from), spots.get(&edge.to)) {
                line(&mut canvas, edge.kind, from, to);
            }
        }
        canvas.text(LEFT, y + 8.0, "name", &self.memory_in_words(), 140);
        canvas.finish(width, y + 26.0, &format!("The topology of {}", self.snapshot.name))
    }

    /// The policies that are said to feed this flow.
    fn feeders(&self, flow: &str) -> Vec<String> {
        let edges = self.snapshot.edges.iter().filter(|edge| edge.kind == EdgeKind::Stated);
        let feeding = edges.filter(|edge| edge.to.name() == flow);
        feeding
            .filter(|edge| self.snapshot.policy(edge.from.name()).is_some())
            .map(|edge| edge.from.name().to_owned())
            .collect()
    }

    #[expect(clippy::unused_self, reason = "beside `policy`")]
    fn stage(&self, canvas: &mut Canvas, stage: &crate::StageReading, Spot { x, y }: Spot) {
        canvas.put(format_args!(
            "<rect class=\"box\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>"
        ));
        canvas.text(x + 10.0, y + 22.0, "name", &stage.name, 22);
        if stage.bound != Bound::default() {
            canvas.text(x + 10.0, y + 42.0, "small", &InWords(stage.bound).to_string(), 28);
        }
    }

    #[expect(clippy::unused_self, reason = "beside `stage`")]
    fn policy(&self, canvas: &mut Canvas, policy: &crate::PolicyReading, Spot { x, y }: Spot) {
        let bound = policy.reading.bound;
        let (class, holds) = match bound {
            Bound::NOTHING => ("guard", "holds no items".to_owned()),
            bound => ("store", InWords(bound).to_string()),
        };
        canvas.put(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             rx=\"18\"/>"
        ));
        canvas.text(x + 12.0, y + 18.0, "name", &policy.name, 21);
        canvas.text(x + 12.0, y + 33.0, "small", &policy.reading.kind.replace('_', " "), 26);
        canvas.text(x + 12.0, y + 48.0, "small", &holds, 27);
    }
}

fn line(canvas: &mut Canvas, kind: EdgeKind, from: Spot, to: Spot) {
    if kind == EdgeKind::Guard {
        let (x1, y1, x2) = (from.x + WIDTH / 2.0, from.y, to.x + WIDTH / 2.0);
        let y2 = to.y + HEIGHT;
        canvas.put(format_args!("<path class=\"dotted\" d=\"M{x1},{y1} L{x2},{y2}\"/>"));
        return;
    }
    let (x1, y1) = (from.x + WIDTH, from.y + HEIGHT / 2.0);
    let (x2, y2) = (to.x, to.y + HEIGHT / 2.0);
    let bend = if x2 > x1 { (x2 - x1) / 2.0 } else { GAP };
    canvas.put(format_args!(
        "<path class=\"line\" d=\"M{x1},{y1} C{},{y1} {},{y2} {},{y2}\"/>\
         <path class=\"line\" d=\"M{},{} l6,4 l-6,4\"/>",
        x1 + bend,
        x2 - bend,
        x2 - 2.0,
        x2 - 7.0,
        y2 - 4.0
    ));
}
