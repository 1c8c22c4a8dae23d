//! Problems of programs that call the admin API by a key.

use claviger_core::base::http::problem::ProblemDocument;
use claviger_core::base::http::request::Url;
use claviger_core::base::http::response::Response;
use claviger_core::verify::challenge::challenge;
use claviger_core::verify::verdict::Denial;

/// The reason for which a program is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// The program's key is not valid now, or lacks the right for the request.
    Refused(Denial),
    /// The request carries a session cookie beside the key.
    Ambiguous,
    /// The program has reached its rate limit.
    TooMany {
        /// Seconds until the next accepted request.
        retry_after_s: u64,
        /// Time of the next accepted request, RFC 3339.
        until: String,
    },
}

impl TokenProblem {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(denial) => denial.status(),
            Self::Ambiguous => 400,
            Self::TooMany { .. } => 429,
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(denial) => denial.code(),
            Self::Ambiguous => "ambiguous_credential",
            Self::TooMany { .. } => Denial::RateLimited.code(),
        }
    }

    /// Returns the title for people, the same for every occurrence.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Refused(denial) => denial.title(),
            Self::Ambiguous => "The request carries more than one credential",
            Self::TooMany { .. } => "Too many requests in a minute",
        }
    }

    /// Returns the whole response.
    pub fn answer(&self, console_origin: &str) -> Response {
        let extensions = match self {
            Self::TooMany { until, .. } => vec![("until", until.as_str().into())],
            Self::Refused(_) | Self::Ambiguous => Vec::new(),
        };
        let (status, code, title) = (self.status(), self.code(), self.title());
        let header = match self {
            Self::Refused(denial) => {
                let realm = Url::parse(console_origin).map_or("", |url| url.host);
                challenge(*denial, realm, None).map(|text| ("www-authenticate", text))
            }
            Self::Ambiguous => None,
            Self::TooMany { retry_after_s, .. } => Some(("retry-after", retry_after_s.to_string())),
        };
        ProblemDocument { status, code, title, extensions }
            .answer(console_origin)
            .with_header(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_a_protected_api() {
        let answer = TokenProblem::Refused(Denial::Expired).answer("https://keys.example.com");
        assert_eq!(answer.status, 401);
        let challenge = r#"Bearer realm="keys.example.com", error="invalid_token""#;
        assert!(answer.headers.contains(&("www-authenticate", challenge.into())));
        let until = "2026-11-22T10:31:00Z".to_owned();
        let answer = TokenProblem::TooMany { retry_after_s: 12, until }.answer("");
        assert_eq!(answer.status, 429);
        assert!(answer.headers.contains(&("retry-after", "12".into())));
        assert!(answer.body.contains(r#""code":"rate_limited","until":"2026-11-22T10:31:00Z""#));
    }
}
