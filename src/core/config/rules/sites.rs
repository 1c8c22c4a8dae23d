//! Defines the sites whose pages may read responses under a rule (CORS, Fetch §3.2).

use crate::base::http::request::Url;

/// The sites of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// Pages of every site.
    Any,
    /// Pages of these origins, as browsers write them.
    Listed(Vec<String>),
}

impl Sites {
    /// Reads the sites of a rule; `None` if a text is not an origin as browsers write it, or if `*`
    /// is not alone.
    pub(super) fn parse(origins: Vec<String>) -> Option<Self> {
        match &*origins {
            [] => None,
            [any] if any == "*" => Some(Self::Any),
            _ => origins.iter().all(|text| is_origin(text)).then_some(Self::Listed(origins)),
        }
    }

    /// Returns the value of `Access-Control-Allow-Origin` for a request with this `Origin`; `None`
    /// if its page may not read the response.
    pub fn allowed(&self, origin: Option<&str>) -> Option<&str> {
        match self {
            Self::Any => Some("*"),
            Self::Listed(all) => {
                let is_it = |listed: &&String| Some(listed.as_str()) == origin;
                all.iter().find(is_it).map(String::as_str)
            }
        }
    }
}

/// Returns `true` if a browser may write this text as `Origin`, without the usual port of a scheme.
fn is_origin(text: &str) -> bool {
    let is_usual = (text.starts_with("https:") && text.ends_with(":443"))
        || (text.starts_with("http:") && text.ends_with(":80"));
    let is_plain = |url: Url<'_>| url.origin == text && url.has_plain_authority();
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    text == "null" || (is_lower && !is_usual && Url::parse(text).is_some_and(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(origins: &[&str]) -> Option<Sites> {
        Sites::parse(origins.iter().map(|&text| text.to_owned()).collect())
    }

    #[test]
    fn origins_with_near_misses() {
        for origin in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://[::1]:3000",
            "https://xn--r8jz45g.example",
            "capacitor://localhost",
            "chrome-extension://abcdefgh",
            "null",
        ] {
            assert_eq!(parse(&[origin]), Some(Sites::Listed(vec![origin.into()])), "{origin}");
        }
        for origin in [
            "",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/a",
            "https://app.example.com.",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:99999",
            "https://*.example.com",
            "https://u@app.example.com",
            "https://a.example, https://b.example",
            "Null",
            "*",
        ] {
            assert_eq!(parse(&["https://a.example", origin]), None, "{origin}");
        }
        assert_eq!(parse(&["*"]), Some(Sites::Any));
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn a_page_may_read_if_its_origin_is_listed_to_the_letter() {
        let sites = parse(&["https://a.example", "http://b.example:8080"]).unwrap();
        for (origin, allowed) in [
            (Some("https://a.example"), true),
            (Some("http://b.example:8080"), true),
            (Some("http://a.example"), false),
            (Some("https://a.example:8443"), false),
            (Some("https://a.example.evil.example"), false),
            (Some("https://xa.example"), false),
            (Some("null"), false),
            (Some("*"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(sites.allowed(origin), origin.filter(|_| allowed), "{origin:?}");
        }
        assert_eq!(Sites::Any.allowed(Some("null")), Some("*"));
        assert_eq!(parse(&["null"]).unwrap().allowed(Some("null")), Some("null"));
    }
}
