//! The settings of Cloudflare Access: all three, or none.

use claviger_core::base::http::request::Url;

use crate::protocol::account::Email;

/// Most operators in the list.
pub const OPERATORS_MAX: usize = 100;

/// Domain of all teams.
const TEAM_DOMAIN: &str = ".cloudflareaccess.com";

/// Digits of an application's AUD tag.
const AUDIENCE_DIGITS: usize = 64;

/// The settings as the platform provides them.
#[derive(Debug, Default)]
pub struct AccessVariables {
    /// Variable `ACCESS_TEAM`: the team's name or domain.
    pub team: Option<String>,
    /// Variable `ACCESS_AUD`: the AUD tag of the application.
    pub audience: Option<String>,
    /// Variable `ACCESS_OPERATORS`: the operators' e-mail addresses.
    pub operators: Option<String>,
}

/// The reason for which the settings do not serve. The operator's routes then refuse every request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessConfigError {
    /// Another of the three settings is set.
    #[error("ACCESS_TEAM, ACCESS_AUD and ACCESS_OPERATORS belong together: {0} is not set")]
    Missing(&'static str),
    /// `ACCESS_TEAM` is no team.
    #[error("ACCESS_TEAM must be the team's domain, such as example.cloudflareaccess.com")]
    Team,
    /// `ACCESS_AUD` is no AUD tag.
    #[error("ACCESS_AUD must be the application's AUD tag: 64 digits of 0-9a-f")]
    Audience,
    /// `ACCESS_OPERATORS` is no list of addresses.
    #[error("ACCESS_OPERATORS must be 1 to {OPERATORS_MAX} e-mail addresses")]
    Operators,
}

/// The valid settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessSettings {
    issuer: String,
    audience: String,
    operators: Vec<Email>,
}

impl AccessSettings {
    /// Parses the settings; `None` if none is set. `console_origin` decides if the team may be a
    /// server of this machine.
    ///
    /// # Errors
    /// [`AccessConfigError`] for the first setting that is missing or wrong.
    pub fn parse(
        variables: &AccessVariables,
        console_origin: &str,
    ) -> Result<Option<Self>, AccessConfigError> {
        let AccessVariables { team, audience, operators } = variables;
        if team.is_none() && audience.is_none() && operators.is_none() {
            return Ok(None);
        }
        let set = |value: &Option<String>, name| match value {
            Some(text) => Ok(text.clone()),
            None => Err(AccessConfigError::Missing(name)),
        };
        let team = set(team, "ACCESS_TEAM")?;
        let audience = set(audience, "ACCESS_AUD")?;
        let operators = set(operators, "ACCESS_OPERATORS")?;
        let issuer = issuer(&team, console_origin).ok_or(AccessConfigError::Team)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if audience.len() != AUDIENCE_DIGITS || !audience.bytes().all(is_digit) {
            return Err(AccessConfigError::Audience);
        }
        let operators = addresses(&operators).ok_or(AccessConfigError::Operators)?;
        Ok(Some(Self { issuer, audience, operators }))
    }

    /// Returns the issuer of the team's tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the AUD tag that a token must name.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Returns `true` if the address is listed.
    pub fn lists(&self, email: &Email) -> bool {
        self.operators.contains(email)
    }

    /// Returns the number of listed addresses.
    #[cfg(test)]
    pub(super) fn operators_len(&self) -> usize {
        self.operators.len()
    }

    /// Returns the URL of the team's keys.
    pub fn keys_url(&self) -> String {
        [&self.issuer, "/cdn-cgi/access/certs"].concat()
    }
}

/// Returns the origin of a team, which is the issuer of its tokens. A server of this machine counts
/// only where the console itself runs on this machine.
fn issuer(team: &str, console_origin: &str) -> Option<String> {
    let is_local = |text: &str| {
        text.starts_with("http://")
            && Url::parse(text).is_some_and(|url| {
                url.origin == text && url.has_plain_authority() && url.is_confidential()
            })
    };
    if is_local(team) {
        return is_local(console_origin).then(|| team.to_owned());
    }
    let host = team.strip_prefix("https://").unwrap_or(team);
    let name = host.strip_suffix(TEAM_DOMAIN).unwrap_or(host);
    let is_name = (1..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.starts_with('-')
        && !name.ends_with('-');
    is_name.then(|| ["https://", name, TEAM_DOMAIN].concat())
}

/// Parses a list of addresses: a JSON array, or text with blanks or commas between them.
fn addresses(text: &str) -> Option<Vec<Email>> {
    let written: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).ok()?
    } else {
        text.split([',', ' ', '\t', '\r', '\n'])
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let emails: Option<Vec<Email>> =
        written.iter().map(|address| Email::parse(address).ok()).collect();
    emails.filter(|emails| (1..=OPERATORS_MAX).contains(&emails.len()))
}
