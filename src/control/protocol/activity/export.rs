//! Export of activity as JSON Lines or CSV (RFC 4180).
//!
//! The file is written page by page, so memory holds one page at a time. It ends at [`ROWS_MAX`]
//! entries, and its last line then states the cut. A file without that line is complete if the
//! connection reported no error.

use std::borrow::Cow;

use serde_json::{Value, json};

/// Most entries of one file: 200 pages, a fiftieth of the subrequests that the platform allows one
/// request.
pub const ROWS_MAX: u32 = 100_000;

const _: () = assert!(ROWS_MAX.is_multiple_of(super::EXPORT_PAGE_ENTRIES));

/// The columns of CSV, in order.
const COLUMNS: [&str; 10] = [
    "id", "at", "action", "by_kind", "by_id", "by_name", "address", "key_id", "key_name", "changes",
];

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    JsonLines,
    /// Comma-separated values, with a byte order mark from which spreadsheets recognise UTF-8.
    Csv,
}

impl Format {
    /// Parses the format's name in URLs.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "jsonl" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// Returns the file name extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Returns the media type of the file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// Returns the beginning of a file: CSV's byte order mark and header, nothing for JSON Lines.
    pub fn head(self) -> String {
        match self {
            Self::JsonLines => String::new(),
            Self::Csv => ["\u{feff}", &row(COLUMNS.map(|name| cell(&name.into())))].concat(),
        }
    }

    /// Returns the line of an entry, which has the JSON form of the activity route.
    pub fn line(self, entry: &Value) -> String {
        match self {
            Self::JsonLines => format!("{entry}\n"),
            Self::Csv => {
                let (by, key) = (&entry["by"], &entry["key"]);
                let cells = [
                    &entry["id"],
                    &entry["at"],
                    &entry["action"],
                    &by["kind"],
                    &by["id"],
                    &by["name"],
                    &entry["address"],
                    &key["id"],
                    &key["name"],
                    &entry["changes"],
                ];
                row(cells.map(cell))
            }
        }
    }

    /// Returns the last line of a file that was cut at [`ROWS_MAX`].
    pub fn cut(self) -> String {
        match self {
            Self::JsonLines => format!("{}\n", json!({ "truncated": true, "rows": ROWS_MAX })),
            Self::Csv => {
                let note = format!("truncated after {ROWS_MAX} entries");
                let mut cells = COLUMNS.map(|_| String::new());
                let [first, ..] = &mut cells;
                *first = cell(&note.into());
                row(cells)
            }
        }
    }
}

fn row(cells: [String; COLUMNS.len()]) -> String {
    cells.join(",") + "\r\n"
}

/// Formats a CSV cell. Text that a spreadsheet would evaluate as a formula gets an apostrophe in
/// front. The same applies after a semicolon, which separates cells in some locales.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.split(';').map(without_formula).collect::<Vec<_>>().join(";");
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Escapes spreadsheet formulas (CSV injection). Some spreadsheets also accept the full-width
/// operators, and skip leading blanks.
fn without_formula(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['\t', '\r'])
        || text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Value {
        json!({
            "id": 17, "at": "2026-11-22T01:00:00Z", "action": "key_edited",
            "by": {"kind": "member", "id": "0123456789A", "name": name}, "address": null,
            "key": {"id": "a1B2c3D47Hq0p2Zx9K", "name": name}, "changes": {"name": {"from": "a", "to": "b"}},
        })
    }

    #[test]
    fn a_csv_row_is_pinned() {
        assert_eq!(
            Format::Csv.head(),
            "\u{feff}id,at,action,by_kind,by_id,by_name,address,key_id,key_name,changes\r\n"
        );
        let changes = r#""{""name"":{""from"":""a"",""to"":""b""}}""#;
        assert_eq!(
            Format::Csv.line(&entry("Mei")),
            format!(
                "17,2026-11-22T01:00:00Z,key_edited,member,0123456789A,Mei,,a1B2c3D47Hq0p2Zx9K,Mei,{changes}\r\n"
            )
        );
        assert_eq!(Format::Csv.cut(), "truncated after 100000 entries,,,,,,,,,\r\n");
    }

    #[test]
    fn a_hostile_name_is_text_in_a_spreadsheet_and_stays_in_its_cell() {
        for (name, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("＝1+1", "'＝1+1"),
            (" \u{a0}=1", "' \u{a0}=1"),
            ("a; =1+1", "a;' =1+1"),
            ("=a;b;+1", "'=a;b;'+1"),
            ("a-b;c", "a-b;c"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("two\nlines", "\"two\nlines\""),
            ("経理サーバー🔑", "経理サーバー🔑"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(cell(&name.into()), expected, "{name:?}");
        }
    }

    #[test]
    fn a_line_of_json_lines_is_one_line() {
        let line = Format::JsonLines.line(&entry("two\nlines\u{2028}\""));
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), entry("two\nlines\u{2028}\""));
        let last: Value = serde_json::from_str(&Format::JsonLines.cut()).unwrap();
        assert_eq!(last, json!({ "truncated": true, "rows": 100_000 }));
        assert_eq!(Format::JsonLines.head(), "");
    }
}
