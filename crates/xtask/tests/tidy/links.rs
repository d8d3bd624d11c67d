//! Links in texts lead somewhere: to a file or folder of the repository, and to a heading in it.

use std::path::{Component, Path};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::tree::{File, Finding, Tree, root};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let texts = tree.files.iter().filter(|file| file.path.ends_with(".md"));
    let is_there = |path: &str| {
        let folder = format!("{path}/");
        let is_in = |file: &File| file.path == path || file.path.starts_with(&folder);
        // Pictures are no texts, and not in the tree.
        tree.files.iter().any(is_in) || root().join(path).is_file()
    };
    let mut findings = Vec::new();
    for file in texts {
        for (offset, link) in links(&file.text) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let is_elsewhere = path.contains("://") || path.starts_with("mailto:");
            // Rustdoc has links to items in texts that it includes, and checks them itself.
            let is_item = path.contains("::") || !path.contains(['.', '/']);
            if is_elsewhere || (is_item && !path.is_empty()) {
                continue;
            }
            let line = 1 + file.text[..offset].matches('\n').count();
            let target =
                if path.is_empty() { Some(file.path.clone()) } else { resolve(file, path) };
            let Some(target) = target.filter(|target| is_there(target)) else {
                findings.push(file.finding(line, format!("`{link}` leads nowhere")));
                continue;
            };
            let text = tree.files.iter().find(|file| file.path == target);
            if let Some(text) = text.filter(|_| !anchor.is_empty() && target.ends_with(".md"))
                && !headings(&text.text).iter().any(|heading| heading == anchor)
            {
                let instead = format!("`{link}`: {target} has no such heading");
                findings.push(file.finding(line, instead));
            }
        }
    }
    findings
}

/// A path beside a file, from the repository's root; none if it leads out of that.
fn resolve(file: &File, path: &str) -> Option<String> {
    let whole = Path::new(&file.path).parent()?.join(path);
    let mut parts = Vec::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(name) => parts.push(name.to_str()?.to_owned()),
            _ => {}
        }
    }
    Some(parts.join("/"))
}

/// Where links stand in a text, and where they lead.
fn links(text: &str) -> Vec<(usize, String)> {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
    let links = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some((range.start, dest_url.into_string()))
        }
        _ => None,
    });
    links.collect()
}

/// The names of a text's headings, as books and repositories make them.
fn headings(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut current: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => current = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => names.extend(current.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(name) = &mut current {
                    name.push_str(&text);
                }
            }
            _ => {}
        }
    }
    let slug = |name: &String| {
        let kept = name.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
    };
    names.iter().map(slug).collect()
}

#[test]
fn links_that_lead_nowhere_are_found() {
    let tree = Tree::sample(&[
        (
            "docs/a.md",
            "[b](b.md), [up](../README.md#the-map), [no](c.md)\n\n[x](b.md#nothing) [item](Flow::map)\n",
        ),
        ("docs/b.md", "# B\n\n[self](#b) [web](https://example.org) [folder](../docs)\n"),
        ("README.md", "## The `map`\n"),
    ]);

    let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();

    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings[0].starts_with("docs/a.md:1: `c.md` leads nowhere"), "{findings:?}");
    assert!(findings[1].starts_with("docs/a.md:3: `b.md#nothing`: docs/b.md has no such heading"));
}
