//! One line of the log, in the combined format.

use jiff::{Timestamp, fmt::strtime};

/// What the report needs of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Seconds since 1970, rounded down to the minute.
    pub(crate) minute: i64,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
}

/// Reads `host ident user [time] "method path protocol" status bytes ...`.
///
/// # Errors
///
/// Which part is missing or wrong.
pub(crate) fn parse(line: &[u8]) -> Result<Record, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "not UTF-8")?;
    let (_, rest) = line.split_once('[').ok_or("no time in brackets")?;
    let (time, rest) = rest.split_once("] \"").ok_or("no request after the time")?;
    let (request, rest) = split_quoted(rest).ok_or("no end of the request")?;
    let mut request = request.split(' ');
    let path = request.nth(1).ok_or("no path in the request")?;
    let mut fields = rest.trim_start().split(' ');
    let status = fields.next().and_then(|text| text.parse().ok()).ok_or("no status")?;
    if !(100..600).contains(&status) {
        return Err("a status that is not between 100 and 599");
    }
    let bytes = match fields.next() {
        Some("-") => 0,
        Some(text) => text.parse().map_err(|_| "a size that is not a number")?,
        None => return Err("no size"),
    };
    let time = parse_time(time).ok_or("a time that cannot be read")?;
    let minute = time.as_second().div_euclid(60) * 60;
    // The query would make almost every path a path of its own.
    let path = path.split('?').next().unwrap_or(path).to_owned();
    Ok(Record { minute, path, status, bytes })
}

/// Splits at the next quote that no backslash stands before.
fn split_quoted(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })?;
    Some((&text[..end], &text[end + 1..]))
}

fn parse_time(time: &str) -> Option<Timestamp> {
    strtime::parse("%d/%b/%Y:%H:%M:%S %z", time).ok()?.to_timestamp().ok()
}

#[cfg(test)]
mod tests {
    //! Lines as they are found in the wild.

    use super::parse;

    #[test]
    fn a_line_in_the_combined_format_is_read() {
        let line =
            br#"1.2.3.4 - - [17/May/2015:10:05:59 +0200] "GET /a?b=c HTTP/1.1" 200 12 "-" "x""#;

        let record = parse(line).unwrap();

        assert_eq!((record.path.as_str(), record.status, record.bytes), ("/a", 200, 12));
        assert_eq!(record.minute, 1_431_849_900);
    }

    #[test]
    fn a_dash_for_a_size_is_nothing() {
        let line = br#"h - - [17/May/2015:10:05:59 +0000] "GET / HTTP/1.1" 304 - "-" "x""#;

        assert_eq!(parse(line).unwrap().bytes, 0);
    }

    #[test]
    fn a_malformed_line_is_refused_with_a_reason() {
        assert_eq!(parse(b"").unwrap_err(), "no time in brackets");
        assert_eq!(parse(b"\xff").unwrap_err(), "not UTF-8");
        let line = br#"h - - [99/May/2015:10:05:59 +0000] "GET / HTTP/1.1" 200 1"#;
        assert_eq!(parse(line).unwrap_err(), "a time that cannot be read");
    }
}
