//! Who may see the page, and who may change something.

use std::{io, net::IpAddr};

use axum::http::{HeaderMap, header};

/// The header in which a control's token comes. Other sites cannot send it without being asked
/// whether they may, and nobody answers that they may.
pub(super) const TOKEN: &str = "x-millstream-token";

#[derive(Clone, Debug)]
pub(super) struct Access {
    token: String,
    /// Whether the page has the token by itself.
    is_in_page: bool,
    hosts: Vec<String>,
    is_remote: bool,
}

impl Access {
    pub(super) fn new(
        token: Option<String>,
        hosts: Vec<String>,
        is_remote: bool,
    ) -> io::Result<Self> {
        let is_in_page = token.is_none();
        let token = token.map_or_else(random, Ok)?;
        Ok(Self { token, is_in_page, hosts, is_remote })
    }

    /// The token that the page has by itself.
    pub(super) fn token_of_page(&self) -> Option<&str> {
        self.is_in_page.then_some(&*self.token)
    }

    /// Returns whether the caller has used a name that this server has. A name of somebody else's
    /// that points here would let that site's scripts read the page.
    pub(super) fn is_host(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
            return false;
        };
        let name = without_port(host).to_ascii_lowercase();
        if name == "localhost" || self.hosts.contains(&name) {
            return true;
        }
        let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        ip.is_ok_and(|ip| self.is_remote || ip.is_loopback())
    }

    /// Returns whether the caller is this page, and knows the token.
    pub(super) fn may_control(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_own = match text("sec-fetch-site") {
            Some(site) => site == "same-origin",
            None => match (text("origin"), text("host")) {
                (Some(origin), Some(host)) => {
                    origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
                }
                // No browser.
                (None, _) => true,
                (Some(_), None) => false,
            },
        };
        is_own && text(TOKEN).is_some_and(|token| is_same(token, &self.token))
    }
}

/// In the same time, wherever they differ.
fn is_same(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && differ == 0
}

fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        // The last colon of an address in brackets may be inside of them.
        Some(at) if !host[at..].contains(']') => &host[..at],
        _ => host,
    }
}

/// 128 random bits.
pub(super) fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Access, TOKEN};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        pairs.collect()
    }

    fn access(is_remote: bool) -> Access {
        let hosts = vec!["flows.example".to_owned()];
        Access::new(Some("secret".to_owned()), hosts, is_remote).expect("random numbers")
    }

    #[test]
    fn only_its_own_names_are_answered() {
        let cases = [
            ("127.0.0.1:7777", true, true),
            ("localhost", true, true),
            ("LOCALHOST:1", true, true),
            ("[::1]:7777", true, true),
            ("[::1]", true, true),
            ("flows.example:80", true, true),
            ("10.0.0.1:7777", false, true),
            ("evil.example:7777", false, false),
            ("127.0.0.1.evil.example", false, false),
            ("", false, false),
        ];
        for (host, local, remote) in cases {
            assert_eq!(access(false).is_host(&headers(&[("host", host)])), local, "{host}");
            assert_eq!(access(true).is_host(&headers(&[("host", host)])), remote, "{host}");
        }
        assert!(!access(true).is_host(&headers(&[])));
    }

    #[test]
    fn a_control_needs_the_token_and_the_same_origin() {
        let host = ("host", "127.0.0.1:7777");
        let token = (TOKEN, "secret");
        let may = |pairs: &[_]| access(false).may_control(&headers(pairs));

        assert!(may(&[host, token]));
        assert!(may(&[host, token, ("sec-fetch-site", "same-origin")]));
        assert!(may(&[host, token, ("origin", "http://127.0.0.1:7777")]));

        assert!(!may(&[host]));
        assert!(!may(&[host, (TOKEN, "secre")]));
        assert!(!may(&[host, (TOKEN, "secreT")]));
        assert!(!may(&[host, token, ("sec-fetch-site", "cross-site")]));
        assert!(!may(&[host, token, ("sec-fetch-site", "same-site")]));
        assert!(!may(&[host, token, ("origin", "http://evil.example")]));
        assert!(!may(&[host, token, ("origin", "null")]));
        assert!(!may(&[token, ("origin", "http://127.0.0.1:7777")]));
    }
}
