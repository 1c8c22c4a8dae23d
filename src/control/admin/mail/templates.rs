//! The texts of messages in each language. Every sentence is written as a whole, never assembled
//! from fragments.

mod factors;
mod identity;

use claviger_core::base::id::Prefix;
use claviger_core::base::secret::SecretText;
use claviger_core::config::terms::{Bound, Terms};
use claviger_core::credential::key::access_key;

use super::blocks::{Block, Precision, moment};
use super::{key_templates, member_templates, notice_templates};
use crate::protocol::envelope::Letter;
use crate::protocol::keys::KeyName;
use crate::protocol::member::Language;

/// The context of a message, beside its letter.
#[derive(Clone, Copy)]
pub struct LetterSetting<'a> {
    /// Prefix of key IDs in the text.
    pub prefix: &'a Prefix,
    /// Origin of the console, for links.
    pub console_origin: &'a str,
    /// Terms that extend a revocation bound.
    pub terms: Terms,
}

/// Returns the subject and the parts of a letter. `secret` is its code or token, if it carries one.
pub fn render(
    letter: &Letter,
    language: Language,
    secret: Option<&SecretText>,
    setting: LetterSetting<'_>,
) -> (String, Vec<Block>) {
    match letter {
        Letter::DeletionCode { account, keys, until, zone, .. } => {
            let until = moment(*until, zone, language, Precision::Minutes);
            let [subject, lead, more] = code_sentences(account, keys, &until, language);
            let warning = match language {
                Language::En => EN_CODE_WARNING,
                Language::Ja => JA_CODE_WARNING,
            };
            let blocks = vec![
                Block::Sentences(lead),
                items(keys, language, setting.prefix),
                Block::Sentences(more),
                Block::Code(secret.map(|code| code.expose().to_owned()).unwrap_or_default()),
                Block::Sentences(warning.to_owned()),
            ];
            (subject, blocks)
        }
        Letter::DeletionNotice {
            account,
            keys,
            by,
            address,
            at,
            bound,
            restorable_until,
            zone,
        } => {
            let within_ms = bound.since(*at).map_or(0, |span| span.as_ms());
            let within_s = u32::try_from(within_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
            let bound = setting.terms.bound(Bound { at: *bound, within_s, is_eventual: false });
            let at = moment(*at, zone, language, Precision::Seconds);
            let holds_at = moment(bound.at, zone, language, Precision::Seconds);
            let until = moment(*restorable_until, zone, language, Precision::Minutes);
            let from = address_phrase(address.as_deref(), language);
            let [subject, lead] = notice_sentences(account, keys, by, &at, &from, language);
            let warning = match language {
                Language::En => EN_NOTICE_WARNING,
                Language::Ja => JA_NOTICE_WARNING,
            };
            let blocks = vec![
                Block::Sentences(lead),
                items(keys, language, setting.prefix),
                Block::Sentences(effect(keys.len(), &holds_at, bound.is_eventual, language)),
                Block::Sentences(restore_sentence(
                    keys.len(),
                    &until,
                    setting.console_origin,
                    language,
                )),
                Block::Sentences(warning.to_owned()),
            ];
            (subject, blocks)
        }
        Letter::ResetCode { until, address, zone, .. } => {
            let until = moment(*until, zone, language, Precision::Minutes);
            let from = address_phrase(address.as_deref(), language);
            with_code(identity::reset_code(&until, &from, language), secret)
        }
        Letter::ProofCode { session: _, account, until, address, zone } => {
            let until = moment(*until, zone, language, Precision::Minutes);
            let from = address_phrase(address.as_deref(), language);
            let texts = identity::proof_code(account, &until, &from, language);
            with_code(texts, secret)
        }
        Letter::MailboxCode { purpose, until, address, zone, .. } => {
            let until = moment(*until, zone, language, Precision::Minutes);
            let from = address_phrase(address.as_deref(), language);
            let [subject, lead, more, warning] =
                identity::mailbox_code(*purpose, &until, &from, language);
            let blocks = vec![
                Block::Sentences(lead),
                Block::Sentences(more),
                Block::Code(secret.map(|code| code.expose().to_owned()).unwrap_or_default()),
                Block::Sentences(warning),
            ];
            (subject, blocks)
        }
        Letter::AddressChanged { is_old, address, at, zone } => {
            let at = moment(*at, zone, language, Precision::Seconds);
            let from = address_phrase(address.as_deref(), language);
            let sentences = identity::address_changed(*is_old, &at, &from, language);
            let [subject, lead, effect, warning] = sentences;
            (subject, [lead, effect, warning].map(Block::Sentences).into())
        }
        Letter::PasswordChanged { is_reset, address, at, zone } => {
            let at = moment(*at, zone, language, Precision::Seconds);
            let from = address_phrase(address.as_deref(), language);
            let console = setting.console_origin;
            let [subject, lead, ended, warning] =
                identity::password_changed(*is_reset, &at, &from, console, language);
            (subject, [lead, ended, warning].map(Block::Sentences).into())
        }
        Letter::Invitation { token: _, account, by, role, until, zone } => {
            let link = format!(
                "{}/#/join/{}",
                setting.console_origin,
                secret.map(SecretText::expose).unwrap_or_default()
            );
            let until = moment(*until, zone, language, Precision::Minutes);
            member_templates::invitation((by, account), *role, (&until, link), language)
        }
        Letter::MemberJoined { account, name, email, role, at, zone } => {
            let at = moment(*at, zone, language, Precision::Minutes);
            let who = (name.as_str(), email.as_str());
            member_templates::joined(who, account, *role, (&at, setting.console_origin), language)
        }
        Letter::RoleChanged { account, by, from, to, at, zone } => {
            let at = moment(*at, zone, language, Precision::Minutes);
            member_templates::role_changed((by, account), (*from, *to), &at, language)
        }
        Letter::NewNetwork { account, address, at, zone } => {
            let at = moment(*at, zone, language, Precision::Minutes);
            let from = address_phrase(address.as_deref(), language);
            notice_templates::new_network(account, (&at, &from), setting.console_origin, language)
        }
        Letter::Notices { account, acts, issued, networks, ends, zone } => {
            let lists = notice_templates::Lists { acts, issued, networks, ends };
            let place = (setting.prefix, setting.console_origin);
            notice_templates::notices(account, lists, zone, place, language)
        }
        Letter::FactorsChanged { change, passkey, account, by, left, address, at, zone } => {
            let at = moment(*at, zone, language, Precision::Seconds);
            let from = address_phrase(address.as_deref(), language);
            let (by, when) = (by.as_deref().unwrap_or_default(), (at.as_str(), from.as_str()));
            let what = factors::ChangedFactor { change: *change, passkey: passkey.as_deref() };
            let [subject, lead, more, warning] =
                factors::changed(what, (account, by), when, *left, language);
            let warning = factors::with_console(&warning, setting.console_origin);
            (subject, [lead, more, warning].map(Block::Sentences).into())
        }
        Letter::MemberRemoved { account, by, at, zone, keys_end } => {
            let at = moment(*at, zone, language, Precision::Minutes);
            member_templates::removed((by, account), *keys_end, &at, language)
        }
        Letter::KeyGenerated { account, key, expires, address, at, zone } => {
            let at = moment(*at, zone, language, Precision::Seconds);
            let expires = expires.map(|end| moment(end, zone, language, Precision::Minutes));
            let from = address_phrase(address.as_deref(), language);
            let facts = (at.as_str(), from.as_str(), setting.console_origin);
            let key = item(key, language, setting.prefix);
            key_templates::generated((account, &key), expires.as_deref(), facts, language)
        }
    }
}

/// Returns a message about a code: the request, the way to use it, the code, and the warning.
fn with_code(
    [subject, lead, more, warning]: [String; 4],
    secret: Option<&SecretText>,
) -> (String, Vec<Block>) {
    let code = secret.map(|code| code.expose().to_owned()).unwrap_or_default();
    let blocks = vec![
        Block::Sentences(lead),
        Block::Sentences(more),
        Block::Code(code),
        Block::Sentences(warning),
    ];
    (subject, blocks)
}

/// Returns the subject, the planned deletion, and the way to confirm it.
fn code_sentences(account: &str, keys: &[KeyName], until: &str, language: Language) -> [String; 3] {
    let count = keys.len();
    match (language, keys) {
        (Language::En, [_]) => [
            "Code to delete an API key".to_owned(),
            format!("Someone who is signed in as you wants to delete this API key of {account}:"),
            format!(
                "To confirm it, enter this code in the console. It deletes this key and nothing else, until {until}:"
            ),
        ],
        (Language::En, _) => [
            format!("Code to delete {count} API keys"),
            format!(
                "Someone who is signed in as you wants to delete these {count} API keys of {account}:"
            ),
            format!(
                "To confirm it, enter this code in the console. It deletes these keys and nothing else, until {until}:"
            ),
        ],
        (Language::Ja, [_]) => [
            "APIキーを削除するための認証コード".to_owned(),
            format!(
                "あなたとしてサインインしている人が、{account} の次のAPIキーを削除しようとしています。"
            ),
            format!(
                "削除するには、次の認証コードをコンソールに入力してください。このキーの削除にだけ、{until}まで使えます。"
            ),
        ],
        (Language::Ja, _) => [
            format!("APIキー{count}件を削除するための認証コード"),
            format!(
                "あなたとしてサインインしている人が、{account} の次のAPIキー{count}件を削除しようとしています。"
            ),
            format!(
                "削除するには、次の認証コードをコンソールに入力してください。この{count}件の削除にだけ、{until}まで使えます。"
            ),
        ],
    }
}

/// Returns the subject, and the completed deletion.
fn notice_sentences(
    account: &str,
    keys: &[KeyName],
    by: &str,
    at: &str,
    from: &str,
    language: Language,
) -> [String; 2] {
    let count = keys.len();
    match (language, keys) {
        (Language::En, [_]) => [
            "An API key was deleted".to_owned(),
            format!("{by} deleted this API key of {account} on {at}, {from}:"),
        ],
        (Language::En, _) => [
            format!("{count} API keys were deleted"),
            format!("{by} deleted these {count} API keys of {account} on {at}, {from}:"),
        ],
        (Language::Ja, [_]) => [
            "APIキーが削除されました".to_owned(),
            format!("{by} さんが{at}に、{from}、{account} の次のAPIキーを削除しました。"),
        ],
        (Language::Ja, _) => [
            format!("APIキー{count}件が削除されました"),
            format!("{by} さんが{at}に、{from}、{account} の次のAPIキー{count}件を削除しました。"),
        ],
    }
}

/// Returns the phrase that names the address of the request.
fn address_phrase(address: Option<&str>, language: Language) -> String {
    match (language, address) {
        (Language::En, Some(address)) => format!("from the address {address}"),
        (Language::En, None) => "from an address that is not known".to_owned(),
        (Language::Ja, Some(address)) => format!("アドレス {address} から"),
        (Language::Ja, None) => "不明なアドレスから".to_owned(),
    }
}

/// Returns the sentence about restoring the keys.
fn restore_sentence(keys: usize, until: &str, console: &str, language: Language) -> String {
    match (language, keys) {
        (Language::En, 1) => {
            format!("Until {until}, it can be restored on the console: {console}")
        }
        (Language::En, _) => {
            format!("Until {until}, they can be restored on the console: {console}")
        }
        (Language::Ja, _) => {
            format!("{until}までは、コンソールで復元できます。{console}")
        }
    }
}

/// Returns the sentence about the time from which the keys are refused.
fn effect(keys: usize, holds_at: &str, is_eventual: bool, language: Language) -> String {
    match (language, keys, is_eventual) {
        (Language::En, 1, false) => format!("It is refused everywhere from {holds_at} on."),
        (Language::En, _, false) => format!("They are refused everywhere from {holds_at} on."),
        (Language::En, 1, true) => "Most places refuse it within a minute, some later.".to_owned(),
        (Language::En, _, true) => {
            "Most places refuse them within a minute, some later.".to_owned()
        }
        (Language::Ja, 1, false) => {
            format!("このキーは、{holds_at}以降、すべての拠点で拒否されます。")
        }
        (Language::Ja, _, false) => {
            format!("これらのキーは、{holds_at}以降、すべての拠点で拒否されます。")
        }
        (Language::Ja, 1, true) => {
            "このキーは、ほとんどの拠点では1分以内に、一部ではそれより遅れて拒否されます。"
                .to_owned()
        }
        (Language::Ja, _, true) => {
            "これらのキーは、ほとんどの拠点では1分以内に、一部ではそれより遅れて拒否されます。"
                .to_owned()
        }
    }
}

const EN_CODE_WARNING: &str = "If it was not you who asked for this, give the code to nobody, and tell whoever runs this service: \
    someone else is signed in as you.";
const JA_CODE_WARNING: &str = "お心当たりがない場合は、このコードを誰にも教えず、サービスの運営者に連絡してください。\
    ほかの人があなたとしてサインインしています。";
const EN_NOTICE_WARNING: &str =
    "If this should not have happened, restore what you need and tell whoever runs this service.";
const JA_NOTICE_WARNING: &str =
    "お心当たりがない場合は、必要なキーを復元し、サービスの運営者に連絡してください。";

fn items(keys: &[KeyName], language: Language, prefix: &Prefix) -> Block {
    Block::Items(keys.iter().map(|key| item(key, language, prefix)).collect())
}

/// Returns a key's name with its access key.
fn item(key: &KeyName, language: Language, prefix: &Prefix) -> String {
    match language {
        Language::En => format!("{} ({})", key.name, access_key(prefix, key.id)),
        Language::Ja => format!("{}（{}）", key.name, access_key(prefix, key.id)),
    }
}
