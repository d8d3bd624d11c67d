//! When, where and by what the numbers were made.

use std::{fs, process::Command, thread};

/// The machine, the compiler and the date; and whether the machine had other things to do than
/// benchmarks that keep so many processors busy.
pub(crate) fn describe(n_busy: f64) -> String {
    let n = thread::available_parallelism().map_or(1, usize::from);
    let date = jiff::Zoned::now().date();
    let mut text = format!("{} with {n} processors, {}, on {date}.", processor(), compiler());
    if let Some(load) = load().filter(|load| *load > n_busy + 1.0) {
        text.push_str(&format!(
            "\n**The machine was busy with other work** (load average {load}): the times are too long, and only large ratios mean something."
        ));
    }
    text
}

/// How many programs wanted a processor, on an average of the last quarter of an hour.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').nth(2)?.parse().ok()
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(": ")).map_or("a machine", |(_, name)| name);
    name.to_owned()
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let words = text.unwrap_or_default();
    words.split(' ').take(2).collect::<Vec<_>>().join(" ")
}
