//! `retry_after`: what a response says about when to come again.

use std::time::Duration;

use http::{HeaderMap, HeaderName, header};

/// After how long a response says to come again, by its header `Retry-After`: in seconds, or as a
/// date, which is compared with the response's own `Date`, so that no clock has to be right. `None`
/// if it says nothing, or nothing that is understood.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use millstream_http::retry_after;
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", HeaderValue::from_static("3"));
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
/// headers.insert("retry-after", HeaderValue::from_static("Sun, 06 Nov 1994 08:49:40 GMT"));
/// headers.insert("date", HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
/// assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
/// headers.insert("retry-after", HeaderValue::from_static("-1"));
/// assert_eq!(retry_after(&headers), None);
/// ```
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let said = text(header::RETRY_AFTER)?;
    if said.bytes().all(|byte| byte.is_ascii_digit()) {
        return said.parse().ok().map(Duration::from_secs);
    }
    let date = |text| httpdate::parse_http_date(text).ok();
    let (until, from) = (date(said)?, date(text(header::DATE)?)?);
    // One that is over says: now.
    Some(until.duration_since(from).unwrap_or_default())
}
