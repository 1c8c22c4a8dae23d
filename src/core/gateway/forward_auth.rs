//! Defines forward authentication: a proxy in front of an API asks about each request before it
//! lets it through.
//!
//! A proxy asks at `/v1/forward-auth/<dialect>/<access>`, by any method, with its own key in
//! `Claviger-Verifier`. The request repeats the client's `Authorization` and `X-API-Key`. The
//! dialect names the headers in which that proxy sends the method and the address of the client.
//! Exactly these are read, since any other may be the client's own:
//!
//! | dialect | method | address |
//! | --- | --- | --- |
//! | `nginx`, `haproxy` | `X-Original-Method` | `Claviger-Address` |
//! | `caddy` | `X-Forwarded-Method` | `Claviger-Address` |
//! | `envoy` | that of the request | `Claviger-Address` |
//! | `traefik` | `X-Forwarded-Method` | `X-Forwarded-For` |
//! | `ingress-nginx` | `X-Original-Method` | `X-Forwarded-For` |
//!
//! `<access>` is `any-key`, a permission, or two of them separated by `,` or `~`: the first for
//! requests that read, the second for those that may change something. It stands in the path, which
//! the proxy's settings fix, and not in a header, which a client could send. The URI of the
//! client's request decides nothing, so it is not read.
//!
//! The answer is 200 without a body, 401, 403, or 503 if no answer is possible. nginx turns any
//! other status into 500, and Envoy takes any 200 for a permission. So a request with
//! `Claviger-Verifier` gets nothing else from the console's host
//! ([`GatewayProblem::NotForVerifiers`](crate::gateway::problem::GatewayProblem::NotForVerifiers)):
//! a path with dot segments that a proxy appends must lead nowhere.

use crate::base::http::request::Request;
use crate::base::http::response::Response;
use crate::base::time::{DurationMs, UnixMs};
use crate::config::rules::RequestEffect;
use crate::credential::limits::lifetime::Expiry;
use crate::credential::limits::network::ClientAddress;
use crate::credential::limits::permission::{Grant, Permission};
use crate::gateway::check::Evidence;
use crate::gateway::header_names::is_method_override;
use crate::lease::call::Basis;
use crate::verify::verification::Valid;

/// The part of the path before the dialect.
pub const PREFIX: &str = "/v1/forward-auth/";

/// Name of the access that any valid key has.
const ANY_KEY: &str = "any-key";

/// The header in which proxies send the client's address, if their settings can name one.
const ADDRESS: &str = "claviger-address";

/// The header in which other proxies send it.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxy whose headers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// nginx with `auth_request`.
    Nginx,
    /// HAProxy with `auth-request.lua`, or its own HTTP client.
    Haproxy,
    /// Caddy with `forward_auth`.
    Caddy,
    /// Envoy with `ext_authz` over HTTP.
    Envoy,
    /// Traefik with `ForwardAuth`.
    Traefik,
    /// The ingress controller of Kubernetes, with `auth-url`.
    IngressNginx,
}

impl Dialect {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "nginx" => Self::Nginx,
            "haproxy" => Self::Haproxy,
            "caddy" => Self::Caddy,
            "envoy" => Self::Envoy,
            "traefik" => Self::Traefik,
            "ingress-nginx" => Self::IngressNginx,
            _ => return None,
        })
    }

    /// Returns the header with the client's method; `None` if the proxy asks by that method.
    fn method_header(self) -> Option<&'static str> {
        match self {
            Self::Nginx | Self::Haproxy | Self::IngressNginx => Some("x-original-method"),
            Self::Caddy | Self::Traefik => Some("x-forwarded-method"),
            Self::Envoy => None,
        }
    }

    /// Returns the header with the client's address.
    fn address_header(self) -> &'static str {
        match self {
            Self::Nginx | Self::Haproxy | Self::Caddy | Self::Envoy => ADDRESS,
            Self::Traefik | Self::IngressNginx => FORWARDED_FOR,
        }
    }
}

/// The reason why a proxy's request cannot be understood. Its settings are wrong, or a client got a
/// header past them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFault {
    /// The path names no dialect.
    #[error("the path must name nginx, haproxy, caddy, envoy, traefik or ingress-nginx")]
    Dialect,
    /// The path names no access.
    #[error("the path must end with any-key, a permission, or two separated by a comma or ~")]
    Access,
    /// A header of the dialect is missing or empty.
    #[error("the header {0} is missing: the proxy must set it")]
    Missing(&'static str),
    /// A header of the dialect has several values.
    #[error("the header {0} has more than one value: the proxy must replace the client's")]
    Repeated(&'static str),
    /// A header of the dialect has a value of another form.
    #[error("the header {0} is malformed")]
    Malformed(&'static str),
}

/// The permissions that a request needs, by its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DemandedAccess {
    AnyKey,
    Permission { read: Permission, write: Permission },
}

/// The parsed path of a proxy's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardAuth {
    dialect: Dialect,
    access: DemandedAccess,
}

impl ForwardAuth {
    /// Parses a path that begins with [`PREFIX`]. Envoy appends the path of the client's request,
    /// which decides nothing.
    ///
    /// # Errors
    /// [`ProxyFault::Dialect`] or [`ProxyFault::Access`].
    pub fn parse(path: &str) -> Result<Self, ProxyFault> {
        let rest = path.strip_prefix(PREFIX).ok_or(ProxyFault::Dialect)?;
        let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let dialect = Dialect::parse(name).ok_or(ProxyFault::Dialect)?;
        let (access, below) = rest.split_once('/').unwrap_or((rest, ""));
        if !below.is_empty() && dialect != Dialect::Envoy {
            return Err(ProxyFault::Access);
        }
        let permission = |text: &str| text.parse::<Permission>().map_err(|_| ProxyFault::Access);
        let access = match access.split_once([',', '~']) {
            Some((read, write)) => {
                DemandedAccess::Permission { read: permission(read)?, write: permission(write)? }
            }
            None if access == ANY_KEY => DemandedAccess::AnyKey,
            None => {
                let both = permission(access)?;
                DemandedAccess::Permission { read: both.clone(), write: both }
            }
        };
        Ok(Self { dialect, access })
    }

    /// Returns the permission that the client's request demands; `None` for any valid key. A
    /// request that asks its origin for another method may change something, whatever its own is.
    ///
    /// # Errors
    /// A [`ProxyFault`] about the header with the method.
    pub fn permission(&self, request: &Request<'_>) -> Result<Option<&Permission>, ProxyFault> {
        // Whatever is not a method that reads needs the second permission.
        let method = match self.dialect.method_header() {
            Some(name) => single(request, name)?,
            None => request.method,
        };
        let DemandedAccess::Permission { read, write } = &self.access else {
            return Ok(None);
        };
        let overrides = request.headers.iter().any(|(name, _)| is_method_override(name));
        Ok(Some(match RequestEffect::of_method(method) {
            RequestEffect::Read if !overrides => read,
            RequestEffect::Read | RequestEffect::Write => write,
        }))
    }

    /// Returns the client's address. `proxy` is that from which the proxy connects: the platform
    /// appends it to `X-Forwarded-For`.
    ///
    /// # Errors
    /// A [`ProxyFault`] about the header with the address.
    pub fn address(
        &self,
        request: &Request<'_>,
        proxy: Option<ClientAddress>,
    ) -> Result<ClientAddress, ProxyFault> {
        let name = self.dialect.address_header();
        let value = request.headers.find(name).unwrap_or_default();
        let appended = value.rsplit_once(',').filter(|_| name == FORWARDED_FOR);
        let is_proxy = |text: &str| ClientAddress::parse(text.trim()) == proxy && proxy.is_some();
        let value = match appended {
            Some((before, last)) if is_proxy(last) => before.trim(),
            _ => value,
        };
        if value.is_empty() {
            return Err(ProxyFault::Missing(name));
        }
        if value.contains(',') {
            return Err(ProxyFault::Repeated(name));
        }
        ClientAddress::parse(value).ok_or(ProxyFault::Malformed(name))
    }

    /// Builds the response that lets a request through. The proxy copies the headers that identify
    /// the caller; `carriers` are the headers that held the key. `cache` is how long the proxy may
    /// keep the response, in whole seconds.
    pub fn allow(&self, valid: &Valid, carriers: &[&str], cache: u64) -> Response {
        let permissions: Vec<String> = valid.permissions.iter().map(Grant::to_string).collect();
        let vary = [
            "authorization, x-api-key, claviger-verifier, ",
            self.dialect.address_header(),
            self.dialect.method_header().map_or("", |_| ", "),
            self.dialect.method_header().unwrap_or_default(),
        ];
        let control = match cache {
            0 => "no-store".to_owned(),
            seconds => format!("max-age={seconds}"),
        };
        let mut headers = vec![
            ("claviger-account", valid.key.account().to_string()),
            ("claviger-key", valid.key.to_string()),
            ("claviger-permissions", permissions.join(" ")),
            ("cache-control", control),
            // nginx prefers it to `Cache-Control`, counts in whole seconds, and keeps an answer
            // through the last of them.
            ("x-accel-expires", cache.saturating_sub(1).to_string()),
            ("vary", vary.concat()),
        ];
        if self.dialect == Dialect::Envoy && !carriers.is_empty() {
            headers.push(("x-envoy-auth-headers-to-remove", carriers.join(",")));
        }
        Response { status: 200, headers, body: String::new(), more: None }
    }
}

/// Returns the value of a header that the proxy must have set once. The runtime joins repeated
/// headers by a comma.
fn single<'a>(request: &Request<'a>, name: &'static str) -> Result<&'a str, ProxyFault> {
    match request.headers.find(name) {
        None | Some("") => Err(ProxyFault::Missing(name)),
        Some(value) if value.contains(',') => Err(ProxyFault::Repeated(name)),
        Some(value) => Ok(value),
    }
}

/// Returns how long a proxy may keep a permission, in whole seconds: until the facts that it rests
/// on are `freshness` old, and no longer than the key lives. So a cache adds nothing to the bound
/// of a revocation. It is 0 if the ledger itself does not stand behind the facts, or if the account
/// wants each request to ask.
pub fn cache_s(
    evidence: Option<Evidence>,
    freshness: Option<DurationMs>,
    expires: Expiry,
    now: UnixMs,
) -> u64 {
    let Some(evidence) = evidence.filter(|found| !found.is_stale && found.basis == Basis::Ledger)
    else {
        return 0;
    };
    let left = freshness.map_or(0, |bound| bound.as_ms().saturating_sub(evidence.age_ms));
    let life = expires.at().map(|end| end.since(now).map_or(0, DurationMs::as_ms));
    left.min(life.unwrap_or(u64::MAX)).div_euclid(1_000)
}

#[cfg(test)]
mod tests;
