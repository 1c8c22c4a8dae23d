//! Finds the rule of a request.
//!
//! Servers disagree on some paths: whether `%2F` separates segments, and whether dots and blanks at
//! the end of a segment count. So a path may have several readings. A rule decides about it only if
//! every reading leads to that rule. Otherwise an origin could get a path past the rule for it.

use std::borrow::Cow;
use std::rc::Rc;

use super::Gateway;
use crate::base::http::encoded_slash::EncodedSlashes;
use crate::base::http::path::{self, PathError};
use crate::base::http::request::Url;
use crate::config::rules::Rule;
use crate::gateway::problem::GatewayProblem;

impl<R> Gateway<R> {
    /// Returns the rule of a request to an API, and the path that its origin gets.
    ///
    /// # Errors
    /// [`GatewayProblem::AmbiguousPath`] or [`GatewayProblem::NoRoute`].
    pub(super) fn route<'a>(
        &self,
        url: Url<'a>,
    ) -> Result<(Cow<'a, str>, Rc<Rule>), GatewayProblem> {
        match path::normalise(url.path) {
            Ok(path) => {
                let rule = self.rule_of_all(url.host, &path, None)?;
                Ok((path, rule))
            }
            Err(refused @ PathError::EncodedSeparator) => {
                let read = EncodedSlashes::read(url.path).map_err(GatewayProblem::AmbiguousPath)?;
                let rule = self.rule_of_all(url.host, &read.opaque(), Some(&read.separated));
                rule.ok()
                    .filter(|rule| rule.encoded_slashes)
                    .map(|rule| (read.encoded.into(), rule))
                    .ok_or(GatewayProblem::AmbiguousPath(refused))
            }
            Err(refused) => Err(GatewayProblem::AmbiguousPath(refused)),
        }
    }

    /// Returns the rule of a path, if its `other` reading and the [`lenient`](path::lenient)
    /// readings of both have the same rule. A lenient reading may also have no rule.
    fn rule_of_all(
        &self,
        host: &str,
        path: &str,
        other: Option<&str>,
    ) -> Result<Rc<Rule>, GatewayProblem> {
        let find = |path: &str| self.config.rules.find(host, path);
        let rule = find(path).ok_or(GatewayProblem::NoRoute)?;
        let is_same = |found: &Rc<Rule>| found.index == rule.index;
        let is_alike = |path: &str| {
            path::lenient(path).is_none_or(|lenient| find(&lenient).is_none_or(is_same))
        };
        let is_unanimous = is_alike(path)
            && other.is_none_or(|other| find(other).is_some_and(is_same) && is_alike(other));
        if is_unanimous {
            Ok(rule.clone())
        } else {
            Err(GatewayProblem::AmbiguousPath(PathError::OtherRule))
        }
    }
}
