//! Mailbox codes: draws them, has the name object mail them, and checks them.

use core::time::Duration;

use claviger_control::admin::log::{AttemptRefused, LoggedAttempt};
use claviger_control::admin::problem::AdminProblem;
use claviger_control::admin::view;
use claviger_control::protocol::account::Email;
use claviger_control::protocol::code::Code;
use claviger_control::protocol::deletion::{MailState, NewCode};
use claviger_control::protocol::mailbox::{MailboxPurpose, MailboxSubject, NewMailboxCode};
use claviger_control::protocol::member::Language;
use claviger_control::protocol::objects::{NameReply, NameRequest};
use claviger_control::protocol::zone::Zone;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::http::response::Response;
use claviger_core::base::id::TokenId;
use claviger_core::base::secret::SecretText;
use claviger_workers::rng;

use crate::clock::now;
use crate::context::RequestContext;
use crate::sessions::delay;
use crate::{calls, codes};

/// Earliest time for the answer, in milliseconds. An object that stores nothing yet takes longer
/// than one that knows the address.
const ANSWER_MS_MIN: u64 = 250;

/// Pauses before the looks at the state of the mail, in milliseconds. A mail service answers
/// within a second or two.
const LOOKS_MS: [u64; 5] = [50, 100, 200, 400, 800];

/// Mails a code to an address. The caller has counted it. The answer says if the mail has left; it
/// is the same for every address.
pub async fn mail_code(
    context: &RequestContext<'_>,
    email: &Email,
    subject: MailboxSubject,
    (language, zone): (Language, Zone),
) -> Result<Response, AdminProblem> {
    let id = TokenId::random(&mut rng());
    let NewCode { mac, sealed } =
        codes::draw(&context.config, subject.purpose.code(), subject.account, id)?;
    let address = context.address();
    let email_of = email.clone();
    let new = NewMailboxCode { email: email_of, subject, id, mac, sealed, language, zone, address };
    let mail = NameRequest::MailMailboxCode(new);
    // A call without a reply may have queued the mail. Both calls have the same effect as one.
    let mut reply = match calls::name(context.env, email, &mail).await {
        Err(_) => calls::name(context.env, email, &mail).await?,
        Ok(reply) => reply,
    };
    for pause_ms in LOOKS_MS {
        match reply {
            NameReply::MailboxCode(state) if state.mail == MailState::Queued => {}
            _ => break,
        }
        worker::Delay::from(Duration::from_millis(pause_ms)).await;
        let look = NameRequest::ShowMailboxCode { subject };
        match calls::name(context.env, email, &look).await {
            Ok(seen @ NameReply::MailboxCode(_)) => reply = seen,
            _ => break,
        }
    }
    delay(context, ANSWER_MS_MIN).await;
    match reply {
        NameReply::MailboxCode(state) => Ok(Response::json(200, &view::mailbox_code(state, now()))),
        NameReply::TooManyCodes { until } => Err(view::too_many(until, now())),
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Checks a typed code. Returns `true` if the address belongs to a person.
pub async fn prove(
    context: &RequestContext<'_>,
    email: &Email,
    subject: MailboxSubject,
    code: &Code,
) -> Result<bool, AdminProblem> {
    let code = SecretText::new(code.expose().to_owned());
    match calls::name(context.env, email, &NameRequest::ProveMailbox { subject, code }).await? {
        NameReply::MailboxProven { claimed } => Ok(claimed),
        NameReply::CodeWrong { tries_left } => {
            note_wrong(context, subject);
            Err(AdminProblem::CodeWrong { tries_left })
        }
        NameReply::CodeOver => {
            note_wrong(context, subject);
            Err(AdminProblem::CodeOver)
        }
        _ => Err(RequestProblem::Unavailable.into()),
    }
}

/// Logs a refused code. A set-up link has no account yet.
fn note_wrong(context: &RequestContext<'_>, subject: MailboxSubject) {
    let owner = match subject.purpose {
        MailboxPurpose::SetUp => (None, None),
        MailboxPurpose::Change => (Some(subject.account), Some(subject.member)),
    };
    let wrong = AttemptRefused::Wrong;
    crate::attempts::note_refused(context, LoggedAttempt::MailboxCode, wrong, owner);
}
