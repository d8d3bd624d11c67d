//! What pictures share: their styles, and texts that are no markup.

use std::fmt::{self, Write as _};

/// A picture that is being drawn.
#[derive(Default)]
pub(crate) struct Canvas(String);

const STYLES: &str = "\
text{font:13px system-ui,sans-serif;fill:#1b2733}.name{font-weight:650}.small{font-size:11px;fill:#57677a}\
.box{fill:#fff;stroke:#b9c6d3}.store{fill:#eaf2fb;stroke:#7fa6d0}.guard{fill:#f6f1e4;stroke:#c5ad6d}\
.line{fill:none;stroke:#7b8a9a;stroke-width:1.6}.dotted{fill:none;stroke:#b08d3c;stroke-dasharray:3 4}\
.item{fill:#1769c4}.skipped{fill:none;stroke:#1769c4}.request{fill:#2d8a57}\
.end{fill:none;stroke:#1b2733;stroke-width:2}.bad{fill:none;stroke:#c22a2a;stroke-width:2.5}\
.sheet{fill:#f8fafc}\
@media (prefers-color-scheme:dark){text{fill:#e4ebf2}.small{fill:#9fb0c0}.box{fill:#1d2833;stroke:#465766}\
.store{fill:#1c3049;stroke:#4a7bb0}.guard{fill:#352e1c;stroke:#8d7740}.line{stroke:#8494a3}\
.item{fill:#6fb1f5}.skipped{stroke:#6fb1f5}.request{fill:#5cc48c}.end{stroke:#e4ebf2}.bad{stroke:#f08585}\
.sheet{fill:#121a22}}";

impl Canvas {
    pub(crate) fn put(&mut self, shape: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _written = self.0.write_fmt(shape);
    }

    /// A text of at most so many characters.
    pub(crate) fn text(&mut self, x: f64, y: f64, class: &str, text: &str, most: usize) {
        let short = escaped(&shortened(text, most));
        self.put(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{short}</text>"));
    }

    /// The whole picture, of this size and with this title.
    pub(crate) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let (shapes, title) = (self.0, escaped(&shortened(title, 200)));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\"><title>{title}</title>\
             <style>{STYLES}</style><rect class=\"sheet\" width=\"100%\" height=\"100%\"/>\
             {shapes}</svg>\n"
        )
    }
}

/// The first characters, and a sign that there were more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A text as it stands in XML: no markup, and none of the characters that XML does not have.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string does not fail.
                let _written = write!(escaped, "&#{};", u32::from(char));
            }
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if char.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(char),
        }
    }
    escaped
}
