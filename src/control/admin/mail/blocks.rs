//! The parts of a message, and their form as plain text and HTML.

use claviger_core::base::time::UnixMs;

use crate::protocol::member::Language;
use crate::protocol::zone::Zone;

/// A part of a message.
pub enum Block {
    /// A paragraph of sentences.
    Sentences(String),
    /// A list with one item per line.
    Items(Vec<String>),
    /// A code, shown prominently.
    Code(String),
    /// A link, shown as its whole address.
    Link(String),
}

/// The precision of a time in the text.
#[derive(Clone, Copy)]
pub enum Precision {
    /// For times that lie days or hours away.
    Minutes,
    /// For times with a bound of seconds.
    Seconds,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Formats a time in the account's zone, with the zone's name.
pub fn moment(at: UnixMs, zone: &Zone, language: Language, precision: Precision) -> String {
    // Every time in a letter is near the present, so the default is never used.
    let civil = zone.civil(at).unwrap_or_default();
    let (year, month, day) = (civil.year(), civil.month(), civil.day());
    let time = match precision {
        Precision::Minutes => format!("{:02}:{:02}", civil.hour(), civil.minute()),
        Precision::Seconds => {
            format!("{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second())
        }
    };
    match language {
        Language::En => {
            let place = usize::try_from(month).unwrap_or_default().saturating_sub(1);
            let month = MONTHS.get(place).copied().unwrap_or_default();
            format!("{day} {month} {year}, {time} ({zone})")
        }
        Language::Ja => format!("{year}年{month}月{day}日 {time}（{zone}）"),
    }
}

/// Renders the parts as plain text.
pub fn text(blocks: &[Block]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for block in blocks {
        parts.push(match block {
            Block::Sentences(text) => one_line(text),
            Block::Items(items) => items
                .iter()
                .map(|item| format!("- {}", one_line(item)))
                .collect::<Vec<_>>()
                .join("\n"),
            Block::Code(code) => format!("    {code}"),
            Block::Link(address) => one_line(address),
        });
    }
    format!("{}\n", parts.join("\n\n"))
}

/// Renders the parts as an HTML document that loads nothing from elsewhere.
pub fn html(title: &str, blocks: &[Block], language: Language) -> String {
    let lang = language.as_str();
    let mut body = String::new();
    for block in blocks {
        body.push_str(&match block {
            Block::Sentences(text) => format!("<p>{}</p>\n", escaped(text)),
            Block::Items(items) => {
                let items: String =
                    items.iter().map(|item| format!("<li>{}</li>\n", escaped(item))).collect();
                format!("<ul>\n{items}</ul>\n")
            }
            Block::Code(code) => {
                format!(
                    "<p style=\"font-size:1.75em;letter-spacing:.15em\"><strong>{}</strong></p>\n",
                    escaped(code)
                )
            }
            Block::Link(address) => {
                format!("<p><a href=\"{0}\">{0}</a></p>\n", escaped(address))
            }
        });
    }
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{body}</body>\n</html>\n",
        escaped(title)
    )
}

/// Escapes text for HTML elements and quoted attributes.
fn escaped(text: &str) -> String {
    one_line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Returns the text as one line: control characters and line separators become blanks.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(
            |sign| {
                if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') {
                    ' '
                } else {
                    sign
                }
            },
        )
        .collect()
}
