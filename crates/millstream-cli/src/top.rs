//! `millstream top`: a live page in the terminal.

use std::{
    env,
    error::Error,
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read as _, Write},
    net::TcpStream,
    time::Duration,
};

use millstream_observe::{Event, View};

use crate::{Found, Outcome};

/// How long nothing may come from a page, which speaks twice a second, until it is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest line that is read: a page of a thousand stages takes half of a megabyte.
const LONGEST: u64 = 1 << 28;
/// Events that are remembered.
const N_EVENTS: usize = 8;

/// Shows in the terminal what a live page shows in a browser: who sets the pace, rates and demand,
/// policies with the worst first, and what has happened.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the page is, as `millstream run`, `millstream demo` or a program of yours says it.
    #[arg(default_value = "127.0.0.1:7777", value_name = "ADDRESS:PORT")]
    address: String,
    /// Prints what is so now, and ends.
    #[arg(long)]
    once: bool,
    /// Columns of the terminal. Default: what COLUMNS says, or 100.
    #[arg(long)]
    width: Option<usize>,
}

impl Args {
    pub(crate) fn run(self, out: &mut impl Write) -> Outcome {
        let address = self.address.trim_start_matches("http://").trim_end_matches('/');
        let is_terminal = io::stdout().is_terminal();
        let columns = || env::var("COLUMNS").ok()?.parse().ok();
        let width = self.width.or_else(columns).unwrap_or(100);
        let mut events: Vec<Event> = Vec::new();
        loop {
            let mut has_spoken = false;
            let end = listen(address, |mut view| {
                has_spoken = true;
                events.append(&mut view.events);
                events.drain(..events.len().saturating_sub(N_EVENTS));
                view.events.clone_from(&events);
                // From the top, and nothing below: that works on every terminal.
                let start = if is_terminal && !self.once { "\x1b[H\x1b[2J" } else { "" };
                write!(out, "{start}{}", view.to_text(width))?;
                out.flush()?;
                Ok(!self.once)
            });
            match end {
                Ok(()) if self.once => return Ok(Found::Good),
                Err(error) if self.once || !(has_spoken || is_refused(&*error)) => {
                    return Err(format!("no live page at {address}: {error}").into());
                }
                Err(error) if crate::is_broken_pipe(&*error) => return Err(error),
                _ => {}
            }
            writeln!(out, "not connected to {address}: trying again")?;
            out.flush()?;
            wait_a_second();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the program's own thread has nothing else to do")]
fn wait_a_second() {
    std::thread::sleep(Duration::from_secs(1));
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Calls `show` with each view of the page until it returns `false` or the page is gone.
fn listen(
    address: &str,
    mut show: impl FnMut(View) -> Result<bool, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // By the old protocol, in which a body ends with its connection, and is not cut into chunks.
    write!(stream, "GET /events HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    let mut next = |line: &mut String| -> io::Result<bool> {
        line.clear();
        Ok((&mut lines).take(LONGEST).read_line(line)? > 0)
    };
    if !next(&mut line)? || line.split(' ').nth(1) != Some("200") {
        return Err(format!("it answers {:?}", line.trim_end()).into());
    }
    let mut is_hello = false;
    while next(&mut line)? {
        if let Some(name) = line.strip_prefix("event: ") {
            is_hello = name.trim_end() == "hello";
        } else if let Some(data) = line.strip_prefix("data: ")
            && !show(view_of(data, is_hello)?)?
        {
            return Ok(());
        }
    }
    Ok(())
}

/// The view in a message; the first one has more around it.
fn view_of(data: &str, is_hello: bool) -> Result<View, Box<dyn Error>> {
    if !is_hello {
        return Ok(serde_json::from_str(data)?);
    }
    let mut hello: serde_json::Value = serde_json::from_str(data)?;
    let events: Vec<Event> = serde_json::from_value(hello["events"].take())?;
    let mut view: View = serde_json::from_value(hello["view"].take())?;
    view.events = events;
    Ok(view)
}
