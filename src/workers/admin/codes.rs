//! Draws codes that an object mails.

use claviger_control::admin::config::AdminConfig;
use claviger_control::admin::problem::AdminProblem;
use claviger_control::protocol::code::{Code, CodePurpose};
use claviger_control::protocol::deletion::NewCode;
use claviger_control::protocol::encryption;
use claviger_control::protocol::envelope::code_associated_data;
use claviger_core::base::http::problem::RequestProblem;
use claviger_core::base::id::{AccountId, TokenId};
use claviger_core::base::secret::SecretText;
use claviger_workers::rng;

/// Draws a code: its MAC for the object, and its ciphertext for the mail.
///
/// # Errors
/// [`AdminProblem::MailOff`] if the deployment sends no mail.
pub fn draw(
    config: &AdminConfig,
    purpose: CodePurpose,
    account: AccountId,
    subject: TokenId,
) -> Result<NewCode, AdminProblem> {
    config.mail.as_ref().ok_or(AdminProblem::MailOff)?;
    let code = Code::draw(purpose, &mut rng());
    let text = SecretText::new(code.expose().to_owned());
    let place = code_associated_data(account, &subject);
    let sealed = encryption::encrypt(&text, place, &config.master, &mut rng());
    let mac = code.mac(purpose, account, subject, &config.master);
    Ok(NewCode { mac, sealed: sealed.ok_or(RequestProblem::Internal)? })
}
