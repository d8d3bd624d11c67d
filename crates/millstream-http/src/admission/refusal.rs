//! The response to a request that is refused, made without an allocation.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request};
use millstream_pressure::RetrySpread;

use super::{
    AdmissionBody,
    decide::{Burst, Refused},
};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// The response, which has the table of headers of the request.
pub(super) fn response<B>(
    refused: Refused,
    parts: request::Parts,
    spread: &RetrySpread,
) -> Response<AdmissionBody<B>> {
    let mut headers = parts.headers;
    headers.clear();
    let (status, rejected, after) = match refused {
        Refused::Rate(rejected, burst) => {
            burst.write(&mut headers);
            // Those of one client, of which the others know nothing.
            let after = rejected.retry_after.unwrap_or_else(|| spread.retry_after());
            (StatusCode::TOO_MANY_REQUESTS, rejected, after)
        }
        Refused::By(rejected) => {
            // A breaker or queue that knows better is believed.
            let after = spread.retry_after().max(rejected.retry_after.unwrap_or_default());
            (StatusCode::SERVICE_UNAVAILABLE, rejected, after)
        }
    };
    headers.insert(header::RETRY_AFTER, number(whole_seconds(after).max(1)));
    let reason = Bytes::from_static(rejected.reason.as_str().as_bytes());
    let mut response = Response::new(AdmissionBody::refused(reason));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

impl Burst {
    pub(super) fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, number(self.limit));
        headers.insert(REMAINING, number(self.remaining));
        headers.insert(RESET, number(whole_seconds(self.reset)));
    }
}

/// Rounded up, so that nobody comes too early.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

/// The numbers below `N_WRITTEN`, three digits each.
static DIGITS: [u8; 3 * N_WRITTEN] = digits();
const N_WRITTEN: usize = 1_000;

const fn digits() -> [u8; 3 * N_WRITTEN] {
    let mut digits = [b'0'; 3 * N_WRITTEN];
    let mut n = 0;
    while n < N_WRITTEN {
        digits[3 * n] += (n / 100) as u8;
        digits[3 * n + 1] += (n / 10 % 10) as u8;
        digits[3 * n + 2] += (n % 10) as u8;
        n += 1;
    }
    digits
}

/// A number as a header's value; small ones cost no allocation.
fn number(n: u64) -> HeaderValue {
    let Some(at) = usize::try_from(n).ok().filter(|n| *n < N_WRITTEN) else {
        return HeaderValue::from(n);
    };
    let n_zeros = [100, 10].iter().filter(|bound| at < **bound).count();
    match str::from_utf8(&DIGITS[3 * at + n_zeros..3 * at + 3]) {
        Ok(text) => HeaderValue::from_static(text),
        Err(_) => HeaderValue::from(n),
    }
}

#[test]
fn numbers_are_written() {
    for n in (0..1_100).chain([123_456]) {
        assert_eq!(number(n), n.to_string());
    }
    assert_eq!(whole_seconds(Duration::from_millis(1_001)), 2);
    assert_eq!(whole_seconds(Duration::from_secs(3)), 3);
}
