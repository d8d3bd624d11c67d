//! `millstream run`: runs a pipeline until it ends or is stopped.

mod events;
mod progress;

use std::{
    error::Error as _,
    io::{self, Write},
    time::{Duration, Instant},
};

use millstream_observe::page::Controls;
use millstream_pipeline::{Alerts, Handle, Pipeline, Running, Status, Time};

pub(crate) use self::events::Stop;
use self::{
    events::{Event, Events},
    progress::Progress,
};
use crate::{
    Found, Outcome, complain,
    file::FileArgs,
    log::{self, Format},
    page::{LivePage, PageArgs},
};

/// How often it looks at the pipeline and its file.
const LOOK: Duration = Duration::from_millis(500);

/// How long what was given up may take to notice.
const GRACE: Duration = Duration::from_secs(1);

/// Runs a pipeline until its source ends or it is stopped.
///
/// The first Ctrl-C or SIGTERM stops the source and lets what is on its way arrive; the second ends
/// the program. A change of the file, or SIGHUP, has the pipeline take over what can change while
/// it runs.
///
/// Ends with 0 if all arrived; with 1 if the pipeline failed, or items were left when the time to
/// drain was up; with 2 if the file is wrong or something cannot be opened.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    file: FileArgs,
    /// Stops the source after this time.
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Time>,
    /// How long what is on its way may take to arrive after a stop.
    #[arg(long, value_name = "TIME", default_value = "10s")]
    drain: Time,
    /// In which form it says how it goes, on standard error.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// Prints nothing but what is wrong.
    #[arg(long, short)]
    quiet: bool,
    /// Does not take over changes of the file by itself.
    #[arg(long)]
    no_watch: bool,
    #[command(flatten)]
    page: PageArgs,
}

/// A pipeline that is looked after.
struct Watched {
    args: Args,
    handle: Handle,
    progress: Progress,
    alerts: Alerts,
    /// When the source is stopped, and when what is left is given up.
    stop_at: Option<Instant>,
    give_up_at: Option<Instant>,
    is_given_up: bool,
    /// When the program ends although something blocks, such as a reader that does not read.
    exit_at: Option<Instant>,
    file_changed: Option<std::time::SystemTime>,
}

impl Args {
    pub(crate) fn run(self, _: &mut dyn Write) -> Outcome {
        log::set(self.log_format);
        // Before it is read: a change from then on is seen.
        let file_changed = self.file.changed();
        let spec = self.file.read()?;
        let events = Events::listen()?;
        self.page.check()?;
        let running = Pipeline::new(spec.clone()).start()?;
        let handle = running.handle();
        let now = now();
        let stop_at = self.time.and_then(|Time(time)| now.checked_add(time));
        let mut progress = Progress::new(&spec, self.quiet, now);
        let page = self.page.serve(handle.inventory(), Controls::new())?;
        if let Some(url) = page.as_ref().and_then(LivePage::url) {
            progress.note(&format!("{}: the live page is {url}", spec.name));
        }
        if let Some(url) = page.as_ref().and_then(LivePage::metrics_url) {
            progress.note(&format!("{}: metrics are at {url}", spec.name));
        }
        for (source, address) in handle.listening() {
            progress.note(&format!("{}: {source} listens on {address}", spec.name));
        }
        let watched = Watched {
            args: self,
            handle,
            progress,
            alerts: Alerts::new(),
            stop_at,
            give_up_at: None,
            is_given_up: false,
            exit_at: None,
            file_changed,
        };
        let found = watched.until_the_end(running, &events);
        drop(page);
        found
    }
}

impl Watched {
    fn until_the_end(mut self, running: Running, events: &Events) -> Outcome {
        events.tell_the_end(running)?;
        loop {
            let now = now();
            let due = [self.stop_at, self.give_up_at, self.exit_at].into_iter().flatten().min();
            let wait = due.map_or(LOOK, |due| due.saturating_duration_since(now).min(LOOK));
            match events.next(wait) {
                Some(Event::End(result)) => return Ok(self.end(result)),
                Some(Event::Stop) => self.stop("stopping"),
                Some(Event::Reload) => self.reload(),
                None => self.look(),
            }
        }
    }

    fn look(&mut self) {
        let now = now();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.stop_at) {
            self.stop_at = None;
            self.stop("time is up");
        }
        if is_due(self.give_up_at) {
            self.give_up_at = None;
            self.is_given_up = true;
            self.handle.abort();
            self.exit_at = now.checked_add(GRACE);
        }
        if is_due(self.exit_at) {
            self.progress.summary(&self.handle.status());
            tell(&self.not_all_arrived());
            tell("something still blocks, such as a reader that does not read");
            std::process::exit(1);
        }
        if !self.args.no_watch {
            let changed = self.args.file.changed();
            if changed.is_some() && changed != self.file_changed {
                self.file_changed = changed;
                self.reload();
            }
        }
        for line in self.alerts.look(&self.handle) {
            self.progress.warn(&line);
        }
        let interval = self.handle.spec().monitoring.metrics_interval.0;
        self.progress.show(&self.handle.status(), interval, now);
    }

    fn stop(&mut self, why: &str) {
        if self.handle.is_stopping() {
            return;
        }
        let Time(drain) = self.args.drain;
        self.progress.note(&format!("{why}: what is on its way has {drain:?} to arrive"));
        self.give_up_at = now().checked_add(drain);
        self.handle.stop();
    }

    fn reload(&mut self) {
        let result = match self.args.file.read() {
            Ok(spec) => self.handle.reload(spec).map_err(|error| error.to_string()),
            Err(error) => {
                self.handle.note_failed_reload();
                Err(error)
            }
        };
        match result {
            Ok(changed) if changed.is_empty() => self.progress.note("reload: nothing has changed"),
            Ok(changed) => self.progress.note(&format!("reload: {} changed", changed.join(", "))),
            Err(why) => {
                self.progress.warn(&format!("reload failed, and all is as before: {why}"));
            }
        }
    }

    fn not_all_arrived(&self) -> String {
        let waiting = self.handle.status().waiting;
        let time = self.args.drain.0;
        format!(
            "not all arrived within {time:?}: {waiting} items were in queues, and what stages and \
             threads held is lost as well"
        )
    }

    fn end(mut self, result: Result<Status, millstream::Error>) -> Found {
        let status = self.handle.status();
        self.progress.summary(&status);
        match result {
            Ok(_) => Found::Good,
            Err(_) if self.is_given_up => Found::Bad(vec![self.not_all_arrived()]),
            // Whoever read has had enough, such as `head`.
            Err(error) if is_broken_pipe(&error) => Found::Good,
            Err(error) => Found::Bad(vec![format!("error: {error}")]),
        }
    }
}

fn is_broken_pipe(error: &millstream::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[expect(clippy::disallowed_methods, reason = "times here are what a person waits for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Writes to where what is wrong is written.
fn tell(line: &str) {
    complain(line);
}
