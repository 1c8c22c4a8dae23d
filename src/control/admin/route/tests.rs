//! Tests the table of routes: each path, its methods, and what a stranger finds.

use std::collections::{BTreeSet, HashSet};
use std::mem::discriminant;

use claviger_core::base::http::request::Headers;
use claviger_core::gateway::admin_api;
use claviger_core::gateway::gateway::VERIFY_PATH;
use claviger_core::gateway::oauth::INTROSPECTION_PATH;

use super::*;
use crate::admin::session;

/// Every path with its methods.
const ROUTES: &[(&str, &str)] = &[
    ("/v1/setup", "POST"),
    ("/v1/setup/check", "POST"),
    ("/v1/setup/code", "POST"),
    ("/v1/member/address", "POST"),
    ("/v1/member/address/confirm", "POST"),
    ("/v1/session", "GET, HEAD, POST, DELETE"),
    ("/v1/session/step-up", "POST"),
    ("/v1/session/step-up/code", "POST"),
    ("/v1/session/step-up/options", "POST"),
    ("/v1/session/passkey", "POST"),
    ("/v1/session/passkey/options", "POST"),
    ("/v1/session/switch", "POST"),
    ("/v1/accounts", "GET, HEAD"),
    ("/v1/sessions", "GET, HEAD"),
    ("/v1/sessions/{id}", "DELETE"),
    ("/v1/sessions/end-others", "POST"),
    ("/v1/member/password", "POST"),
    ("/v1/password/reset", "POST"),
    ("/v1/password/reset/confirm", "POST"),
    ("/v1/keys", "GET, HEAD, POST"),
    ("/v1/api-users", "GET, HEAD, POST"),
    ("/v1/api-users/{id}", "GET, HEAD, PATCH"),
    ("/v1/api-users/{id}/lock", "POST"),
    ("/v1/api-users/{id}/unlock", "POST"),
    ("/v1/api-users/{id}/delete", "POST"),
    ("/v1/api-users/{id}/restore", "POST"),
    ("/v1/keys/check", "POST"),
    ("/v1/keys/{id}", "GET, HEAD, PATCH, DELETE"),
    ("/v1/key-pair", "GET, HEAD"),
    ("/v1/keys/{id}/disable", "POST"),
    ("/v1/keys/{id}/enable", "POST"),
    ("/v1/keys/{id}/reveal", "POST"),
    ("/v1/keys/{id}/issued", "GET, HEAD"),
    ("/v1/account/service/issued", "GET, HEAD"),
    ("/v1/activity", "GET, HEAD"),
    ("/v1/activity/export", "POST"),
    ("/v1/account/service", "GET, HEAD, PATCH"),
    ("/v1/account/service/reveal", "POST"),
    ("/v1/account/service/password", "POST"),
    ("/v1/keys/{id}/restore", "POST"),
    ("/v1/keys/{id}/regenerate", "POST"),
    ("/v1/keys/{id}/end-overlap", "POST"),
    ("/v1/deletions", "POST"),
    ("/v1/deletions/{id}", "GET, HEAD"),
    ("/v1/deletions/{id}/code", "POST"),
    ("/v1/deletions/{id}/confirm", "POST"),
    ("/v1/operator/sign-in", "GET, HEAD"),
    ("/v1/operator/accounts", "GET, HEAD, POST"),
    ("/v1/operator/accounts/{id}", "GET, HEAD, PATCH, DELETE"),
    ("/v1/operator/accounts/{id}/policy", "GET, HEAD, PUT"),
    ("/v1/operator/accounts/{id}/policy/preview", "POST"),
    ("/v1/operator/accounts/{id}/rebuild", "POST"),
    ("/v1/operator/accounts/{id}/restore/begin", "POST"),
    ("/v1/operator/accounts/{id}/restore/finish", "POST"),
    ("/v1/sealed-keys/revoke", "POST"),
    ("/v1/counters", "GET, HEAD"),
    ("/v1/members", "GET, HEAD"),
    ("/v1/members/invitations", "POST"),
    ("/v1/members/invitations/{id}", "DELETE"),
    ("/v1/members/invitations/{id}/repeat", "POST"),
    ("/v1/members/{id}", "PATCH, DELETE"),
    ("/v1/members/{id}/end-sessions", "POST"),
    ("/v1/invitations/check", "POST"),
    ("/v1/invitations/accept", "POST"),
    ("/v1/member", "PATCH"),
    ("/v1/member/notices", "GET, HEAD, PATCH"),
    ("/v1/notices", "GET, HEAD"),
    ("/v1/notices/read", "POST"),
    ("/v1/member/factors", "GET, HEAD"),
    ("/v1/member/factors/totp", "POST, DELETE"),
    ("/v1/member/factors/totp/confirm", "POST"),
    ("/v1/member/factors/recovery-codes", "POST"),
    ("/v1/member/factors/passkeys", "POST"),
    ("/v1/member/factors/passkeys/options", "POST"),
    ("/v1/member/factors/passkeys/{id}", "PATCH, DELETE"),
    ("/v1/members/{id}/reset-factors", "POST"),
    ("/v1/session/factor", "POST"),
    ("/v1/account", "PATCH"),
    ("/v1/account/networks", "GET, HEAD, PUT"),
    ("/v1/account/networks/preview", "POST"),
    ("/v1/account/networks/{id}/delete", "POST"),
    ("/v1/operator/accounts/{id}/networks", "DELETE"),
    ("/", "GET, HEAD"),
    ("/app.js", "GET, HEAD"),
];

/// Returns the path with valid example IDs.
fn example(path: &str) -> String {
    let id = match path {
        _ if path.starts_with("/v1/deletions/") => "0123456789",
        _ if path.starts_with("/v1/sessions/") => "0123456789",
        _ if path.starts_with("/v1/member/factors/passkeys/") => "0123456789",
        _ if path.starts_with("/v1/members/invitations/") => "0123456789",
        _ if path.starts_with("/v1/members/") => "0123456789A",
        _ if path.starts_with("/v1/operator/") => "a1B2c3D4",
        _ if path.starts_with("/v1/account/networks/") => "4294967295",
        _ => "a1B2c3D47Hq0p2Zx9K",
    };
    path.replace("{id}", id)
}

#[test]
fn every_path_answers_its_methods_and_names_them_to_others() {
    let mut found_at_all = HashSet::new();
    for (path, allow) in ROUTES {
        for method in
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"]
        {
            let found = Route::find(method, &example(path));
            if allow.split(", ").any(|allowed| allowed == method) {
                found_at_all.insert(discriminant(&found.expect(path)));
            } else {
                assert_eq!(
                    found,
                    Err(AdminProblem::Request(RequestProblem::MethodNotAllowed { allow })),
                    "{method} {path}"
                );
            }
        }
    }
    let (_, listed) = include_str!("../route.rs").split_once("pub enum Route {").unwrap();
    let listed = listed.split_once("\n}").unwrap().0.lines().filter(|line| line.ends_with(','));
    assert_eq!(found_at_all.len(), listed.count(), "a route that no path here leads to");
}

#[test]
fn every_route_is_documented_and_what_is_documented_is_there() {
    let methods = |(path, allow): &(&'static str, &'static str)| {
        let path = *path;
        allow
            .split(", ")
            .filter(|method| *method != "HEAD")
            .map(move |method| (method, path))
            .collect::<Vec<_>>()
    };
    let there = ROUTES.iter().flat_map(methods).filter(|(_, path)| path.starts_with("/v1/"));
    let code = include_str!("../../../../docs/http-api.md").split('`').skip(1).step_by(2);
    let documented = code.filter_map(|text| {
        let (method, address) = text.split_once(' ')?;
        let path = address.split('?').next()?;
        (path.starts_with("/v1/") && method.bytes().all(|b| b.is_ascii_uppercase()))
            .then_some((method, path))
    });
    let of_the_edge = [("POST", VERIFY_PATH), ("POST", INTROSPECTION_PATH)];
    let there = there.chain(of_the_edge);
    assert_eq!(documented.collect::<BTreeSet<_>>(), there.collect::<BTreeSet<_>>());
}

/// Keys, and the reading of activity, are all that a program reaches.
#[test]
fn each_route_that_takes_a_program_is_one_of_the_console() {
    for (method, pattern, _) in admin_api::ROUTES {
        let allow = ROUTES.iter().find(|(path, _)| *path == pattern).expect(pattern).1;
        assert!(allow.split(", ").any(|allowed| allowed == method), "{method} {pattern}");
        let route = Route::find(method, &example(pattern)).expect(pattern);
        assert_eq!(admin_api::right(method, &example(pattern)).is_some(), takes_program(route));
    }
    for (path, allow) in ROUTES {
        for method in allow.split(", ") {
            let route = Route::find(method, &example(path)).expect(path);
            let right = admin_api::right(method, &example(path));
            assert_eq!(right.is_some(), takes_program(route), "{method} {path}");
        }
    }
}

fn takes_program(route: Route) -> bool {
    matches!(
        route,
        Route::ListKeys
            | Route::IssueKey
            | Route::CheckKey
            | Route::ShowKey(_)
            | Route::EditKey(_)
            | Route::DeleteKey(_)
            | Route::CountIssuedByKey(_)
            | Route::DisableKey(_)
            | Route::EnableKey(_)
            | Route::RestoreKey(_)
            | Route::RegenerateKey(_)
            | Route::EndOverlap(_)
            | Route::ListActivity
    )
}

/// Every route except reads needs CSRF protection: another site could otherwise call it with a
/// member's cookie.
#[test]
fn every_route_that_does_something_wants_the_console_s_own_page() {
    for (path, allow) in ROUTES {
        for method in allow.split(", ") {
            let route = Route::find(method, &example(path)).expect(path);
            let is_look = method == "GET" || method == "HEAD";
            assert_eq!(route.wants_own_page(), !is_look, "{method} {path}");
        }
    }
}

#[test]
fn another_site_may_neither_look_nor_do_anything() {
    for (method, path, headers, is_let_through) in [
        ("GET", "/v1/keys", "", true),
        ("GET", "/v1/keys", "origin\nhttp://localhost:8787", true),
        ("GET", "/v1/keys", "origin\nhttp://api.localhost:8787", false),
        ("GET", "/v1/keys", "sec-fetch-site\nsame-site", false),
        ("POST", "/v1/keys", "", false),
        ("POST", "/v1/keys", "origin\nhttp://api.localhost:8787", false),
        ("POST", "/v1/keys", "origin\nhttp://localhost:8787", true),
        ("POST", "/v1/keys", "sec-fetch-site\nsame-origin", true),
        ("POST", "/v1/keys", "sec-fetch-site\nsame-site", false),
        ("POST", "/v1/activity/export", "", false),
        ("DELETE", "/v1/session", "origin\nnull", false),
    ] {
        let route = Route::find(method, path).expect(path);
        let origin = "http://localhost:8787";
        let may = session::may_ask(Headers::new(headers), origin, route.wants_own_page());
        assert_eq!(may, is_let_through, "{method} {path} {headers}");
    }
}

#[test]
fn near_misses_of_paths_are_not_found() {
    for path in [
        "/v1/",
        "/v1/keys/",
        "/v1/key",
        "/v1/keys/short",
        "/v1/keys/a1B2c3D47Hq0p2Zx9K/",
        "/v1/keys/a1B2c3D47Hq0p2Zx9K/destroy",
        "/v1/keys/a1B2c3D47Hq0p2Zx9%4B",
        "/v1/deletions/",
        "/v1/deletions/012345678",
        "/v1/deletions/0123456789/",
        "/v1/deletions/0123456789/codes",
        "/v1/session/stepup",
        "/v1/operator",
        "/v1/operator/accounts/",
        "/v1/operator/accounts/short",
        "/v1/operator/accounts/a1B2c3D4/restore",
        "/v1/operator/accounts/a1B2c3D4/rebuild/now",
        "/v1/operator/accounts/a1B2c3D4/policy/",
        "/v1/operator/accounts/a1B2c3D4/policy/previews",
        "/v1/key-pair/",
        "/v1//keys",
        "/v1/members/",
        "/v1/members/0123456789",
        "/v1/members/0123456789A/",
        "/v1/members/0123456789A/sessions",
        "/v1/members/invitations/",
        "/v1/members/invitations/0123456789A",
        "/v1/members/invitations/0123456789/repeat/now",
        "/v1/invitations",
        "/v1/invitations/0123456789",
        "/v1/member/",
        "/v1/member/factors/",
        "/v1/member/factors/totp/code",
        "/v1/account/networks/",
        "/v1/account/networks/1",
        "/v1/account/networks/01/delete",
        "/v1/account/networks/+1/delete",
        "/v1/account/networks/4294967296/delete",
        "/v1/operator/accounts/a1B2c3D4/networks/1",
    ] {
        assert_eq!(
            Route::find("GET", path),
            Err(AdminProblem::Request(RequestProblem::NotFound)),
            "{path}"
        );
    }
}
