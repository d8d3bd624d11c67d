//! `millstream demo`: a flash sale that somebody can watch and change.

mod controls;
mod shop;
mod table;

use std::{io::Write, time::Duration};

use clap::ValueEnum;
use millstream_pipeline::{Rate, Time};
use millstream_pressure::WhenFull;

use self::{shop::Shop, table::Table};
use crate::{
    Found, Outcome, complain,
    page::{LivePage, PageArgs},
    run::{Stop, now},
};

/// A flash sale: 10,000 orders a second, and a till that takes 2,000. Watch what each policy makes
/// of it.
///
/// On the page, the load, the till and the policy of the queue between them are changed while it
/// runs. Without one (`--no-page`), each policy has its turn, and a table says what came of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ends after this time. Default: at Ctrl-C; without a page, after 15 s.
    #[arg(long = "for", value_name = "TIME")]
    time: Option<Time>,
    /// Orders a second at first.
    #[arg(long, default_value = "10000")]
    load: Rate,
    /// Orders that the till takes a second at first.
    #[arg(long, default_value = "2000")]
    till: Rate,
    /// The policy at first.
    #[arg(long, value_enum)]
    policy: Option<Policy>,
    #[command(flatten)]
    page: PageArgs,
}

/// What happens when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// The customers wait.
    Block,
    /// The order that waits longest is dropped.
    DropOldest,
    /// The new order is dropped.
    DropNewest,
    /// Above the high watermark one of five is kept.
    Sample,
    /// The new order is refused, and the customer told when to come back.
    Reject,
}

impl Policy {
    pub(crate) const ALL: [Self; 5] =
        [Self::Block, Self::DropOldest, Self::DropNewest, Self::Sample, Self::Reject];

    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::DropOldest => "drop_oldest",
            Self::DropNewest => "drop_newest",
            Self::Sample => "sample",
            Self::Reject => "reject",
        }
    }

    /// The one of which that is the setting; a shop has no other.
    fn of(when_full: WhenFull) -> Self {
        let is_it = |policy: &Self| policy.when_full() == when_full;
        Self::ALL.into_iter().find(is_it).unwrap_or(Self::Block)
    }

    pub(crate) fn when_full(self) -> WhenFull {
        match self {
            Self::Block => WhenFull::Wait,
            Self::DropOldest => WhenFull::DropOldest,
            Self::DropNewest => WhenFull::DropNewest,
            Self::Sample => WhenFull::Sample { one_of: 5 },
            Self::Reject => WhenFull::Reject,
        }
    }
}

/// How often a row is printed.
const ROW: Duration = Duration::from_secs(1);

impl Args {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let stop = Stop::listen()?;
        let first = self.policy.unwrap_or(Policy::Block);
        let shop = Shop::open(self.load.0, self.till.0, first)?;
        let page = self.page.serve(shop.inventory(), controls::of(&shop))?;
        let url = page.as_ref().and_then(LivePage::url);
        let has_page = url.is_some();
        if let Some(url) = url {
            complain(&format!("the page: {url}"));
        }
        let time = self.time.map(|Time(time)| time);
        let time = time.or((!self.page.is_wanted()).then_some(Duration::from_secs(15)));
        let start = now();
        let ends = time.and_then(|time| start.checked_add(time));
        // Without a page nobody changes the policy: each has its turn.
        let turns: &[Policy] = if has_page || self.policy.is_some() { &[] } else { &Policy::ALL };
        let turn = time.map_or(Duration::MAX, |time| time / 5);
        let mut table = Table::new();
        let mut is_over = false;
        while !is_over {
            let left = ends.map_or(ROW, |ends| ends.saturating_duration_since(now()));
            is_over = stop.is_told_within(ROW.min(left)) || ends.is_some_and(|ends| ends <= now());
            let row = shop.row(start.elapsed());
            if !has_page || is_over {
                table.print(&row, is_over, out)?;
                out.flush()?;
            }
            let index = usize::try_from(start.elapsed().as_nanos() / turn.as_nanos().max(1));
            if let Some(next) = index.ok().and_then(|index| turns.get(index)) {
                shop.set_policy(*next)?;
            }
        }
        drop(page);
        let total = shop.close()?;
        writeln!(out, "{total}")?;
        Ok(Found::Good)
    }
}
