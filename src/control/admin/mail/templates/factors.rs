//! The texts of messages about second factors.

use crate::protocol::envelope::FactorChange;
use crate::protocol::member::Language;

/// A change, with the name of the passkey that it is about.
#[derive(Clone, Copy)]
pub struct ChangedFactor<'a> {
    /// The change.
    pub change: FactorChange,
    /// Name of the passkey; `None` for another factor.
    pub passkey: Option<&'a str>,
}

/// Returns the subject, the change, its effect, and the warning. `by` names the owner of a reset.
pub fn changed(
    what: ChangedFactor<'_>,
    (account, by): (&str, &str),
    (at, from): (&str, &str),
    left: u32,
    language: Language,
) -> [String; 4] {
    let [subject, lead, more] = match language {
        Language::En => english(what, (account, by), (at, from), left),
        Language::Ja => japanese(what, (account, by), (at, from), left),
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
    what: ChangedFactor<'_>,
    (account, by): (&str, &str),
    (at, from): (&str, &str),
    left: u32,
) -> [String; 3] {
    let passkey = what.passkey.unwrap_or_default();
    match what.change {
        FactorChange::TurnedOn if what.passkey.is_some() => [
            "Two-step sign-in is on".to_owned(),
            format!(
                "The passkey \"{passkey}\" was added to your sign-in to {account} on {at}, {from}."
            ),
            "From now on, signing in needs a passkey, or your password and a second step. Other browsers that were signed in as you are signed out."
                .to_owned(),
        ],
        FactorChange::TurnedOff if what.passkey.is_some() => [
            "Two-step sign-in is off".to_owned(),
            format!(
                "The passkey \"{passkey}\", which was the last one, was removed from your sign-in to {account} on {at}, {from}."
            ),
            "Your password alone signs you in now. The recovery codes no longer work.".to_owned(),
        ],
        FactorChange::AppAdded => [
            "An authenticator app was added".to_owned(),
            format!(
                "An authenticator app was added to your sign-in to {account} on {at}, {from}."
            ),
            "A code of the app now works as the second step, beside your passkeys.".to_owned(),
        ],
        FactorChange::AppRemoved => [
            "The authenticator app was removed".to_owned(),
            format!(
                "The authenticator app was removed from your sign-in to {account} on {at}, {from}."
            ),
            "Two-step sign-in stays on with your passkeys.".to_owned(),
        ],
        FactorChange::PasskeyAdded => [
            "A passkey was added".to_owned(),
            format!(
                "The passkey \"{passkey}\" was added to your sign-in to {account} on {at}, {from}."
            ),
            "It signs you in without your password.".to_owned(),
        ],
        FactorChange::PasskeyRemoved => [
            "A passkey was removed".to_owned(),
            format!(
                "The passkey \"{passkey}\" was removed from your sign-in to {account} on {at}, {from}."
            ),
            "It no longer signs you in. Two-step sign-in stays on.".to_owned(),
        ],
        FactorChange::PasskeyCloned => [
            "A passkey may have been copied".to_owned(),
            format!(
                "A sign-in to {account} with your passkey \"{passkey}\" was refused on {at}, {from}, because the passkey seems to exist twice."
            ),
            "Remove this passkey on the console and add a new one. If only you use it, its device may be at fault."
                .to_owned(),
        ],
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
    what: ChangedFactor<'_>,
    (account, by): (&str, &str),
    (at, from): (&str, &str),
    left: u32,
) -> [String; 3] {
    let passkey = what.passkey.unwrap_or_default();
    match what.change {
        FactorChange::TurnedOn if what.passkey.is_some() => [
            "2段階認証がオンになりました".to_owned(),
            format!("{account} へのサインイン用のパスキー「{passkey}」が、{at}に、{from}追加されました。"),
            "今後のサインインには、パスキー、またはパスワードと2段階目の認証が必要です。サインインしていたほかのブラウザは、すべてサインアウトされました。"
                .to_owned(),
        ],
        FactorChange::TurnedOff if what.passkey.is_some() => [
            "2段階認証がオフになりました".to_owned(),
            format!(
                "{account} へのサインイン用の最後のパスキー「{passkey}」が、{at}に、{from}削除されました。"
            ),
            "パスワードだけでサインインできるようになりました。リカバリーコードは使えなくなりました。"
                .to_owned(),
        ],
        FactorChange::AppAdded => [
            "認証アプリが追加されました".to_owned(),
            format!("{account} へのサインイン用の認証アプリが、{at}に、{from}追加されました。"),
            "パスキーに加えて、アプリのコードも2段階目の認証に使えます。".to_owned(),
        ],
        FactorChange::AppRemoved => [
            "認証アプリが解除されました".to_owned(),
            format!("{account} へのサインイン用の認証アプリが、{at}に、{from}解除されました。"),
            "パスキーによる2段階認証は、オンのままです。".to_owned(),
        ],
        FactorChange::PasskeyAdded => [
            "パスキーが追加されました".to_owned(),
            format!("{account} へのサインイン用のパスキー「{passkey}」が、{at}に、{from}追加されました。"),
            "このパスキーで、パスワードなしでサインインできます。".to_owned(),
        ],
        FactorChange::PasskeyRemoved => [
            "パスキーが削除されました".to_owned(),
            format!("{account} へのサインイン用のパスキー「{passkey}」が、{at}に、{from}削除されました。"),
            "このパスキーではサインインできなくなりました。2段階認証は、オンのままです。".to_owned(),
        ],
        FactorChange::PasskeyCloned => [
            "パスキーがコピーされた可能性があります".to_owned(),
            format!(
                "{account} へのパスキー「{passkey}」によるサインインを、{at}に、{from}拒否しました。同じパスキーが2つあると考えられるためです。"
            ),
            "コンソールでこのパスキーを削除し、新しいパスキーを追加してください。ほかに使う人がいない場合は、端末の不具合の可能性もあります。"
                .to_owned(),
        ],
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
