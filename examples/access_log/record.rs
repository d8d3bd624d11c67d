//! One line of the log, in the combined format.

use std::ops::Range;

use jiff::fmt::strtime;

/// Bytes of a time such as `17/May/2015:10:05:03 +0000`, and where its seconds are.
const TIME_LEN: usize = 26;
const SECONDS: Range<usize> = 18..20;

/// What the report needs of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Seconds since 1970, rounded down to the minute.
    pub(crate) minute: i64,
    /// Where in the line the path is, without its query.
    pub(crate) path: Range<usize>,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
}

/// Parses lines. Those that follow each other are mostly of the same minute, which it remembers.
#[derive(Default)]
pub(crate) struct Parser {
    last: Option<([u8; TIME_LEN], i64)>,
}

impl Parser {
    /// Reads `host ident user [time] "method path protocol" status bytes ...`.
    ///
    /// Only what is used has to be valid: the other fields may hold any bytes.
    ///
    /// # Errors
    ///
    /// Which part is missing or wrong.
    pub(crate) fn parse(&mut self, line: &[u8]) -> Result<Record, &'static str> {
        // The user's name may hold a bracket, and so may the request.
        let time_end = find(line, b"] \"").ok_or("no time in brackets before a request")?;
        let time_start = line[..time_end]
            .iter()
            .rposition(|byte| *byte == b'[')
            .ok_or("no time in brackets before a request")?;
        let time = &line[time_start + 1..time_end];
        let start = time_end + 3;
        let end = start + quote(&line[start..]).ok_or("no end of the request")?;
        let method = find(&line[start..end], b" ").ok_or("no path in the request")?;
        let start = start + method + 1;
        // The query would make almost every path a path of its own.
        let len = line[start..end].iter().position(|byte| matches!(byte, b' ' | b'?'));
        let path = start..len.map_or(end, |len| start + len);
        let mut fields = line[end + 1..].trim_ascii_start().split(|byte| *byte == b' ');
        let status = fields.next().and_then(number).ok_or("no status")?;
        let status = u16::try_from(status).ok().filter(|status| (100..600).contains(status));
        let status = status.ok_or("a status that is not between 100 and 599")?;
        let bytes = match fields.next() {
            Some(b"-") => 0,
            Some(text) => number(text).ok_or("a size that is not a number")?,
            None => return Err("no size"),
        };
        let minute = self.minute(time).ok_or("a time that cannot be read")?;
        Ok(Record { minute, path, status, bytes })
    }

    fn minute(&mut self, time: &[u8]) -> Option<i64> {
        if let Some((last, minute)) = &self.last
            && time.len() == TIME_LEN
            && time[..SECONDS.start] == last[..SECONDS.start]
            && time[SECONDS.end..] == last[SECONDS.end..]
            && matches!(time[SECONDS], [b'0'..=b'5', b'0'..=b'9'])
        {
            return Some(*minute);
        }
        let parsed = strtime::parse("%d/%b/%Y:%H:%M:%S %z", time).ok()?.to_timestamp().ok()?;
        let minute = parsed.as_second().div_euclid(60) * 60;
        self.last = time.try_into().ok().map(|time| (time, minute));
        Some(minute)
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Where the next quote is that no backslash stands before.
fn quote(text: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    //! Lines as they are found in the wild.

    use super::{Parser, Record};

    fn parse(line: &[u8]) -> Result<Record, &'static str> {
        Parser::default().parse(line)
    }

    #[test]
    fn a_line_in_the_combined_format_is_read() {
        let line =
            br#"1.2.3.4 - - [17/May/2015:10:05:59 +0200] "GET /a?b=c HTTP/1.1" 200 12 "-" "x""#;

        let record = parse(line).unwrap();

        assert_eq!((&line[record.path], record.status, record.bytes), (&b"/a"[..], 200, 12));
        assert_eq!(record.minute, 1_431_849_900);
    }

    #[test]
    fn a_dash_for_a_size_is_nothing() {
        let line = br#"h - - [17/May/2015:10:05:59 +0000] "GET / HTTP/1.1" 304 - "-" "x""#;

        assert_eq!(parse(line).unwrap().bytes, 0);
    }

    #[test]
    fn a_malformed_line_is_refused_with_a_reason() {
        assert_eq!(parse(b"").unwrap_err(), "no time in brackets before a request");
        assert_eq!(parse(b"\xff").unwrap_err(), "no time in brackets before a request");
        let line = br#"h - - [99/May/2015:10:05:59 +0000] "GET / HTTP/1.1" 200 1"#;
        assert_eq!(parse(line).unwrap_err(), "a time that cannot be read");
        let line = br#"h - - [17/May/2015:10:05:59 +0000] "GET / HTTP/1.1" +200 1"#;
        assert_eq!(parse(line).unwrap_err(), "no status");
    }

    #[test]
    fn fields_that_are_not_used_may_hold_any_bytes() {
        let line = b"h - [\xff] [17/May/2015:10:05:59 +0000] \"GET /\xfe HTTP/1.1\" 200 1 \"\xff\"";

        let record = parse(line).unwrap();

        assert_eq!(&line[record.path], b"/\xfe");
    }

    #[test]
    fn a_minute_that_is_remembered_is_that_of_the_line() {
        let line = |time: &str| format!("h - - [{time}] \"GET / HTTP/1.1\" 200 1");
        let times = [
            "17/May/2015:10:05:59 +0000",
            "17/May/2015:10:05:00 +0000",
            "17/May/2015:10:05:00 +0100",
            "17/May/2015:10:06:00 +0000",
            "17/May/2015:10:06:7x +0000",
            "17/May/2015:10:06:99 +0000",
        ];
        let mut parser = Parser::default();

        for time in times {
            assert_eq!(parser.parse(line(time).as_bytes()), parse(line(time).as_bytes()), "{time}");
        }
    }
}
