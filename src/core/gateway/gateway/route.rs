//! Finds the rule of a request.

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
        let find = |path: &str| self.config.rules.find(url.host, path).cloned();
        match path::normalise(url.path) {
            Ok(path) => {
                let rule = find(&path).ok_or(GatewayProblem::NoRoute)?;
                Ok((path, rule))
            }
            Err(refused @ PathError::EncodedSeparator) => {
                let read = EncodedSlashes::read(url.path).map_err(GatewayProblem::AmbiguousPath)?;
                // An origin that decodes early must not get a path past the rule for it.
                find(&read.opaque())
                    .zip(find(&read.separated))
                    .filter(|(rule, other)| rule.encoded_slashes && rule.index == other.index)
                    .map(|(rule, _)| (read.encoded.into(), rule))
                    .ok_or(GatewayProblem::AmbiguousPath(refused))
            }
            Err(refused) => Err(GatewayProblem::AmbiguousPath(refused)),
        }
    }
}
