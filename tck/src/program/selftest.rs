//! `rs-tck selftest`: the proof that the checks find mistakes, and nothing else.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reactive_streams_tck::{
    Overrides,
    report::write,
    selftest::{Matrix, Mistake, Oddity, mistakes, oddities},
};

use super::{Answer, BROKEN, NOTHING, say};

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only the mistakes whose number or rule this is, such as `M49` or `3.9`, and no oddities
    only: Option<String>,
    /// Write the matrix in Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// How long a signal that is due may take, in milliseconds
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
}

pub(crate) fn run(options: &Options) -> Answer {
    let is_wanted = |mistake: &&Mistake| {
        let only = options.only.as_deref();
        only.is_none_or(|only| mistake.id == only || mistake.rules.contains(&only))
    };
    let mistakes: Vec<_> = mistakes().filter(is_wanted).collect();
    let oddities: Vec<&'static Oddity> = match options.only {
        Some(_) => Vec::new(),
        None => oddities().collect(),
    };
    if mistakes.is_empty() && oddities.is_empty() {
        eprintln!("rs-tck: no mistake has this number, and none breaks this rule");
        return Ok(ExitCode::from(NOTHING));
    }
    let deadline = options.deadline_ms.map(Duration::from_millis);
    let overrides = Overrides { deadline, ..Overrides::default() };
    // Subjects panic on purpose, and the checks see it.
    std::panic::set_hook(Box::new(|_| {}));
    let bar = progress(mistakes.len() + oddities.len());
    let mut matrix = Matrix::default();
    matrix.hunts = at_once(mistakes, |mistake: &'static Mistake| {
        bar.set_message(format!("{} {}", mistake.id, mistake.what));
        let hunt = mistake.hunt(overrides);
        bar.inc(1);
        hunt
    });
    matrix.hearings = at_once(oddities, |oddity: &'static Oddity| {
        bar.set_message(oddity.what);
        let hearing = oddity.hear(overrides);
        bar.inc(1);
        hearing
    });
    bar.finish_and_clear();
    drop(std::panic::take_hook());
    say!("{}", matrix.console().trim_end());
    if let Some(file) = &options.markdown {
        write(file, &matrix.markdown())?;
    }
    Ok(if matrix.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// Runs `f` on each of a list, several at a time: most of the time goes into waiting.
fn at_once<T: Send, R: Send>(list: Vec<T>, f: impl Fn(T) -> R + Sync) -> Vec<R> {
    const THREADS: usize = 4;
    let next = Mutex::new(list.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let item = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((index, item)) = item else { return };
                    let result = f(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Is shown on a terminal only.
fn progress(n: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}");
    let bar = ProgressBar::new(u64::try_from(n).unwrap_or(u64::MAX));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
