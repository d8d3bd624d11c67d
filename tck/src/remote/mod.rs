//! Subjects in other processes, of any language.
//!
//! The process hosts a small adapter that does what it is told and reports what it sees; all
//! judgement is here, by the checks and checkers of every other subject.
//! The two sides call each other over lines of JSON, each call waits for its reply, and calls are
//! nested as in one process: so a trace shows threads, nesting and order as they were.
//! The protocol is a page of the book, `tck-protocol`.

mod case;
mod child;
mod declared;
mod message;
mod peer;
mod pool;
mod processor;
mod publisher;
mod relay;
mod serve;
mod subscriber;

use std::time::Duration;

pub use declared::Declared;
pub use message::Role;
use message::{Feature, Offered};
use pool::{Pool, Starting};
pub use serve::serve;
use subscriber::Reporting;

use crate::subject::{Kind, Subject};

/// How subjects in another process are reached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Remote {
    /// The command that starts the process.
    pub command: Vec<String>,
    /// Which subjects are taken of those that it offers; without it all.
    pub role: Option<Role>,
    /// What is declared of them, over what they declare themselves.
    pub declared: Declared,
    /// How long the process may take to start. Default: 60 s.
    pub patience: Duration,
    /// Whether each check has a process of its own.
    pub isolates: bool,
}

impl Remote {
    /// Subjects that this command hosts.
    #[must_use]
    pub fn new(command: Vec<String>) -> Self {
        let (declared, patience) = (Declared::default(), Duration::from_secs(60));
        Self { command, role: None, declared, patience, isolates: false }
    }

    /// Starts the process, and takes the subjects that it offers.
    ///
    /// # Errors
    ///
    /// The command cannot be started, does not say in time what it offers, or offers nothing of the
    /// role.
    pub fn subjects(self) -> Result<Vec<Subject>, String> {
        let Self { command, role, declared, patience, isolates } = self;
        let name = command.join(" ");
        let (pool, hello) = Pool::start(Starting { command, patience, isolates })?;
        let has = |feature| hello.features.contains(&feature);
        let (retention, offers) = (has(Feature::Retention), has(Feature::Offer));
        let is_wanted = |offered: &&Offered| role.is_none_or(|role| role == offered.role);
        let subjects = hello.subjects.iter().filter(is_wanted).map(|offered| {
            let declared = declared.clone().or(&offered.capabilities);
            let (kind, settings) = match offered.role {
                Role::Publisher => {
                    let mut its = declared.publisher();
                    (its.retention, its.collected) = (retention, true);
                    its.offers = offers;
                    let erased = publisher::erased(&pool, &offered.name, its);
                    (Kind::Publisher(erased), its.settings)
                }
                Role::Subscriber => {
                    let its = declared.subscriber();
                    let reporting = match () {
                        () if declared.reports == Some(true) => Reporting::Itself,
                        () if declared.black_box == Some(true) => Reporting::Not,
                        () => Reporting::Around,
                    };
                    let erased = subscriber::erased(&pool, &offered.name, its, reporting, offers);
                    (Kind::Subscriber(erased), its.settings)
                }
                Role::Processor => {
                    let its = declared.processor();
                    let erased =
                        processor::erased(&pool, &offered.name, &declared, retention, offers);
                    (Kind::Processor(Box::new(erased)), its.settings)
                }
            };
            Subject { name: offered.name.clone(), settings, kind }
        });
        let subjects: Vec<Subject> = subjects.collect();
        if subjects.is_empty() {
            return Err(format!("`{name}` offers no such subject"));
        }
        Ok(subjects)
    }
}
