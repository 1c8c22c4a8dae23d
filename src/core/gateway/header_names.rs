//! Knows the headers that a client may not send to an origin, and their spellings.
//!
//! Some servers take a request's path, method, host, scheme, user or client address from a header
//! that a proxy before them writes. Claviger is that proxy. It decides by the request itself, so it
//! removes such headers under every rule, and writes those that it can vouch for.
//!
//! A server may know a header by another spelling. CGI (RFC 3875 §4.1.18), WSGI, Rack and PHP turn
//! `-` into `_`, and so read `X_Real_IP` as `X-Real-IP`. PHP turns `.` into `_` as well. Apache up
//! to 2.2 and lighttpd turn every character into `_` that is neither a letter nor a digit. Some
//! applications ask for `HTTP_CLIENT_IP` by that name, and grpc-gateway drops `Grpc-Metadata-`. So
//! names are compared [`folded`](fold), with and without these beginnings.

/// Headers to remove, folded and separated by blanks. A `*` at either end stands for any text.
const REMOVED: &str = "\
    claviger claviger-* \
    forwarded* x-forwarded* x-original-for* x-original-host x-original-ip x-original-method \
    x-original-path x-original-prefix x-original-proto x-original-remote* x-original-scheme \
    x-original-ur* x-rewrite-* x-real-* x-envoy-* x-proxy-* proxy proxy-* x-arr-* x-azure-* \
    x-appengine-* x-vercel-* cloudfront-* fastly-* fly-* \
    script-name x-script-name path-info x-path-info request-uri x-request-uri x-accel-* \
    x-sendfile* x-middleware-* x-invoke-* x-matched-path x-now-route-matches x-waws-* \
    x-ingress-path x-http-destinationurl \
    method x-method *method-override x-http-method* x-override-method \
    x-host *host-override x-http-host \
    front-end-https x-scheme x-url-scheme x-https cf-visitor \
    *client-ip *clientip *real-ip *connecting-ip *connecting-ipv6 *connection-ip *remote-addr \
    *remote-ip *user-ip *originating-ip *source-ip cf-pseudo-ipv4 \
    remote-* x-remote-* x-webauth-* webauth-* x-auth-request-* x-authenticated-* x-authentik-* \
    x-consumer-* x-credential-identifier x-anonymous-consumer x-pomerium-* x-vouch-* oidc-* \
    x-oidc-* shib-* tailscale-* x-ms-client-principal* x-goog-authenticated-user-* x-amzn-oidc-* \
    cf-access-authenticated-user-* \
    sm-user sm-userdn sm-authtype iv-user* iv-groups iv-creds x-endpoint-api-userinfo x-userinfo \
    x-apigateway-* x-amzn-request-context x-override-url x-forward-* \
    ssl-* x-ssl-* x-tls-* client-cert* x-client-cert* x-client-dn x-client-verify x-amzn-mtls-*";

/// Headers that the platform writes into every request, whatever the client sent. They stay in this
/// spelling only.
const OF_PLATFORM: [&str; 2] = ["cf-connecting-ip", "cf-visitor"];

/// Headers that may hold a credential, folded.
pub const OF_CREDENTIALS: [&str; 2] = ["authorization", "x-api-key"];

/// Returns a lower-case name with `-` for each character that is neither a letter nor a digit, and
/// without such characters at its ends. Names that some server reads as the same fold to the same
/// text.
pub fn fold(name: &str) -> String {
    let folded = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    name.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).chars().map(folded).collect()
}

/// Returns a folded name without what some applications and gateways put before it.
fn without_beginning(folded: &str) -> &str {
    let begins = |beginning| folded.strip_prefix(beginning);
    begins("http-").or_else(|| begins("grpc-metadata-")).unwrap_or(folded)
}

/// Returns `true` if an origin must not receive a client's header of this lower-case name.
pub fn is_removed(name: &str) -> bool {
    if OF_PLATFORM.contains(&name) {
        return false;
    }
    let folded = fold(name);
    let folded = without_beginning(&folded);
    REMOVED.split(' ').any(|entry| match entry.split_once('*') {
        Some((start, end)) => folded.starts_with(start) && folded.ends_with(end),
        None => entry == folded,
    })
}

/// Returns `true` if a header of this lower-case name asks a server for another method than that of
/// the request.
pub fn is_method_override(name: &str) -> bool {
    let folded = fold(name);
    let folded = without_beginning(&folded);
    folded.ends_with("method-override")
        || folded.starts_with("x-http-method")
        || matches!(folded, "method" | "x-method" | "x-override-method")
}

/// Returns `true` if a client's header of this lower-case name could pass for one of Claviger's.
/// Some servers read `_` as `-`, and some read any unusual character as `-`.
pub fn is_ours(name: &str) -> bool {
    let is_apart = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
    name.strip_prefix("claviger").is_some_and(is_apart)
}

/// Returns a JavaScript regular expression for the names of [`is_removed`]. The entry script walks
/// over a warm request's headers itself, because a call of this module for each costs more.
pub fn removed_pattern() -> String {
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    for entry in REMOVED.split(' ') {
        match entry.strip_prefix('*') {
            Some(end) => ended.push(pattern_of(end)),
            None => begun.push(pattern_of(entry)),
        }
    }
    let (platform, begun, ended) = (OF_PLATFORM.join("|"), begun.join("|"), ended.join("|"));
    format!(
        "^(?!(?:{platform})$)(?:{APART}*(?:(?:http|grpc{APART}metadata){APART})?(?:{begun})|.*(?:{ended})){APART}*$"
    )
}

/// Returns a JavaScript regular expression for names that fold to one of [`OF_CREDENTIALS`] and are
/// spelt in another way.
pub fn twin_pattern() -> String {
    let exact = OF_CREDENTIALS.join("|");
    let folded = OF_CREDENTIALS.map(pattern_of).join("|");
    format!("^(?!(?:{exact})$){APART}*(?:{folded}){APART}*$")
}

/// Regular expression for a character that servers may fold.
const APART: &str = "[^a-z0-9]";

fn pattern_of(entry: &str) -> String {
    entry.replace('-', APART).replace('*', ".*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_our_headers_is_ours() {
        for name in ["claviger-account", "claviger_account", "claviger-x", "claviger_", "claviger"]
        {
            assert!(is_ours(name) && is_removed(name), "{name}");
        }
        for name in ["claviger.account", "claviger~account", "claviger*"] {
            assert!(is_ours(name) && is_removed(name), "{name}");
        }
        for name in ["clavigerx", "x-claviger-account", "claviger2", ""] {
            assert!(!is_ours(name) && !is_removed(name), "{name}");
        }
    }

    #[test]
    fn names_fold_as_servers_fold_them() {
        for (name, folded) in [
            ("x-real-ip", "x-real-ip"),
            ("x_real.ip", "x-real-ip"),
            ("x!real~ip", "x-real-ip"),
            ("authorization_", "authorization"),
            ("_x.api_key..", "x-api-key"),
            ("x--api-key", "x--api-key"),
            ("", ""),
            ("__", ""),
        ] {
            assert_eq!(fold(name), folded, "{name}");
        }
    }

    #[test]
    fn what_overrides_a_decision_is_removed_in_every_spelling() {
        for name in [
            "x-original-url",
            "x-rewrite-url",
            "x-original-uri",
            "script_name",
            "path.info",
            "x-accel-mapping",
            "x-middleware-subrequest",
            "x-http-method-override",
            "x.http.method.override",
            "x_http_method",
            "x-method-override",
            "x-http-method",
            "_method",
            "http_method_override",
            "x-forwarded-for",
            "x_forwarded_host",
            "grpc-metadata-claviger-account",
            "grpc_metadata_x-forwarded-for",
            "sm_user",
            "iv-user",
            "x-apigateway-api-userinfo",
            "x-override-url",
            "x-forwarded",
            "http_x_forwarded_for",
            "forwarded",
            "x-host",
            "x-http-host-override",
            "front-end-https",
            "x-real-ip",
            "x-real.ip",
            "true-client-ip",
            "client-ip",
            "http_client_ip",
            "x-cluster-client-ip",
            "wl-proxy-client-ip",
            "x-azure-clientip",
            "do-connecting-ip",
            "cf_connecting_ip",
            "cf-connecting.ip",
            "cf-connecting-ipv6",
            "cf_visitor",
            "x-remote-user",
            "remote_user",
            "x-webauth-user",
            "x-auth-request-email",
            "oidc_claim_sub",
            "x-ms-client-principal-id",
            "proxy",
            "proxy-authorization",
            "ssl-client-cert",
            "x-ssl-client-s-dn",
            "client-cert",
            "x-forwarded-client-cert",
        ] {
            assert!(is_removed(name), "{name}");
        }
    }

    #[test]
    fn what_clients_honestly_send_stays() {
        for name in [
            "accept",
            "accept-language",
            "access-control-request-method",
            "authorization",
            "cf-connecting-ip",
            "cf-ipcountry",
            "cf-ray",
            "cf-visitor",
            "content-type",
            "cookie",
            "destination",
            "forward",
            "host",
            "http2-settings",
            "idempotency-key",
            "if-match",
            "origin",
            "referer",
            "sec-websocket-protocol",
            "traceparent",
            "user-agent",
            "x-api-key",
            "x-auth-email",
            "x-auth-token",
            "x-auth-user",
            "x-client-info",
            "x-csrf-token",
            "x-hostname",
            "x-original-filename",
            "x-request-id",
            "x-requested-with",
            "x-user-id",
        ] {
            assert!(!is_removed(name), "{name}");
        }
    }

    /// The entry script and the tests of the Workers run these.
    #[test]
    fn the_patterns_are_made_of_the_same_list() {
        let pattern = removed_pattern();
        let apart = "[^a-z0-9]";
        let begin = format!(
            "^(?!(?:cf-connecting-ip|cf-visitor)$)(?:{apart}*(?:(?:http|grpc{apart}metadata){apart})?(?:claviger|claviger{apart}.*|"
        );
        assert!(pattern.starts_with(&begin), "{pattern}");
        assert!(pattern.contains(&format!("|.*(?:method{apart}override|")), "{pattern}");
        assert!(pattern.ends_with(&format!("|source{apart}ip)){apart}*$")), "{pattern}");
        let twins = format!(
            "^(?!(?:authorization|x-api-key)$){apart}*(?:authorization|x{apart}api{apart}key){apart}*$"
        );
        assert_eq!(twin_pattern(), twins);
    }
}
