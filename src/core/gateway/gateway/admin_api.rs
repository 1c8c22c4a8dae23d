//! Decides about requests of programs to the admin API.

use super::{Decision, Gateway};
use crate::base::http::request::Request;
use crate::base::http::response::{AdminForward, Outcome};
use crate::credential::admin_right::AdminRight;
use crate::gateway::admin_api::{AdminProgram, PLACES, credential, has_session, right};
use crate::gateway::extract::{Ambiguous, find};
use crate::lease::rules::LeaseRules;
use crate::replication::admin_caller::{AdminCaller, CALLER_HEADER};
use crate::verify::verdict::Denial;

impl<R: LeaseRules> Gateway<R> {
    /// Decides if the edge verifies a program's credential on this request to the console's host.
    /// Returns `None` if the admin Worker serves it by its cookie. All headers must have been read.
    pub(in crate::gateway) fn decide_admin_api(&self, request: &Request<'_>) -> Option<Decision> {
        let right = right(request.method, request.url.path)?;
        match credential(request, &self.config().prefix) {
            Ok(None) => None,
            Ok(Some(credential)) if !has_session(request.headers) => {
                Some(Decision::AdminApi(AdminProgram { right, credential }))
            }
            Ok(Some(_)) | Err(Ambiguous) => Some(self.refuse_ambiguous(request)),
        }
    }

    /// Returns a verified request for the admin Worker. It names the caller, and no longer has the
    /// credential.
    pub(in crate::gateway) fn forward_admin_api(
        &self,
        request: &Request<'_>,
        caller: AdminCaller,
    ) -> Outcome {
        let AdminForward { mut remove, mut set } = self.admin_forward(request, request.url.path);
        let carriers = find(request, &PLACES, &self.config.prefix).headers;
        remove.extend(carriers.into_iter().map(str::to_owned));
        set.push((CALLER_HEADER, caller.to_string()));
        Outcome::Admin(AdminForward { remove, set })
    }

    /// Refuses a program.
    pub(in crate::gateway) fn deny_admin_api(&self, denial: Denial, right: AdminRight) -> Outcome {
        let (host, demanded) = (&self.config.console_host, right.permission());
        Outcome::Answer(self.answer_denial(host, denial, Some(&demanded)))
    }
}
