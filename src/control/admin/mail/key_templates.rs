//! The text of the message that confirms a generated key. Its subject holds no name.

use super::blocks::Block;
use crate::protocol::member::Language;

/// Returns the confirmation. `key` names the key, `expires` its end if it has one.
pub fn generated(
    (account, key): (&str, &str),
    expires: Option<&str>,
    (at, from, console): (&str, &str, &str),
    language: Language,
) -> (String, Vec<Block>) {
    let [subject, lead, more, warning] = match language {
        Language::En => [
            "A new API key was generated".to_owned(),
            format!("This API key of {account} was generated for you on {at}, {from}:"),
            match expires {
                Some(expires) => format!("It works until {expires}. This mail holds no secret."),
                None => "It works until it is disabled or deleted. This mail holds no secret."
                    .to_owned(),
            },
            format!(
                "If you did not generate it, disable it on the console, change your password, and tell an owner of the account: {console}"
            ),
        ],
        Language::Ja => [
            "APIキーが生成されました".to_owned(),
            format!("{account} で、{at}に、{from}、あなたの次のAPIキーが生成されました。"),
            match expires {
                Some(expires) => {
                    format!("有効期限は{expires}です。このメールに秘密の値は含まれていません。")
                }
                None => {
                    "無効化または削除するまで有効です。このメールに秘密の値は含まれていません。"
                        .to_owned()
                }
            },
            format!(
                "お心当たりがない場合は、コンソールでこのキーを無効にし、パスワードを変更して、アカウントのオーナーに知らせてください。{console}"
            ),
        ],
    };
    let blocks = vec![
        Block::Sentences(lead),
        Block::Items(vec![key.to_owned()]),
        Block::Sentences(more),
        Block::Sentences(warning),
    ];
    (subject, blocks)
}
