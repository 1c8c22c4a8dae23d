//! The texts of messages about members, in each language. Names of people and accounts stand in the
//! body only: a subject is the deployment's own.

use super::blocks::Block;
use crate::protocol::member::{Language, Role};

/// Returns the invitation. `by` and `account` are names.
pub fn invitation(
    (by, account): (&str, &str),
    role: Role,
    (until, link): (&str, String),
    language: Language,
) -> (String, Vec<Block>) {
    let role = name_of(role, language);
    let [subject, lead, more, warning] = match language {
        Language::En => [
            "Invitation to manage API keys".to_owned(),
            format!("{by} invites you to join the account {account}. Your role: {role}."),
            format!(
                "To join, open this link. Choose a password, or enter the one that you already have here. The link works once, until {until}:"
            ),
            "If you do not expect this invitation, ignore it. Do not forward this message: the link works for anyone who has it."
                .to_owned(),
        ],
        Language::Ja => [
            "APIキーの管理への招待".to_owned(),
            format!("{by} さんが、あなたを {account} に招待しました。役割は「{role}」です。"),
            format!(
                "参加するには、次のリンクを開いてください。新しいパスワードを決めるか、すでにお持ちのパスワードを入力します。リンクは{until}まで、1回だけ使えます。"
            ),
            "お心当たりがない場合は、このメールを破棄してください。リンクは知っている人なら誰でも使えるため、このメールを転送しないでください。"
                .to_owned(),
        ],
    };
    let blocks = vec![
        Block::Sentences(lead),
        Block::Sentences(more),
        Block::Link(link),
        Block::Sentences(warning),
    ];
    (subject, blocks)
}

/// Returns the notice to an owner that a person joined.
pub fn joined(
    (name, email): (&str, &str),
    account: &str,
    role: Role,
    (at, console): (&str, &str),
    language: Language,
) -> (String, Vec<Block>) {
    let role = name_of(role, language);
    notice(match language {
        Language::En => [
            "A new member has joined".to_owned(),
            format!(
                "{name} ({email}) accepted an invitation and joined {account} on {at}. Role: {role}."
            ),
            format!("If you do not expect this, remove the member on the console: {console}"),
        ],
        Language::Ja => [
            "新しいメンバーが参加しました".to_owned(),
            format!(
                "{name} さん（{email}）が{at}に招待を承諾し、{account} に参加しました。役割は「{role}」です。"
            ),
            format!(
                "お心当たりがない場合は、コンソールでこのメンバーを削除してください。{console}"
            ),
        ],
    })
}

/// Returns the notice to a member whose role was changed.
pub fn role_changed(
    (by, account): (&str, &str),
    (from, to): (Role, Role),
    at: &str,
    language: Language,
) -> (String, Vec<Block>) {
    let (from, to) = (name_of(from, language), name_of(to, language));
    notice(match language {
        Language::En => [
            "Your role has changed".to_owned(),
            format!("{by} changed your role in {account} from {from} to {to} on {at}."),
            "If you do not expect this, ask an owner of the account.".to_owned(),
        ],
        Language::Ja => [
            "役割が変更されました".to_owned(),
            format!(
                "{by} さんが{at}に、{account} でのあなたの役割を「{from}」から「{to}」に変更しました。"
            ),
            "お心当たりがない場合は、アカウントのオーナーに確認してください。".to_owned(),
        ],
    })
}

/// Returns the notice to a former member whom an owner removed. `keys_end` states that the member's
/// keys ended with the membership.
pub fn removed(
    (by, account): (&str, &str),
    keys_end: bool,
    at: &str,
    language: Language,
) -> (String, Vec<Block>) {
    let keys = match (language, keys_end) {
        (Language::En, false) => {
            "Keys that you issued stay in the account. If you do not expect this, ask an owner."
        }
        (Language::En, true) => {
            "Your keys ended with your membership. If you do not expect this, ask an owner."
        }
        (Language::Ja, false) => {
            "あなたが発行したキーはアカウントに残ります。お心当たりがない場合は、アカウントのオーナーに確認してください。"
        }
        (Language::Ja, true) => {
            "あなたのキーも同時に使えなくなりました。お心当たりがない場合は、アカウントのオーナーに確認してください。"
        }
    };
    notice(match language {
        Language::En => [
            "You were removed from an account".to_owned(),
            format!("{by} removed you from {account} on {at}. You can no longer sign in to it."),
            keys.to_owned(),
        ],
        Language::Ja => [
            "アカウントから削除されました".to_owned(),
            format!(
                "{by} さんが{at}に、あなたを {account} から削除しました。このアカウントにはサインインできなくなりました。"
            ),
            keys.to_owned(),
        ],
    })
}

fn notice([subject, lead, more]: [String; 3]) -> (String, Vec<Block>) {
    (subject, vec![Block::Sentences(lead), Block::Sentences(more)])
}

/// Returns the name of a role.
fn name_of(role: Role, language: Language) -> &'static str {
    match (language, role) {
        (Language::En, Role::Owner) => "owner",
        (Language::En, Role::Admin) => "admin",
        (Language::En, Role::Viewer) => "viewer",
        (Language::Ja, Role::Owner) => "オーナー",
        (Language::Ja, Role::Admin) => "管理者",
        (Language::Ja, Role::Viewer) => "閲覧者",
    }
}
