//! Translates the titles of the gateway's problem documents, for clients that prefer Japanese.
//!
//! Programs branch on `code`, which never changes; `title` is for people (RFC 9457 §3.1.3).

/// Returns the title of a problem; `None` for a code that the gateway does not use.
fn title(code: &str) -> Option<&'static str> {
    Some(match code {
        "missing" => "このAPIの呼び出しには、キーが必要です",
        "malformed" => "認証情報が、このサービスのキーの形式ではありません",
        "unknown" => "キーが確認できません",
        "disabled" => "キーは無効になっています",
        "locked" => "APIユーザーはロックされています",
        "account_suspended" => "アカウントは停止されています",
        "mfa_off" => "キーの所有者が2段階認証をオフにしています",
        "not_yet_valid" => "キーはまだ有効になっていません",
        "expired" => "キーの有効期限が切れています",
        "network_denied" => "このアドレスからはキーを使えません",
        "interface_denied" => "キーはこのインターフェースでは使えません",
        "permission_denied" => "キーにはこのリクエストの権限がありません",
        "rate_limited" => "誤ったAPIキーの試行が多すぎます",
        "ambiguous_credential" => "リクエストに複数の認証情報があります",
        "credential_in_path" => "パスにキーが含まれています",
        "ambiguous_path" => "パスが複数の意味に解釈できます",
        "no_route" => "このアドレスにAPIはありません",
        "malformed_host" => "ホストまたはポートが正しくありません",
        "https_required" => {
            "httpsを使ってください。暗号化せずに送られたキーやパスワードは、新しいものに替えてください"
        }
        "verifier_refused" => "プロキシ自身のキーが拒否されました",
        "proxy_misconfigured" => "プロキシのリクエストを解釈できません",
        "not_for_verifiers" => "このアドレスはClaviger-Verifierを受け付けません",
        "not_found" => "このアドレスには何もありません",
        "method_not_allowed" => "このアドレスはそのメソッドを受け付けません",
        "body_too_slow" => "本文の受信に時間がかかりすぎたか、分割が多すぎます",
        "body_too_large" => "本文が大きすぎます",
        "unsupported_media_type" => "本文はapplication/jsonでなければなりません",
        "malformed_body" => "本文がこのアドレスの形式ではありません",
        "unavailable" => "現在、応答できません",
        "misconfigured" => "このサービスは設定が完了していません",
        "internal" => "サーバー内部でエラーが発生しました",
        _ => return None,
    })
}

/// Returns `true` if a client prefers Japanese to English (RFC 9110 §12.5.4). Of languages with the
/// same quality, the first counts.
fn is_preferred(accept_language: &str) -> bool {
    let mut best = (0, false);
    for entry in accept_language.split(',') {
        let mut parts = entry.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        let quality = quality.map_or(1_000, thousandths);
        let is_japanese = match range.split('-').next() {
            Some("ja") => true,
            Some("en" | "*") => false,
            _ => continue,
        };
        if quality > best.0 {
            best = (quality, is_japanese);
        }
    }
    best.1
}

/// Reads a quality (RFC 9110 §12.4.2), in thousandths; 0 if it is malformed. Parsing it as a float
/// would add 14 KB to the module, compressed.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" if is_fraction => format!("{fraction:0<3}").parse().unwrap_or_default(),
        "1" if is_fraction && fraction.bytes().all(|byte| byte == b'0') => 1_000,
        _ => 0,
    }
}

/// Returns the body of a problem document with its title in Japanese; `None` if the client does not
/// prefer that, or if the body is none of the gateway's problem documents.
///
/// The title stands in the text that `ProblemDocument` writes. Its members have a fixed order, and
/// no title has a quotation mark. Only refusals come here, after they were decided: so no other
/// request pays for it.
pub fn translated(accept_language: &str, body: &str) -> Option<String> {
    if !is_preferred(accept_language) {
        return None;
    }
    let (before, rest) = body.split_once(r#","title":""#)?;
    let (_, after) = rest.split_once('"')?;
    let (_, code) = after.split_once(r#","code":""#)?;
    let (code, _) = code.split_once('"')?;
    Some([before, r#","title":""#, title(code)?, "\"", after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::http::path::PathError;
    use crate::base::http::problem::RequestProblem;
    use crate::base::http::response::Response;
    use crate::gateway::forward_auth::ProxyFault;
    use crate::gateway::problem::GatewayProblem;
    use crate::verify::verdict::Denial;

    /// C20.
    #[test]
    fn c20_a_client_gets_its_language() {
        for (header, expected) in [
            ("ja", true),
            ("JA", true),
            ("ja-JP", true),
            ("ja,en;q=0.9", true),
            ("en;q=0.8, ja;q=0.9", true),
            ("ja-JP;q=0.9,en-US;q=0.9", true),
            ("fr, ja;q=0.2", true),
            ("", false),
            ("en", false),
            ("en-US,ja;q=0.9", false),
            ("en,ja", false),
            ("*, ja;q=0.5", false),
            ("ja;q=0", false),
            ("ja;q=x", false),
            ("ja;q=1.000,en;q=0.999", true),
            ("ja;q=1.5", false),
            ("ja;q=0.0001", false),
            ("ja;q=0.5,en;q=0.45", true),
            ("jav", false),
        ] {
            assert_eq!(is_preferred(header), expected, "{header}");
        }
    }

    #[test]
    fn each_problem_of_the_gateway_has_a_title_in_japanese_and_nothing_else_changes() {
        let denials = Denial::ALL.into_iter().filter(|denial| *denial != Denial::Missing);
        let problems = denials.map(GatewayProblem::Denied).chain([
            GatewayProblem::MissingCredential { places: vec![], elsewhere: None, unscanned: None },
            GatewayProblem::AmbiguousCredential,
            GatewayProblem::CredentialInPath,
            GatewayProblem::NoRoute,
            GatewayProblem::MalformedHost,
            GatewayProblem::HttpsRequired,
            GatewayProblem::VerifierRefused,
            GatewayProblem::ProxyMisconfigured(ProxyFault::Dialect),
            GatewayProblem::AmbiguousPath(PathError::BadEscape),
            GatewayProblem::NotForVerifiers,
            RequestProblem::NotFound.into(),
            RequestProblem::MethodNotAllowed { allow: "GET" }.into(),
            RequestProblem::BodyTooSlow.into(),
            RequestProblem::BodyTooLarge { max: 7 }.into(),
            RequestProblem::UnsupportedMediaType.into(),
            RequestProblem::MalformedBody { detail: "at line 1".into() }.into(),
            RequestProblem::Unavailable.into(),
            RequestProblem::Misconfigured.into(),
            RequestProblem::Internal.into(),
        ]);
        for problem in problems {
            let english = problem.answer("https://a.example");
            assert_eq!(translated("en", &english.body), None);
            let body = translated("ja", &english.body).unwrap();
            let japanese = Response { body, ..english.clone() };
            let member = |answer: &Response, name: &str| {
                let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                document[name].as_str().unwrap_or_default().to_owned()
            };
            assert_ne!(member(&japanese, "title"), member(&english, "title"), "{problem:?}");
            let titles = [&english, &japanese].map(|answer| member(answer, "title"));
            assert_eq!(japanese.body.replacen(&titles[1], &titles[0], 1), english.body);
        }
        for other in ["", "{}", r#"{"title":"x","code":"unknown"}"#] {
            assert_eq!(translated("ja", other), None, "{other}");
        }
        assert_eq!(title("origin_unreachable"), None, "the entry script writes it");
    }
}
