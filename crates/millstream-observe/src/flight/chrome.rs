//! A flight as a trace that Chrome and Perfetto show.

use serde_json::{Value, json};

use super::Flight;

impl Flight {
    /// A trace in the format that `chrome://tracing` and `ui.perfetto.dev` open: a process for each
    /// flow, a thread for each stage, an instant for each signal, and outstanding demand and items
    /// since the first signal as counters.
    #[must_use]
    pub fn to_chrome_trace(&self) -> String {
        let mut events: Vec<Value> = Vec::new();
        for (flow, pid) in self.flows.iter().zip(1_u64..) {
            let named = |kind: &str, tid: u64, name: &str| json!({"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": name}});
            events.push(named("process_name", 0, &flow.name));
            for (stage, tid) in flow.stages.iter().zip(1_u64..) {
                events.push(named("thread_name", tid, &stage.name));
                events.push(json!({"ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid,
                    "args": {"sort_index": tid}}));
                let (mut demand, mut n_items) = (Some(0_u64), 0_u64);
                for signal in &stage.signals {
                    match (&*signal.signal, signal.n) {
                        ("request", n) => {
                            demand = demand.zip(n).map(|(demand, n)| demand.saturating_add(n));
                        }
                        ("item", _) => {
                            demand = demand.map(|demand| demand.saturating_sub(1));
                            n_items += 1;
                        }
                        _ => {}
                    }
                    let name = match &*signal.signal {
                        "request" => format!("request({})", signal.sign().trim_start_matches('r')),
                        other => other.to_owned(),
                    };
                    let ts = signal.at_seconds * 1e6;
                    let instant = json!({"ph": "i", "s": "t", "name": name, "ts": ts, "pid": pid, "tid": tid});
                    events.push(instant);
                    let mut args = json!({"items": n_items});
                    if let Some(demand) = demand {
                        args["outstanding"] = json!(demand);
                    }
                    events.push(json!({"ph": "C", "name": stage.name, "ts": ts, "pid": pid,
                        "tid": tid, "args": args}));
                }
            }
        }
        json!({"displayTimeUnit": "ms", "otherData": {"program": self.name}, "traceEvents": events})
            .to_string()
    }
}
