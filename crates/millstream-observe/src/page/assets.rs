//! The document: one file, with its styles and scripts inside.

use std::fmt::Write as _;

const HTML: &str = include_str!("assets/page.html");
const CSS: &str = include_str!("assets/page.css");
/// One script, in the order of what builds on what.
const JS: [&str; 5] = [
    include_str!("assets/format.js"),
    include_str!("assets/model.js"),
    include_str!("assets/graph.js"),
    include_str!("assets/details.js"),
    include_str!("assets/main.js"),
];

/// The document for a program of this name. `controls` is JSON.
pub(super) fn document(nonce: &str, name: &str, token: Option<&str>, controls: &str) -> String {
    let mut html =
        String::with_capacity(HTML.len() + CSS.len() + JS.map(str::len).iter().sum::<usize>());
    let mut rest = HTML;
    while let Some((before, after)) = rest.split_once("{{") {
        let (key, behind) = after.split_once("}}").unwrap_or((after, ""));
        html.push_str(before);
        match key {
            "nonce" => html.push_str(nonce),
            "name" => escape(&mut html, name),
            "token" => escape(&mut html, token.unwrap_or_default()),
            "controls" => escape(&mut html, controls),
            "css" => html.push_str(CSS),
            "js" => JS.iter().for_each(|script| html.push_str(script)),
            _ => {}
        }
        rest = behind;
    }
    html.push_str(rest);
    html
}

/// Nothing from outside, no script but the page's own, and no text that becomes markup.
pub(super) fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

/// A text that stands in markup or in an attribute.
fn escape(html: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string does not fail.
                let _written = write!(html, "&#{};", u32::from(char));
            }
            _ => html.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn everything_is_filled_in_and_names_are_text() {
        let name = "</title><script>alert(1)</script>{{js}}";

        let html = document("abc", name, Some("to\"ken"), "[{\"id\":\"'\"}]");

        assert!(!html.contains("alert(1)</script>"), "a name became markup");
        assert!(html.contains("&#60;script&#62;alert(1)&#60;/script&#62;{{js}}"));
        assert!(html.contains("content=\"to&#34;ken\""));
        assert!(html.contains("&#34;id&#34;:&#34;&#39;&#34;"));
        assert!(html.contains("<script nonce=\"abc\""));
        assert!(!html.contains("{{nonce}}") && !html.contains("{{css}}"));
        for outside in ["src=\"", "href=\"http", "@import", "url(http", "innerHTML"] {
            assert!(!html.contains(outside), "{outside}");
        }
    }
}
