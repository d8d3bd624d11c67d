//! The report as JUnit XML.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{Document, Report, Status};

impl Report {
    /// A test suite per subject, a test case per check.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "what is expected always holds")]
    pub fn junit(&self) -> String {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write_junit(&mut writer).expect("a vector takes everything");
        String::from_utf8(writer.into_inner()).expect("everything written is text") + "\n"
    }

    fn write_junit(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let suites = writer.create_element("testsuites");
        let suites = counts(&self.documents)
            .into_iter()
            .fold(suites, |suites, (key, value)| suites.with_attribute((key, value.as_str())));
        suites.with_attribute(("name", "reactive-streams-tck")).write_inner_content(|writer| {
            for (origin, subject) in self.subjects() {
                let of_subject = self.documents.iter();
                let of_subject =
                    of_subject.filter(|d| (&*d.origin, &*d.subject) == (origin, subject));
                let documents: Vec<Document> = of_subject.cloned().collect();
                let name = plain(&format!("{origin} {subject}"));
                let suite = writer.create_element("testsuite");
                let suite = counts(&documents)
                    .into_iter()
                    .fold(suite, |suite, (key, value)| suite.with_attribute((key, value.as_str())));
                suite.with_attribute(("name", name.as_str())).write_inner_content(|writer| {
                    documents.iter().try_for_each(|document| write_case(writer, document))
                })?;
            }
            Ok(())
        })?;
        Ok(())
    }
}

fn counts(documents: &[Document]) -> [(&'static str, String); 5] {
    let count = |holds: &dyn Fn(&Document) -> bool| {
        documents.iter().filter(|document| holds(document)).count().to_string()
    };
    let is_error = |document: &Document| document.verdict == "harness_error";
    let took = documents.iter().map(|document| document.took_us).sum();
    [
        ("tests", documents.len().to_string()),
        ("failures", count(&|d| d.status == Status::Failed && !is_error(d))),
        ("errors", count(&|d| d.status == Status::Failed && is_error(d))),
        ("skipped", count(&|d| is_skipped(d.status))),
        ("time", seconds(took)),
    ]
}

/// A known violation has no color of its own in this form.
const fn is_skipped(status: Status) -> bool {
    matches!(status, Status::Skipped | Status::Tolerated)
}

fn write_case(writer: &mut Writer<Vec<u8>>, document: &Document) -> io::Result<()> {
    let class = plain(&document.subject);
    let took = seconds(document.took_us);
    let case = writer
        .create_element("testcase")
        .with_attribute(("name", document.check.as_str()))
        .with_attribute(("classname", class.as_str()))
        .with_attribute(("time", took.as_str()));
    let message = plain(document.message.as_deref().unwrap_or_default());
    let mut headline: Vec<String> =
        document.violations.iter().map(|b| format!("rule {}: {}", b.rule, b.message)).collect();
    headline.extend(document.reason.clone());
    let headline = plain(&headline.join("; "));
    case.write_inner_content(|writer| {
        writer.create_element("properties").write_inner_content(|writer| {
            for (name, value) in [("rule", &document.rule), ("verdict", &document.verdict)] {
                let property = writer.create_element("property").with_attribute(("name", name));
                property.with_attribute(("value", value.as_str())).write_empty()?;
            }
            Ok(())
        })?;
        let attribute = ("message", headline.as_str());
        match document.status {
            Status::Failed => {
                let is_error = document.verdict == "harness_error";
                let element = writer.create_element(if is_error { "error" } else { "failure" });
                let kind = ("type", document.verdict.as_str());
                let element = element.with_attribute(attribute).with_attribute(kind);
                element.write_text_content(BytesText::new(&message))?;
            }
            status if is_skipped(status) => {
                writer.create_element("skipped").with_attribute(attribute).write_empty()?;
            }
            _ => {}
        }
        if document.status != Status::Failed && !message.is_empty() {
            let out = writer.create_element("system-out");
            out.write_text_content(BytesText::new(&message))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn seconds(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// XML has no form for control characters.
fn plain(text: &str) -> String {
    let is_plain = |char: &char| !char.is_control() || matches!(char, '\n' | '\t');
    text.chars().filter(is_plain).collect()
}
