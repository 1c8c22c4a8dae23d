//! Values without a domain: the vocabulary that every other wing uses. Nothing here knows what a
//! credential or an account is allowed to do.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`time`] | instants and durations; the caller passes in the present time |
//! | [`id`] | IDs of accounts, keys, members and tokens, fixed in width |
//! | [`secret`] | secret text that cannot be printed, and digests |
//! | [`email`] | e-mail addresses in one form |
//! | [`base62`] | the alphabet of every credential |
//! | [`json`] | JSON values, read member by member |
//! | [`http`] | requests, responses, paths, problem documents |

pub mod base62;
pub mod email;
pub mod http;
pub mod id;
pub mod json;
pub mod secret;
pub mod time;
