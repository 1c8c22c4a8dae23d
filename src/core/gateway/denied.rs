//! A refusal of a request by its credential.

use std::rc::Rc;

use crate::config::rules::{Access, RequestEffect, Rule};
use crate::credential::limits::permission::Permission;
use crate::verify::verdict::Denial;

/// A refusal of a request by its credential.
#[derive(Clone, Debug)]
pub struct Denied {
    pub(super) rule: Rc<Rule>,
    pub(super) effect: RequestEffect,
    pub(super) denial: Denial,
}

impl Denied {
    /// Returns the key by which a caller may cache the response: the rule's index, `true` if the
    /// request writes, and the denial.
    pub fn key(&self) -> (usize, bool, Denial) {
        (self.rule.index, self.effect == RequestEffect::Write, self.denial)
    }

    /// Returns `true` if every caller gets the same response, from whatever page it comes.
    pub fn is_alike_for_all(&self) -> bool {
        self.rule.sites.is_none()
    }

    /// Returns the permission that the rule demands of such a request.
    pub(super) fn permission(&self) -> Option<&Permission> {
        match (&self.rule.access, self.effect) {
            (Access::Permission { read, .. }, RequestEffect::Read) => Some(read),
            (Access::Permission { write, .. }, RequestEffect::Write) => Some(write),
            (Access::Public | Access::AnyKey, _) => None,
        }
    }
}
