//! Makes names inert, which customers have chosen: no mail program shows them as a link.
//!
//! Anyone with an account can invite any address. Without this, an account's name could be the
//! address of another site, in a mail that this deployment vouches for.

use crate::protocol::envelope::Letter;
use crate::protocol::keys::KeyName;
use crate::protocol::notices::NoticeList;

/// Returns the letter with all names that customers have chosen made inert.
pub fn letter(letter: &Letter) -> Letter {
    let mut letter = letter.clone();
    match &mut letter {
        Letter::DeletionCode { account, keys, .. } => {
            name(account);
            keys.iter_mut().for_each(key);
        }
        Letter::DeletionNotice { account, keys, by, .. } => {
            name(account);
            name(by);
            keys.iter_mut().for_each(key);
        }
        Letter::Invitation { account, by, .. }
        | Letter::RoleChanged { account, by, .. }
        | Letter::MemberRemoved { account, by, .. } => {
            name(account);
            name(by);
        }
        Letter::MemberJoined { account, name: joined, .. } => {
            name(account);
            name(joined);
        }
        Letter::FactorsChanged { account, by, .. } => {
            name(account);
            by.iter_mut().for_each(name);
        }
        Letter::KeyGenerated { account, key: generated, .. } => {
            name(account);
            key(generated);
        }
        Letter::NewNetwork { account, .. } | Letter::ProofCode { account, .. } => name(account),
        Letter::Notices { account, acts, issued, networks, ends, zone: _ } => {
            name(account);
            [acts, issued, networks, ends].into_iter().for_each(list);
        }
        Letter::ResetCode { .. }
        | Letter::PasswordChanged { .. }
        | Letter::MailboxCode { .. }
        | Letter::AddressChanged { .. } => {}
    }
    letter
}

fn list(list: &mut NoticeList) {
    for item in &mut list.items {
        item.key.iter_mut().for_each(key);
        item.by.iter_mut().for_each(name);
    }
}

fn key(key: &mut KeyName) {
    name(&mut key.name);
}

fn name(text: &mut String) {
    *text = inert(text);
}

/// Returns a name in which no mail program finds a link: each dot that could stand in a host name,
/// and the colon of each `://`, stands in brackets.
pub fn inert(name: &str) -> String {
    let mut inert = String::with_capacity(name.len());
    let mut before: Option<char> = None;
    let mut rest = name.chars();
    while let Some(sign) = rest.next() {
        let after = rest.as_str();
        let next = after.chars().next();
        let is_colon = sign == ':' && after.starts_with("//");
        if is_colon || (is_dot(sign, next) && is_in_host_name(before, next)) {
            inert.extend(['[', sign, ']']);
        } else {
            inert.push(sign);
        }
        before = Some(sign);
    }
    inert
}

/// Returns `true` for a dot, in any form that host names know (UTS #46 §2.3). The ideographic full
/// stop ends sentences, so it counts only before a letter of ASCII.
fn is_dot(sign: char, next: Option<char>) -> bool {
    match sign {
        '.' | '\u{ff0e}' | '\u{ff61}' => true,
        '\u{3002}' => next.is_some_and(|next| next.is_ascii_alphanumeric()),
        _ => false,
    }
}

fn is_in_host_name(before: Option<char>, next: Option<char>) -> bool {
    let is_part = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_');
    let (Some(before), Some(next)) = (before, next) else { return false };
    let is_number = before.is_ascii_digit() && next.is_ascii_digit();
    is_part(before) && is_part(next) && !is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_link_is_inert_and_other_names_stay() {
        for (name, expected) in [
            ("Example KK", "Example KK"),
            ("Dr. Mei J. Tanaka", "Dr. Mei J. Tanaka"),
            ("v1.2 and 3.14", "v1.2 and 3.14"),
            ("Time 12:30 // note", "Time 12:30 // note"),
            ("終わり。次", "終わり。次"),
            ("evil.example", "evil[.]example"),
            ("www.evil.example/login", "www[.]evil[.]example/login"),
            ("https://192.0.2.1/x", "https[:]//192.0.2.1/x"),
            ("HTTPS://evil", "HTTPS[:]//evil"),
            ("evil．example", "evil[．]example"),
            ("evil｡example", "evil[｡]example"),
            ("evil。example", "evil[。]example"),
            ("例え.みんな", "例え[.]みんな"),
            ("mail@evil.example", "mail@evil[.]example"),
            ("1.evil-2.example", "1[.]evil-2[.]example"),
        ] {
            assert_eq!(inert(name), expected);
        }
    }
}
