//! What of a pipeline can change while it runs.

use std::{error, fmt};

use millstream_pressure::{Policy, RateConfig};

use crate::{
    NullSink, Rate, RateSpec, SinkSpec, SourceSpec, Spec, StageSpec, assemble::Controls,
    source::Load,
};

/// A configuration that was refused: the pipeline goes on with the one that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadError {
    /// What cannot change while the pipeline runs, by the names of the file.
    pub fixed: Vec<String>,
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot change while the pipeline runs: start it anew", self.fixed.join(", "))
    }
}

impl error::Error for ReloadError {}

/// The limit of a rate stage.
pub(crate) fn rate_config(spec: &RateSpec) -> RateConfig {
    RateConfig { rate: spec.rate.0, burst: spec.burst.get() }
}

/// The limit of a null sink with a rate: bursts of a hundredth of a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive")]
pub(crate) fn sink_rate(rate: Rate) -> RateConfig {
    RateConfig { rate: rate.0, burst: ((rate.0 / 100.0) as u64).max(1) }
}

/// Takes `new` over where it differs from `old`, and says what has changed; all or nothing.
pub(crate) fn apply(
    old: &Spec,
    new: &Spec,
    controls: &Controls,
) -> Result<Vec<String>, ReloadError> {
    let fixed = fixed(old, new);
    if !fixed.is_empty() {
        return Err(ReloadError { fixed });
    }
    let mut changed = Vec::new();
    for queue in &controls.queues {
        let name = queue.name();
        let spec = &new.backpressure.queues[name];
        if old.backpressure.queues.get(name) != Some(spec) {
            change(queue, spec.config());
            changed.push(format!("backpressure.queues.{name}"));
        }
    }
    for (index, lanes) in &controls.lanes {
        if let (StageSpec::Lanes(before), StageSpec::Lanes(now)) =
            (&old.stages[*index], &new.stages[*index])
        {
            let config = now.config(&new.backpressure);
            // It knows the settings of its queues, too.
            if before.config(&old.backpressure) != config {
                change(lanes, config);
            }
            if before != now {
                changed.push(format!("stages[{index}].lanes"));
            }
        }
    }
    for (index, limit) in &controls.rates {
        if let (StageSpec::Rate(before), StageSpec::Rate(now)) =
            (&old.stages[*index], &new.stages[*index])
            && before != now
        {
            change(limit, rate_config(now));
            changed.push(format!("stages[{index}].rate"));
        }
    }
    if let (Some(limit), SinkSpec::Null(NullSink { rate: Some(rate) })) =
        (&controls.sink_rate, &new.sink)
        && old.sink != new.sink
    {
        change(limit, sink_rate(*rate));
        changed.push("sink.null.rate".to_owned());
    }
    if let SourceSpec::Generate(spec) = &new.source {
        let load = Load { rate: spec.rate, shape: spec.shape.clone() };
        if controls.schedule.load() != load {
            controls.schedule.set(load);
            changed.push("source.generate".to_owned());
        }
    }
    if let Some(spec) = &new.flow_control
        && old.flow_control != new.flow_control
    {
        if let Some(credits) = &controls.credits {
            change(credits, spec.credits());
        }
        if let Some(rate) = &controls.source_rate {
            change(rate, spec.rate());
        }
        changed.push("flow_control".to_owned());
    }
    if let Some(rate) = &controls.adaptive
        && old.adaptive != new.adaptive
    {
        change(rate, new.adaptive.config());
        changed.push("adaptive".to_owned());
    }
    if old.monitoring != new.monitoring {
        changed.push("monitoring".to_owned());
    }
    Ok(changed)
}

/// A file's settings are checked when it is read.
fn change<P: Policy>(policy: &P, config: P::Config) {
    policy.reconfigure(config).expect("settings are checked when the file is read");
}

/// What differs and cannot change.
fn fixed(old: &Spec, new: &Spec) -> Vec<String> {
    let mut fixed = Vec::new();
    let mut unless = |is_same: bool, name: String| {
        if !is_same {
            fixed.push(name);
        }
    };
    unless(old.name == new.name, "name".to_owned());
    unless(old.threads == new.threads, "threads".to_owned());
    unless(old.on_error == new.on_error, "on_error".to_owned());
    unless(source_of(old) == source_of(new), "source".to_owned());
    unless(sink_of(old) == sink_of(new), "sink".to_owned());
    if old.stages.len() == new.stages.len() {
        for (index, (before, now)) in old.stages.iter().zip(&new.stages).enumerate() {
            let is_same = match (before, now) {
                (StageSpec::Rate(_), StageSpec::Rate(_)) => true,
                (StageSpec::Lanes(before), StageSpec::Lanes(now)) => before.sorts_as(now),
                (before, now) => before == now,
            };
            unless(is_same, format!("stages[{index}]"));
        }
    } else {
        unless(false, "the number of stages".to_owned());
    }
    for (name, queue) in &new.backpressure.queues {
        if let Some(before) = old.backpressure.queues.get(name) {
            // Whether the source is asked, or sends as it likes, is decided when the flow begins.
            let is_same = before.config().when_full.waits() == queue.config().when_full.waits();
            let name = format!(
                "backpressure.queues.{name}.strategy from one that waits to one that drops, or back,"
            );
            unless(is_same, name);
        }
    }
    let kind = |spec: &Spec| spec.flow_control.as_ref().map(|spec| spec.kind);
    unless(kind(old) == kind(new), "flow_control.type".to_owned());
    fixed
}

/// A source without what may change.
fn source_of(spec: &Spec) -> SourceSpec {
    match &spec.source {
        SourceSpec::Generate(spec) => {
            let mut spec = spec.clone();
            spec.rate = Rate(1.0);
            spec.shape = crate::Shape::Steady;
            SourceSpec::Generate(spec)
        }
        source => source.clone(),
    }
}

/// A sink without what may change.
fn sink_of(spec: &Spec) -> SinkSpec {
    match &spec.sink {
        SinkSpec::Null(NullSink { rate: Some(_) }) => {
            SinkSpec::Null(NullSink { rate: Some(Rate(1.0)) })
        }
        sink => sink.clone(),
    }
}
