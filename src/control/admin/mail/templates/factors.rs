//! The texts of messages about second factors.

use crate::protocol::envelope::FactorChange;
use crate::protocol::member::Language;

/// Returns the subject, the change, its effect, and the warning. `by` names the owner of a reset.
pub fn changed(
    change: FactorChange,
    (account, by): (&str, &str),
    (at, from): (&str, &str),
    left: u32,
    language: Language,
) -> [String; 4] {
    let [subject, lead, more] = match language {
        Language::En => english(change, (account, by), (at, from), left),
        Language::Ja => japanese(change, (account, by), (at, from), left),
    };
    let warning = match language {
        Language::En => {
            "If you do not expect this, change your password on the console at once, and inform an owner of the account:"
        }
        Language::Ja => {
            "お心当たりがない場合は、すぐにコンソールでパスワードを変更し、アカウントのオーナーに連絡してください。"
        }
    };
    [subject, lead, more, warning.to_owned()]
}

/// Returns a warning that ends with the console's address.
pub fn with_console(warning: &str, console: &str) -> String {
    match warning.ends_with(':') {
        true => format!("{warning} {console}"),
        false => format!("{warning}{console}"),
    }
}

fn english(
    change: FactorChange,
    (account, by): (&str, &str),
    (at, from): (&str, &str),
    left: u32,
) -> [String; 3] {
    match change {
        FactorChange::TurnedOn => [
            "Two-step sign-in is on".to_owned(),
            format!(
                "An authenticator app was turned on for your sign-in to {account} on {at}, {from}."
            ),
            "From now on, signing in needs a code of the app. Other browsers that were signed in as you are signed out."
                .to_owned(),
        ],
        FactorChange::TurnedOff => [
            "Two-step sign-in is off".to_owned(),
            format!(
                "The authenticator app was turned off for your sign-in to {account} on {at}, {from}."
            ),
            "Your password alone signs you in now. The recovery codes no longer work.".to_owned(),
        ],
        FactorChange::Reset => [
            "Two-step sign-in was turned off".to_owned(),
            format!("{by} turned off two-step sign-in for you in {account} on {at}, {from}."),
            "Your password alone signs you in now. The recovery codes no longer work, and all browsers that were signed in as you are signed out."
                .to_owned(),
        ],
        FactorChange::CodesRenewed => [
            "You have new recovery codes".to_owned(),
            format!("The recovery codes of your sign-in to {account} were replaced on {at}, {from}."),
            "The codes of before no longer work.".to_owned(),
        ],
        FactorChange::CodeUsed => [
            "A recovery code was used".to_owned(),
            format!(
                "A recovery code of your sign-in to {account} was used on {at}, {from}, in place of a code of the authenticator app."
            ),
            format!("Recovery codes that still work: {left}."),
        ],
    }
}

fn japanese(
    change: FactorChange,
    (account, by): (&str, &str),
    (at, from): (&str, &str),
    left: u32,
) -> [String; 3] {
    match change {
        FactorChange::TurnedOn => [
            "2段階認証がオンになりました".to_owned(),
            format!("{account} へのサインイン用の認証アプリが、{at}に、{from}設定されました。"),
            "今後のサインインには、アプリのコードが必要です。サインインしていたほかのブラウザは、すべてサインアウトされました。"
                .to_owned(),
        ],
        FactorChange::TurnedOff => [
            "2段階認証がオフになりました".to_owned(),
            format!("{account} へのサインイン用の認証アプリが、{at}に、{from}解除されました。"),
            "パスワードだけでサインインできるようになりました。リカバリーコードは使えなくなりました。"
                .to_owned(),
        ],
        FactorChange::Reset => [
            "2段階認証が解除されました".to_owned(),
            format!(
                "{by} さんが{at}に、{from}、{account} でのあなたの2段階認証を解除しました。"
            ),
            "パスワードだけでサインインできるようになりました。リカバリーコードは使えなくなり、サインインしていたブラウザは、すべてサインアウトされました。"
                .to_owned(),
        ],
        FactorChange::CodesRenewed => [
            "リカバリーコードが再発行されました".to_owned(),
            format!("{account} へのサインイン用のリカバリーコードが、{at}に、{from}再発行されました。"),
            "以前のコードは使えなくなりました。".to_owned(),
        ],
        FactorChange::CodeUsed => [
            "リカバリーコードが使われました".to_owned(),
            format!(
                "{account} へのサインインで、認証アプリのコードの代わりにリカバリーコードが、{at}に、{from}使われました。"
            ),
            format!("まだ使えるリカバリーコードは{left}個です。"),
        ],
    }
}
