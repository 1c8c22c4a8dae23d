//! Defines the JSON value from which every type is read, one member at a time.
//!
//! serde_json parses the text into a [`Json`]. A type then takes its members by [`FromJson`]. A
//! derived `Deserialize` generates a parser for each type, which made up a third of the edge
//! module; here one parser serves all types. [`from_json!`] implements both
//! traits for a type, so each type has one way in.
//!
//! Reading is strict where laxity would grant access: a member that occurs twice is refused, and
//! only [`Members::optional`] and [`Members::or_default`] accept an absent member.

use core::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Most members of one object. A linear search for repeated names stays cheap at this length, and
/// no object of Claviger has half as many.
pub const MEMBERS_MAX: usize = 64;

/// Returns a text without the byte order mark that it may begin with. A reader of JSON may ignore
/// it (RFC 8259 §8.1), and some editors and libraries write it.
pub fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A JSON value (RFC 8259 §3).
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number from 0 to 2^64 − 1.
    Unsigned(u64),
    /// A whole number below zero.
    Negative(i64),
    /// Any other number. No type of Claviger reads one.
    OtherNumber,
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object; each name occurs once.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses a text; `None` if it is not JSON, or if an object repeats a name.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Creates an object of these members.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Returns the members of an object; `None` for any other value.
    pub fn into_members(self) -> Option<Members> {
        match self {
            Self::Object(members) => Some(Members(members)),
            _ => None,
        }
    }

    /// Returns the string; `None` for any other value.
    pub fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reads an enum of one variant without and one with data. Returns `Some(None)` for the string
    /// `variant`, `Some(Some(…))` for an object whose member `member` holds the data, and `None`
    /// for any other value.
    pub fn into_variant<T: FromJson>(self, variant: &str, member: &str) -> Option<Option<T>> {
        match self {
            Self::Text(text) => (text == variant).then_some(None),
            json => json.into_members()?.required(member).map(Some),
        }
    }

    /// Returns the elements of an array; `None` for any other value.
    pub fn into_list(self) -> Option<Vec<Self>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }
}

/// Shows the kind alone, because the value may be a secret.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Unsigned(_) | Self::Negative(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        })
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Self::Unsigned(number),
                (None, Some(number)) => Self::Negative(number),
                (None, None) => Self::OtherNumber,
            },
            Value::String(text) => Self::Text(text),
            Value::Array(list) => Self::List(list.into_iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members.into_iter().map(|(name, value)| (name, value.into())).collect(),
            ),
        }
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Unsigned(number)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(u64::try_from(number).map_or(Json::Negative(number), Json::Unsigned))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.len() == MEMBERS_MAX {
                return Err(A::Error::custom("too many members"));
            }
            if object.iter().any(|(earlier, _)| *earlier == name) {
                return Err(A::Error::custom("a repeated member"));
            }
            object.push((name, members.next_value()?));
        }
        Ok(Json::Object(object))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::OtherNumber => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Negative(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// The members of an object that are not taken yet.
#[derive(Clone, Debug)]
pub struct Members(Vec<(String, Json)>);

impl Members {
    /// Takes a member; `None` if it is absent.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.0.iter().position(|(found, _)| found == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// Takes a member that must be present; `None` if it is absent or malformed.
    pub fn required<T: FromJson>(&mut self, name: &str) -> Option<T> {
        T::from_json(self.take(name)?)
    }

    /// Takes a member that may be absent or null. The outer `None` means that it is malformed.
    pub fn optional<T: FromJson>(&mut self, name: &str) -> Option<Option<T>> {
        self.take(name).map_or(Some(None), FromJson::from_json)
    }

    /// Takes a member that has its default value if it is absent. Returns `None` if it is
    /// malformed.
    pub fn or_default<T: FromJson + Default>(&mut self, name: &str) -> Option<T> {
        self.take(name).map_or_else(|| Some(T::default()), FromJson::from_json)
    }

    /// Returns the name of a member that was not taken; `None` if none is left.
    pub fn left_over(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_str())
    }
}

/// The object of the members that are left.
impl From<Members> for Json {
    fn from(Members(members): Members) -> Self {
        Self::Object(members)
    }
}

/// A type with one JSON form.
pub trait FromJson: Sized {
    /// Reads the form; `None` if the value does not have it.
    fn from_json(json: Json) -> Option<Self>;

    /// Parses a text that is the form; `None` for any other.
    fn parse_json(text: &str) -> Option<Self> {
        Self::from_json(Json::parse(text)?)
    }
}

impl FromJson for Json {
    fn from_json(json: Json) -> Option<Self> {
        Some(json)
    }
}

impl FromJson for String {
    fn from_json(json: Json) -> Option<Self> {
        json.into_text()
    }
}

impl FromJson for bool {
    fn from_json(json: Json) -> Option<Self> {
        match json {
            Json::Bool(value) => Some(value),
            _ => None,
        }
    }
}

impl FromJson for u64 {
    fn from_json(json: Json) -> Option<Self> {
        match json {
            Json::Unsigned(number) => Some(number),
            _ => None,
        }
    }
}

impl FromJson for u32 {
    fn from_json(json: Json) -> Option<Self> {
        u64::from_json(json)?.try_into().ok()
    }
}

impl FromJson for u8 {
    fn from_json(json: Json) -> Option<Self> {
        u64::from_json(json)?.try_into().ok()
    }
}

impl FromJson for i64 {
    fn from_json(json: Json) -> Option<Self> {
        match json {
            Json::Unsigned(number) => number.try_into().ok(),
            Json::Negative(number) => Some(number),
            _ => None,
        }
    }
}

/// `null` is `None`.
impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: Json) -> Option<Self> {
        match json {
            Json::Null => Some(None),
            json => T::from_json(json).map(Some),
        }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: Json) -> Option<Self> {
        json.into_list()?.into_iter().map(T::from_json).collect()
    }
}

/// Describes the error of parsing a [`Json`], with its position. It quotes no value.
pub fn describe(error: &serde_json::Error) -> String {
    // The parser of `Json` itself refuses nothing else.
    let kind = if error.is_data() { "a repeated member, or too many" } else { "not JSON" };
    format!("{kind}, at line {}, column {}", error.line(), error.column())
}

/// Deserialises a type through its [`FromJson`]. `name` is for the error's text.
///
/// # Errors
/// The error of the deserializer, or a custom one if the value does not have the type's form.
pub fn deserialize<'de, T: FromJson, D: Deserializer<'de>>(
    deserializer: D,
    name: &str,
) -> Result<T, D::Error> {
    T::from_json(Json::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom(format_args!("not the JSON form of {name}")))
}

/// Implements `Deserialize` by [`FromJson`]; or both, in one of two forms.
///
/// - `from_json!(Type { member: required, other: optional })` reads an object: each member is
///   `required`, `optional` or `or_default`, as [`Members`] has them. It ignores other members. A
///   member may have another name in JSON: `member as "name": required`.
/// - `from_json!(Type(_))` reads a newtype like the type inside.
macro_rules! from_json {
    ($type:ident) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::base::json::deserialize(deserializer, stringify!($type))
            }
        }
    };
    ($type:ident(_)) => {
        impl $crate::base::json::FromJson for $type {
            fn from_json(json: $crate::base::json::Json) -> Option<Self> {
                $crate::base::json::FromJson::from_json(json).map(Self)
            }
        }
        $crate::base::json::from_json!($type);
    };
    ($type:ident { $($member:ident $(as $name:literal)? : $how:ident),+ $(,)? }) => {
        impl $crate::base::json::FromJson for $type {
            fn from_json(json: $crate::base::json::Json) -> Option<Self> {
                let mut members = json.into_members()?;
                Some(Self {
                    $($member: members.$how($crate::base::json::from_json!(@name $member $($name)?))?),+
                })
            }
        }
        $crate::base::json::from_json!($type);
    };
    (@name $member:ident) => { stringify!($member) };
    (@name $member:ident $name:literal) => { $name };
}

pub(crate) use from_json;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        number: i64,
        text: Option<String>,
        list: Vec<u32>,
        end: Option<u64>,
    }

    from_json!(Sample {
        number: required,
        text as "name": optional,
        list: or_default,
        end: required,
    });

    #[test]
    fn members_are_required_optional_or_default() {
        let read = |json| Sample::parse_json(json);
        let whole = Sample { number: -7, text: Some("é".into()), list: vec![1, 2], end: Some(9) };
        let least = Sample { number: 7, text: None, list: vec![], end: None };
        assert_eq!(
            read(r#"{"number":-7,"name":"\u00e9","list":[1,2],"end":9,"more":[{}]}"#),
            Some(whole)
        );
        assert_eq!(read(r#"{"end":null,"number":7}"#), Some(least));
        for bad in [
            r#"{"number":7}"#,
            r#"{"end":null}"#,
            r#"{"end":null,"number":7,"name":1}"#,
            r#"{"end":null,"number":7,"list":null}"#,
            r#"{"end":null,"number":7,"list":[4294967296]}"#,
            r#"{"end":null,"number":7,"list":[-1]}"#,
            r#"{"end":null,"number":7.5}"#,
            r#"{"end":null,"number":1e3}"#,
            r#"{"end":null,"number":9223372036854775808}"#,
            r#"{"end":-1,"number":7}"#,
            r#"{"end":null,"number":7,"number":7}"#,
            r#"[7,null,[],null]"#,
            "null",
            "",
        ] {
            assert_eq!(read(bad), None, "{bad}");
            assert!(serde_json::from_str::<Sample>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_variant_is_a_string_or_an_object_with_its_member() {
        let read = |text| Json::parse(text).unwrap().into_variant::<u64>("none", "some");
        assert_eq!(read(r#""none""#), Some(None));
        assert_eq!(read(r#"{"some":7}"#), Some(Some(7)));
        for bad in
            [r#""some""#, r#"{"none":7}"#, r#"{"some":"7"}"#, r#"{"some":null}"#, "7", "null"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_value_is_written_as_it_was_read() {
        for text in [
            r#"{"b":[1,-2,true,null,"\"\\\n"],"a":{}}"#,
            "18446744073709551615",
            "-9223372036854775808",
            "[]",
        ] {
            let json = Json::parse(text).unwrap();
            assert_eq!(serde_json::to_string(&json).unwrap(), text);
        }
    }

    #[test]
    fn objects_of_many_members_and_deep_arrays_are_refused() {
        let object = |count: usize| {
            let members: Vec<_> = (0..count).map(|number| format!("\"{number}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert!(Json::parse(&object(MEMBERS_MAX)).is_some());
        assert!(Json::parse(&object(MEMBERS_MAX + 1)).is_none());
        assert!(Json::parse(&["[".repeat(1_000), "]".repeat(1_000)].concat()).is_none());
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", Json::from("hunter2")), "a string");
        let members = Json::object([("password", "hunter2".into())]).into_members();
        assert!(!format!("{members:?}").contains("hunter2"));
    }
}
