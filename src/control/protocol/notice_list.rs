//! The list of a member's past notices.

use claviger_core::base::time::UnixMs;
use serde::{Deserialize, Serialize};

use crate::protocol::envelope::Letter;

/// Most notices of a page, and the default.
pub const PAGE_NOTICES_MAX: u32 = 50;

/// A past notice of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedNotice {
    /// Number among the member's notices; rises.
    pub number: u32,
    /// Time of the notice, Unix ms.
    pub at: UnixMs,
    /// `true` if the member has not looked at it.
    pub unread: bool,
    /// Contents. A [`Letter::Notices`] has one list alone.
    pub letter: Letter,
}

/// A page of a member's notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticePage {
    /// Notices of this page, newest first.
    pub notices: Vec<ListedNotice>,
    /// Number of the last notice, as the cursor of the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
    /// Number of all notices that the member has not looked at.
    pub unread: u32,
}
