//! The texts of notices: a sign-in from a new network, and events of the account's keys. Their
//! subjects hold nothing that a customer has chosen.

use claviger_core::base::id::Prefix;
use claviger_core::credential::key::access_key;

use super::blocks::{Block, Precision, moment};
use crate::protocol::member::Language;
use crate::protocol::notices::{NoticeItem, NoticeList, UnusualAct};
use crate::protocol::zone::Zone;

/// Returns the notice that the recipient was signed in from a new network.
pub fn new_network(
    account: &str,
    (at, from): (&str, &str),
    console: &str,
    language: Language,
) -> (String, Vec<Block>) {
    let [subject, lead, advice] = match language {
        Language::En => [
            "Sign-in from a new network".to_owned(),
            format!(
                "You signed in to the API key console of {account} on {at}, {from}. You have not signed in from that network in the last 90 days."
            ),
            format!(
                "If it was not you, reset your password on the console at once, and inform the operator of this service: {console}"
            ),
        ],
        Language::Ja => [
            "新しいネットワークからのサインイン".to_owned(),
            format!(
                "{at}に、{from}、{account} のAPIキーのコンソールにサインインしました。このネットワークからのサインインは、過去90日間にありませんでした。"
            ),
            format!(
                "お心当たりがない場合は、すぐにコンソールでパスワードを再設定し、サービスの運営者に連絡してください。{console}"
            ),
        ],
    };
    (subject, vec![Block::Sentences(lead), Block::Sentences(advice)])
}

/// The lists of a letter with notices.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    /// Unusual acts of members.
    pub acts: &'a NoticeList,
    /// Keys that members issued.
    pub issued: &'a NoticeList,
    /// Keys that were used from new networks.
    pub networks: &'a NoticeList,
    /// Keys that end soon.
    pub ends: &'a NoticeList,
}

/// Returns the letter with notices of an account. A list that is empty is left out.
pub fn notices(
    account: &str,
    Lists { acts, issued, networks, ends }: Lists<'_>,
    zone: &Zone,
    (prefix, console): (&Prefix, &str),
    language: Language,
) -> (String, Vec<Block>) {
    let is_act = !acts.items.is_empty();
    let subject = match (language, is_act) {
        (Language::En, true) => "Security notice for your API keys",
        (Language::En, false) => "Notice about your API keys",
        (Language::Ja, true) => "APIキーのセキュリティに関するお知らせ",
        (Language::Ja, false) => "APIキーに関するお知らせ",
    };
    let leads = match language {
        Language::En => [
            format!("These acts in {account} are rare. Make sure that they are right:"),
            format!("These API keys of {account} were issued:"),
            format!("These API keys of {account} were used from a network that is new for them:"),
            format!("These API keys of {account} end soon:"),
        ],
        Language::Ja => [
            format!(
                "{account} で、次の操作がありました。まれな操作のため、正しいものかご確認ください。"
            ),
            format!("{account} で、次のAPIキーが発行されました。"),
            format!("{account} の次のAPIキーが、それまでと異なるネットワークから使われました。"),
            format!("{account} の次のAPIキーは、まもなく有効期限を迎えます。"),
        ],
    };
    let mut blocks = Vec::new();
    for (lead, list) in leads.into_iter().zip([acts, issued, networks, ends]) {
        if list.items.is_empty() {
            continue;
        }
        let mut items: Vec<String> =
            list.items.iter().map(|item| line(item, zone, language, prefix)).collect();
        if list.more > 0 {
            items.push(match language {
                Language::En => format!("and {} more", list.more),
                Language::Ja => format!("ほか{}件", list.more),
            });
        }
        blocks.push(Block::Sentences(lead));
        blocks.push(Block::Items(items));
    }
    blocks.push(Block::Sentences(match language {
        Language::En => format!(
            "If you do not expect this, look at the keys and the activity on the console, and inform the operator of this service: {console}"
        ),
        Language::Ja => format!(
            "お心当たりがない場合は、コンソールでキーとアクティビティを確認し、サービスの運営者に連絡してください。{console}"
        ),
    }));
    blocks.push(Block::Sentences(match language {
        Language::En => {
            format!("You can choose your notices on your page: {console}/#/profile/notices")
        }
        Language::Ja => {
            format!("受け取るお知らせは、ご自分のページで選べます。{console}/#/profile/notices")
        }
    }));
    (subject.to_owned(), blocks)
}

/// Returns the line of one notice.
fn line(item: &NoticeItem, zone: &Zone, language: Language, prefix: &Prefix) -> String {
    let subject = match (&item.key, item.act) {
        (Some(key), _) => {
            let id = access_key(prefix, key.id);
            match language {
                Language::En => format!("{} ({id})", key.name),
                Language::Ja => format!("{}（{id}）", key.name),
            }
        }
        (None, Some(act)) => name_of(act, language).to_owned(),
        (None, None) => String::new(),
    };
    let at = moment(item.at, zone, language, Precision::Minutes);
    let parts = [Some(subject), item.by.clone(), item.network.clone(), Some(at)];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(match language {
        Language::En => ", ",
        Language::Ja => "、",
    })
}

fn name_of(act: UnusualAct, language: Language) -> &'static str {
    match (language, act) {
        (Language::En, UnusualAct::ServicePasswordChanged) => "Service password changed",
        (Language::En, UnusualAct::ServicePasswordRevealed) => "Service password shown",
        (Language::En, UnusualAct::ActivityExported) => "Activity exported",
        (Language::En, UnusualAct::AccountNetworksChanged) => "Account networks changed",
        (Language::Ja, UnusualAct::ServicePasswordChanged) => "サービスパスワードの変更",
        (Language::Ja, UnusualAct::ServicePasswordRevealed) => "サービスパスワードの表示",
        (Language::Ja, UnusualAct::ActivityExported) => "アクティビティの書き出し",
        (Language::Ja, UnusualAct::AccountNetworksChanged) => "アカウントのネットワークの変更",
    }
}
