//! `book`: fills the book's tables of operators from their documentation, and its page of keys
//! from the schema of pipelines; builds its pages, and checks their links.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use crate::{
    shell::{Failure, Shell, root, target_dir},
    tools::{self, ThisMachine, installed_program},
};

/// Fills the book's tables of operators, and its page of a pipeline's keys, from the sources.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Builds the book's pages into `target/book` instead, and checks their links. Installs mdbook
    /// into `target/tools` if it is not there.
    #[arg(long)]
    build: bool,
}

pub(crate) fn run(shell: &Shell, args: &Args) -> Result<(), Failure> {
    if args.build {
        tools::provide(&["mdbook"], &mut ThisMachine::default())?;
        return build(shell);
    }
    fill(shell)?;
    println!("`cargo xtask book --build` makes pages of it, to be read in a browser");
    Ok(())
}

/// Writes what is made of the sources.
pub(crate) fn fill(shell: &Shell) -> Result<(), Failure> {
    shell.cargo("test --quiet --package xtask --test tidy -- --ignored fill_the_book").run()?;
    let keys = "test --quiet --package millstream-pipeline --all-features --test it -- --ignored";
    shell.cargo(keys).arg("fill_the_page").run()
}

/// Builds the pages, and fails on a link that leads nowhere.
pub(crate) fn build(shell: &Shell) -> Result<(), Failure> {
    let folder = target_dir().join("book");
    let mdbook = installed_program("mdbook").display().to_string();
    let call = shell.program(&mdbook, "build docs/book --dest-dir");
    call.arg(&folder.display().to_string()).run()?;
    let pages = Pages::read(&folder)
        .map_err(|cause| Failure::new(format!("{}: {cause}", folder.display())))?;
    let broken = pages.broken_links(&root().join("docs/book/src"));
    if !broken.is_empty() {
        return Err(Failure::new(format!("the book has links to nothing:\n{}", broken.join("\n"))));
    }
    println!(
        "{} pages, whose {} links lead somewhere: read {}",
        pages.0.len(),
        pages.0.values().map(|page| page.links.len()).sum::<usize>(),
        folder.join("index.html").display()
    );
    Ok(())
}

/// The pages of a book, by their paths in its folder.
struct Pages(BTreeMap<PathBuf, Page>);

/// What a page can be reached by, and where it leads.
#[derive(Debug, Default)]
struct Page {
    ids: BTreeSet<String>,
    links: BTreeSet<String>,
}

impl Pages {
    fn read(folder: &Path) -> std::io::Result<Self> {
        let mut pages = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(within) = folders.pop() {
            for entry in fs::read_dir(within)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let own = path.strip_prefix(folder).unwrap_or(&path).to_owned();
                // Anything else can be led to, and leads nowhere; all of the book on one page has
                // the links of the others.
                let is_page = own.extension().is_some_and(|ending| ending == "html")
                    && !["print.html", "404.html"].iter().any(|name| own == Path::new(name));
                let page =
                    if is_page { Page::of(&fs::read_to_string(&path)?) } else { Page::default() };
                pages.insert(own, page);
            }
        }
        Ok(Self(pages))
    }

    /// What leads to no page, or to a part that a page does not have; one that leads out of the
    /// book is taken from its source.
    fn broken_links(&self, source: &Path) -> Vec<String> {
        let mut broken = Vec::new();
        for (path, page) in &self.0 {
            for link in &page.links {
                let (target, part) = link.split_once('#').unwrap_or((link, ""));
                let folder = path.parent().unwrap_or(Path::new(""));
                let to = if target.is_empty() { path.clone() } else { folder.join(target) };
                let leads = match inside(&to) {
                    Some(to) => self
                        .0
                        .get(&to)
                        .is_some_and(|page| part.is_empty() || page.ids.contains(part)),
                    // mdbook calls every page `.html`, also those of others.
                    None => [to.clone(), to.with_extension("md")]
                        .iter()
                        .any(|file| source.join(file).exists()),
                };
                if !leads {
                    broken.push(format!("{}: {link}", path.display()));
                }
            }
        }
        broken
    }
}

/// The same path without steps back; none if it leaves the book.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if !plain.pop() => return None,
            Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Some(plain)
}

impl Page {
    /// Reads the attributes of its tags.
    fn of(text: &str) -> Self {
        let mut page = Self::default();
        for tag in text.split('<').skip(1).filter_map(|rest| rest.split_once('>')) {
            for (name, into) in [(" id=\"", true), (" href=\"", false), (" src=\"", false)] {
                let Some((_, rest)) = tag.0.split_once(name) else { continue };
                let value = rest.split('"').next().unwrap_or_default().to_owned();
                if into {
                    page.ids.insert(value);
                } else if !value.contains(':') && !value.starts_with("//") && !value.is_empty() {
                    page.links.insert(value);
                }
            }
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Page, Pages, inside};

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let page = Page::of(
            "<h1 id=\"top\">A &lt;b href=&quot;no&quot;&gt;</h1><a class=\"x\" href=\"b.html#part\">\
             <a href=\"b.html#none\"><a href=\"../c.html\"><a href=\"https://example.org/x\">\
             <a href=\"#top\"><a href=\"#bottom\"><img src=\"picture.svg\">",
        );
        let other = Page::of("<p id=\"part\">");
        let pages = [("in/a.html", page), ("in/b.html", other), ("in/d.svg", Page::default())];
        let pages = pages.into_iter().map(|(path, page)| (PathBuf::from(path), page));

        let broken = Pages(pages.collect()).broken_links(Path::new("/nowhere"));

        assert_eq!(
            broken,
            ["#bottom", "../c.html", "b.html#none", "picture.svg"]
                .map(|link| format!("in/a.html: {link}"))
        );
    }

    #[test]
    fn steps_back_are_taken() {
        assert_eq!(inside(Path::new("a/../b/c.html")), Some("b/c.html".into()));
        assert_eq!(inside(Path::new("a/../../b")), None);
    }
}
