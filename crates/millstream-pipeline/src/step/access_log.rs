//! `parse: access_log`: a line of a web server's log, in the common or combined format.

use std::sync::LazyLock;

use jiff::fmt::strtime;
use regex::Regex;
use serde_json::{Map, Value};

/// Quoted parts may contain quotes behind a backslash, as Apache and nginx write them.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let quoted = |name: &str| format!(r#""(?P<{name}>(?:[^"\\]|\\.)*)""#);
    let pattern = format!(
        r"^(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] {} (?P<status>\d{{3}}) (?P<bytes>\d+|-)(?: {} {})?",
        quoted("request"),
        quoted("referer"),
        quoted("agent"),
    );
    Regex::new(&pattern).expect("it is written here")
});

/// The fields of a line: `client`, `ident`, `user`, `time` (seconds since 1970), `method`, `path`,
/// `protocol`, `status`, `bytes`, `referer` and `agent`; a `-` is null.
#[derive(Default)]
pub(super) struct AccessLog {
    /// The last time as it was written, and what it means: lines of a second share one.
    last: Option<(String, i64)>,
}

impl AccessLog {
    pub(super) fn parse(&mut self, line: &str) -> Result<Value, String> {
        let found = LINE.captures(line).ok_or("is not in the common or combined log format")?;
        let time = self.seconds(&found["time"])?;
        let mut fields = Map::new();
        let mut text = |name: &str, value: Option<&str>| {
            let value = value.filter(|value| *value != "-");
            fields.insert(name.to_owned(), value.map_or(Value::Null, Value::from));
        };
        for name in ["client", "ident", "user", "referer", "agent"] {
            text(name, found.name(name).map(|part| part.as_str()));
        }
        // What is not a request, such as the bytes of another protocol, is all path.
        let request = &found["request"];
        let mut parts = request.splitn(3, ' ');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(method), Some(path), protocol) => {
                text("method", Some(method));
                text("path", Some(path));
                text("protocol", protocol);
            }
            _ => {
                text("method", None);
                text("path", Some(request));
                text("protocol", None);
            }
        }
        fields.insert("time".to_owned(), time.into());
        let number = |name: &str| found[name].parse::<i64>();
        let status = number("status").map_err(|_| "has a status that is no number")?;
        fields.insert("status".to_owned(), status.into());
        let bytes = match &found["bytes"] {
            "-" => 0,
            _ => number("bytes").map_err(|_| "has a number of bytes that is too large")?,
        };
        fields.insert("bytes".to_owned(), bytes.into());
        Ok(Value::Object(fields))
    }

    fn seconds(&mut self, text: &str) -> Result<i64, String> {
        if let Some((last, seconds)) = &self.last
            && last == text
        {
            return Ok(*seconds);
        }
        let time = strtime::parse("%d/%b/%Y:%H:%M:%S %z", text)
            .and_then(|time| time.to_timestamp())
            .map_err(|_| format!("has the time `{text}`, which is none"))?;
        let seconds = time.as_second();
        self.last = Some((text.to_owned(), seconds));
        Ok(seconds)
    }
}
