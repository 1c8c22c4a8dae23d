//! The texts of messages about a person's password and address. Their subjects hold nothing that a
//! customer has chosen: anyone can cause them for any address.

use crate::protocol::mailbox::MailboxPurpose;
use crate::protocol::member::Language;

/// Returns the subject, the request, the way to use the code, and the warning.
pub fn reset_code(until: &str, from: &str, language: Language) -> [String; 4] {
    match language {
        Language::En => [
            "Code to reset your password".to_owned(),
            format!("Someone has asked to reset your password on the API key console, {from}."),
            format!("To choose a new password, enter this code in the console. It works once, until {until}:"),
            "If it was not you, give the code to no one and ignore this mail: your password does not change."
                .to_owned(),
        ],
        Language::Ja => [
            "パスワードを再設定するための認証コード".to_owned(),
            format!("APIキーのコンソールで、あなたのパスワードの再設定が{from}求められました。"),
            format!(
                "新しいパスワードを設定するには、次の認証コードをコンソールに入力してください。{until}まで、1回だけ使えます。"
            ),
            "お心当たりがない場合は、このコードを誰にも教えず、このメールを破棄してください。パスワードは変わりません。"
                .to_owned(),
        ],
    }
}

/// Returns the subject, the request, the way to use the code, and the warning.
pub fn proof_code(account: &str, until: &str, from: &str, language: Language) -> [String; 4] {
    match language {
        Language::En => [
            "Code to confirm that it is you".to_owned(),
            format!("You are about to change something in {account} on the API key console, {from}."),
            format!("To confirm that it is you, enter this code in the console. It works once, until {until}:"),
            "If it was not you, someone is signed in as you: give the code to no one, and change your password."
                .to_owned(),
        ],
        Language::Ja => [
            "本人確認のための認証コード".to_owned(),
            format!("APIキーのコンソールで、{account} の操作が{from}行われようとしています。"),
            format!(
                "本人確認のため、次の認証コードをコンソールに入力してください。{until}まで、1回だけ使えます。"
            ),
            "お心当たりがない場合は、第三者があなたとしてサインインしています。このコードを誰にも教えず、パスワードを変更してください。"
                .to_owned(),
        ],
    }
}

/// Returns the subject, the change, its effect, and the warning.
pub fn password_changed(
    is_reset: bool,
    at: &str,
    from: &str,
    console: &str,
    language: Language,
) -> [String; 4] {
    let subject = match language {
        Language::En => "Your password was changed",
        Language::Ja => "パスワードが変更されました",
    };
    let lead = match (language, is_reset) {
        (Language::En, false) => {
            format!("Your password for the API key console was changed on {at}, {from}.")
        }
        (Language::En, true) => {
            format!(
                "Your password for the API key console was reset with a mailed code on {at}, {from}."
            )
        }
        (Language::Ja, false) => {
            format!("APIキーのコンソールのパスワードが、{at}に、{from}変更されました。")
        }
        (Language::Ja, true) => {
            format!(
                "APIキーのコンソールのパスワードが、{at}に、{from}、メールの認証コードで再設定されました。"
            )
        }
    };
    let [ended, warning] = match language {
        Language::En => [
            "Other browsers that were signed in as you are signed out.".to_owned(),
            format!(
                "If it was not you, reset your password on the console at once, and inform the operator of this service: {console}"
            ),
        ],
        Language::Ja => [
            "サインインしていたほかのブラウザは、すべてサインアウトされました。".to_owned(),
            format!(
                "お心当たりがない場合は、すぐにコンソールでパスワードを再設定し、サービスの運営者に連絡してください。{console}"
            ),
        ],
    };
    [subject.to_owned(), lead, ended, warning]
}

/// Returns the subject, the request, the way to use the code, and the warning.
pub fn mailbox_code(
    purpose: MailboxPurpose,
    until: &str,
    from: &str,
    language: Language,
) -> [String; 4] {
    let lead = match (language, purpose) {
        (Language::En, MailboxPurpose::SetUp) => {
            format!(
                "Someone is setting up an account on the API key console with this address, {from}."
            )
        }
        (Language::En, MailboxPurpose::Change) => {
            format!(
                "Someone wants to sign in to the API key console with this address from now on, {from}."
            )
        }
        (Language::Ja, MailboxPurpose::SetUp) => {
            format!(
                "APIキーのコンソールで、このアドレスを使ったアカウントの作成が{from}求められました。"
            )
        }
        (Language::Ja, MailboxPurpose::Change) => {
            format!(
                "APIキーのコンソールで、サインインに使うアドレスをこのアドレスに変更することが{from}求められました。"
            )
        }
    };
    match language {
        Language::En => [
            "Code to confirm your e-mail address".to_owned(),
            lead,
            format!(
                "To confirm that this address is yours, enter this code in the console. It works until {until}:"
            ),
            "If it was not you, give the code to no one and ignore this mail: nothing happens with this address."
                .to_owned(),
        ],
        Language::Ja => [
            "メールアドレスを確認するための認証コード".to_owned(),
            lead,
            format!(
                "このアドレスがご自身のものであることを確認するには、次の認証コードをコンソールに入力してください。{until}まで使えます。"
            ),
            "お心当たりがない場合は、このコードを誰にも教えず、このメールを破棄してください。このアドレスが使われることはありません。"
                .to_owned(),
        ],
    }
}

/// Returns the subject, the change, its effect, and the warning. No sentence names the other
/// address: a customer has chosen it.
pub fn address_changed(is_old: bool, at: &str, from: &str, language: Language) -> [String; 4] {
    match (language, is_old) {
        (Language::En, true) => [
            "Your e-mail address was changed".to_owned(),
            format!(
                "Your e-mail address for the API key console was changed on {at}, {from}. Another address took the place of this one."
            ),
            "This address no longer signs you in. All browsers that were signed in as you are signed out."
                .to_owned(),
            "If it was not you, inform an owner of your account and the operator of this service at once. They can end the access."
                .to_owned(),
        ],
        (Language::En, false) => [
            "Your new e-mail address is in use".to_owned(),
            format!(
                "Your e-mail address for the API key console was changed on {at}, {from}. From now on you sign in with this one."
            ),
            "The password is the one of before. Other browsers that were signed in as you are signed out."
                .to_owned(),
            "If it was not you, inform the operator of this service at once.".to_owned(),
        ],
        (Language::Ja, true) => [
            "メールアドレスが変更されました".to_owned(),
            format!(
                "APIキーのコンソールのメールアドレスが、{at}に、{from}変更されました。このアドレスの代わりに、別のアドレスが使われます。"
            ),
            "このアドレスではサインインできなくなりました。サインインしていたブラウザは、すべてサインアウトされました。"
                .to_owned(),
            "お心当たりがない場合は、すぐにアカウントのオーナーとサービスの運営者に連絡してください。アクセスを止めることができます。"
                .to_owned(),
        ],
        (Language::Ja, false) => [
            "新しいメールアドレスが使われるようになりました".to_owned(),
            format!(
                "APIキーのコンソールのメールアドレスが、{at}に、{from}変更されました。今後は、このアドレスでサインインしてください。"
            ),
            "パスワードは以前と同じです。サインインしていたほかのブラウザは、すべてサインアウトされました。"
                .to_owned(),
            "お心当たりがない場合は、すぐにサービスの運営者に連絡してください。".to_owned(),
        ],
    }
}
