//! The charts, as SVG.

use kuva::{
    plot::{BarPlot, LinePlot},
    render::{layout::Layout, plots::Plot},
    render_to_svg,
};

use crate::measured::Measured;

/// Colors that stay apart also for those who see fewer of them.
const COLORS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// The charts that there is something for, each with the name of its file.
pub(crate) fn all(measured: &Measured) -> Vec<(&'static str, String)> {
    let growth = |group, title, x| lines(measured, group, title, x, "ns");
    let charts = [
        ("performance-items.svg", growth("growth_items", "Time of a flow", "items")),
        ("performance-flows.svg", growth("growth_flows", "Time of a million items", "flows")),
        (
            "performance-operators.svg",
            growth("growth_operators", "Time of 100,000 items", "operators"),
        ),
        (
            "performance-chain.svg",
            bars(measured, "range_map_filter_sum", "1000000", "Range, map, filter, sum"),
        ),
        (
            "performance-threads.svg",
            bars(measured, "one_to_one", "1000000", "One producer to one consumer"),
        ),
    ];
    charts.into_iter().filter_map(|(name, svg)| Some((name, svg?))).collect()
}

/// Both axes in powers of ten, so that what grows in proportion is a straight line of one slope.
fn lines(measured: &Measured, group: &str, title: &str, x: &str, y: &str) -> Option<String> {
    let all = measured.group(group);
    let mut peers: Vec<&str> = all.iter().map(|benchmark| benchmark.peer.as_str()).collect();
    peers.sort_unstable();
    peers.dedup();
    let plots: Vec<Plot> = peers
        .iter()
        .zip(COLORS)
        .map(|(peer, color)| {
            let mut points: Vec<(f64, f64)> = all
                .iter()
                .filter(|benchmark| benchmark.peer == *peer)
                .filter_map(|benchmark| Some((benchmark.size.parse().ok()?, benchmark.nanoseconds)))
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            LinePlot::new().with_data(points).with_color(color).with_legend(*peer).into()
        })
        .collect();
    if plots.is_empty() {
        return None;
    }
    let layout = Layout::auto_from_plots(&plots)
        .with_title(title)
        .with_x_label(x)
        .with_y_label(y)
        .with_log_scale();
    Some(render_to_svg(plots, layout))
}

/// Nanoseconds an item, the fastest first.
fn bars(measured: &Measured, group: &str, size: &str, title: &str) -> Option<String> {
    let mut all = measured.group(group);
    all.retain(|benchmark| benchmark.size == size);
    if all.is_empty() {
        return None;
    }
    all.sort_by(|a, b| b.time().total_cmp(&a.time()));
    let plot = all.iter().fold(BarPlot::new().with_horizontal(true), |plot, benchmark| {
        let color = COLORS[usize::from(!benchmark.peer.starts_with("millstream"))];
        plot.with_colored_bar(benchmark.peer.as_str(), benchmark.time(), color)
    });
    let plots = vec![Plot::from(plot)];
    let layout = Layout::auto_from_plots(&plots).with_title(title).with_x_label("ns an item");
    Some(render_to_svg(plots, layout))
}

#[cfg(test)]
mod tests {
    use super::{Measured, all};

    #[test]
    fn a_chart_is_drawn_of_what_was_measured_and_of_nothing_else() {
        let measured = Measured::default().with("growth_items", "millstream", 10, 100.0).with(
            "growth_items",
            "millstream",
            1_000,
            1_000.0,
        );

        let charts = all(&measured);

        assert_eq!(charts.len(), 1);
        assert_eq!(charts[0].0, "performance-items.svg");
        assert!(charts[0].1.contains("<svg"));
    }
}
