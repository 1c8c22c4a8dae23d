//! Parses bodies that are JSON objects of known members.

use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::base::http::problem::RequestProblem;
use crate::base::json::{self, Json, Members};

/// Checks the media type of a body (RFC 9110 §8.3.1); it ignores parameters.
///
/// # Errors
/// [`RequestProblem::UnsupportedMediaType`] if it is not `application/json`.
pub fn check_media_type(content_type: Option<&str>) -> Result<(), RequestProblem> {
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(RequestProblem::UnsupportedMediaType)
    }
}

/// Parses a body.
///
/// # Errors
/// [`RequestProblem::MalformedBody`] with the position and the kind of the error. It quotes no
/// value of the body, which may be a secret.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RequestProblem> {
    match serde_json::from_str(text(bytes)?) {
        Ok(Object(body)) => Ok(body),
        Err(error) => Err(RequestProblem::MalformedBody { detail: describe(&error) }),
    }
}

/// Parses a body whose members the caller takes one by one.
///
/// # Errors
/// [`RequestProblem::MalformedBody`] if the body is not a JSON object, or has a repeated member.
pub fn read_object(bytes: &[u8]) -> Result<Members, RequestProblem> {
    match serde_json::from_str::<Json>(text(bytes)?).map(Json::into_members) {
        Ok(Some(members)) => Ok(members),
        Ok(None) => Err(RequestProblem::MalformedBody { detail: "not an object".into() }),
        Err(error) => Err(RequestProblem::MalformedBody { detail: json::describe(&error) }),
    }
}

fn text(bytes: &[u8]) -> Result<&str, RequestProblem> {
    // Parsing from text only saves code: nothing else in the edge needs serde_json's byte reader.
    core::str::from_utf8(bytes)
        .map(json::unmarked)
        .map_err(|_| RequestProblem::MalformedBody { detail: "not UTF-8".into() })
}

/// A JSON object read as `T`. Without this type, serde would also accept an array with the members
/// in the order of their declaration.
#[derive(Debug)]
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UniqueMembers<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueMembers<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(UniqueMembers(PhantomData)).map(Self)
    }
}

fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => {
            // serde's messages quote the input. Only these two kinds name nothing but the body's
            // structure.
            let text = error.to_string();
            let structural =
                ["unknown field", "missing field"].iter().any(|kind| text.starts_with(kind));
            let short = text.len() <= 200 && text.is_ascii();
            if structural && short {
                text
            } else {
                format!(
                    "a member has a wrong type, at line {}, column {}",
                    error.line(),
                    error.column()
                )
            }
        }
        Category::Io | Category::Syntax | Category::Eof => {
            format!("not JSON, at line {}, column {}", error.line(), error.column())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_with_near_misses() {
        for good in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
            assert!(check_media_type(Some(good)).is_ok(), "{good}");
        }
        for bad in [
            "",
            "text/plain",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "text/plain, application/json",
        ] {
            assert!(check_media_type(Some(bad)).is_err(), "{bad}");
        }
        assert!(check_media_type(None).is_err());
    }

    #[test]
    fn a_body_may_begin_with_one_byte_order_mark() {
        let marked = "\u{feff}{\"a\":1}".as_bytes();
        assert!(read_object(marked).is_ok());
        assert!(parse::<serde_json::Map<_, _>>(marked).is_ok());
        for refused in ["\u{feff}\u{feff}{}", "{\u{feff}}", "{}\u{feff}", "\u{feff}"] {
            assert!(read_object(refused.as_bytes()).is_err(), "{refused:?}");
        }
    }
}
