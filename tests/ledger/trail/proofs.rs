//! The rows of what proves a member's identity: mailed codes and second factors. And those of API
//! users.

use claviger_control::protocol::api_users::{ApiUserListing, ApiUsersCommand};
use claviger_control::protocol::command::Command;
use claviger_control::protocol::factors::{FactorsCommand, PasskeyCommand};
use claviger_control::protocol::ledger::LedgerReply;
use claviger_control::protocol::member::SecretVersion;

use super::Witness;
use crate::api_users::{create_command, form};
use crate::factors;
use crate::passkeys::{self, Authenticator};
use crate::policy::set as set_policy;
use crate::world::{Browser, World, mac, new_code};

/// Sends what concerns mailed codes as proofs of identity. They replace a session of their own.
pub(super) fn mailed_codes(witness: &mut Witness, world: &World, owner: Browser) {
    set_policy(world, r#"{"proofs":{"change_keys":"email_code"}}"#);
    let browser = world.sign_in(owner.member);
    let code = new_code("right");
    witness.ask(world, browser, Command::MailProofCode { code }, &[]);
    let (session, _) = world.draw_session();
    let prove = Command::ProveCode { mac: mac("right"), session };
    witness.ask(world, browser, prove, &["step_up"]);
    set_policy(world, r#"{"preset":"portal"}"#);
}

/// Sends what concerns API users.
pub(super) fn api_users(witness: &mut Witness, world: &World, owner: Browser) {
    let (id, create) = create_command(world, "{}");
    let check = ApiUsersCommand::CheckCreation { form: form("{}"), idempotency_key: "i".into() };
    let revision = || world.record(id).unwrap().revision;
    let changes = || serde_json::from_str(r#"{"group":"normal"}"#).unwrap();
    let mut send = |users, actions: &[&str]| {
        witness.ask(world, owner, Command::ApiUsers { users }, actions);
    };
    send(check, &[]);
    send(create, &["create_api_user"]);
    send(ApiUsersCommand::List(ApiUserListing::default()), &[]);
    send(ApiUsersCommand::Get { id }, &[]);
    let expected = revision();
    send(ApiUsersCommand::CheckEdit { id, expected, form: changes() }, &[]);
    let (secret, is_new_secret) = (None, false);
    let edit = ApiUsersCommand::Edit { id, expected, form: changes(), secret, is_new_secret };
    send(edit, &["edit_api_user"]);
    for (locked, action) in [(true, "lock_api_user"), (false, "unlock_api_user")] {
        let set = ApiUsersCommand::SetLocked { id, expected: revision(), locked };
        send(set.clone(), &[action]);
        send(set, &[]);
    }
    let expected = revision();
    send(ApiUsersCommand::CheckDeletion { id, expected }, &[]);
    let (secret_version, confirmed) = (SecretVersion(1), true);
    let delete = ApiUsersCommand::Delete { id, expected, secret_version, confirmed };
    send(delete, &["delete_api_user"]);
    let restore = ApiUsersCommand::Restore { id, expected: revision() };
    send(restore, &["restore_api_user"]);
}

/// Sends what concerns second factors.
pub(super) fn second_factors(witness: &mut Witness, world: &World, owner: Browser) {
    let codes = |world: &World, member| factors::draw(world, member).1;
    let command = |factors| Command::Factors { factors };
    witness.ask(world, owner, command(FactorsCommand::Show), &[]);
    witness.ask(world, owner, factors::begin(world, owner.member), &[]);
    let (_, confirm) = factors::confirm(world, owner.member);
    witness.ask(world, owner, confirm, &["turn_on_factor"]);
    world.wait(30_000);
    let (sign_in, challenge) = factors::sign_in_request(world, owner, 1, false);
    let member = owner.member.as_str();
    witness.send(world, sign_in, member, &["demand_factor"]);
    let (answer, proof) = factors::answer(world, challenge, factors::totp(world));
    witness.send(world, answer, member, &["sign_in"]);
    world.wait(30_000);
    let (session, _) = world.draw_session();
    let prove = Command::ProveFactor { typed: factors::totp(world), session };
    let second = Browser { proof, ..owner };
    witness.ask(world, second, prove, &["step_up"]);
    let recovery = codes(world, owner.member);
    let renew = command(FactorsCommand::RenewRecoveryCodes { recovery });
    witness.ask(world, owner, renew, &["renew_recovery_codes"]);
    let admin = world.join("admin", b'f');
    factors::enrol(world, admin);
    let reset = command(FactorsCommand::Reset { member: admin.member });
    witness.ask(world, owner, reset, &["reset_factors"]);
    witness.ask(world, owner, command(FactorsCommand::TurnOffTotp), &["turn_off_factor"]);
    passkeys(witness, world, owner);
}

/// Sends what concerns passkeys.
pub(super) fn passkeys(witness: &mut Witness, world: &World, owner: Browser) {
    let [phone, stick] = [1, 2].map(Authenticator::new);
    witness.ask(world, owner, passkeys::passkeys(PasskeyCommand::Begin), &[]);
    let add = |of: &Authenticator| passkeys::add_command(world, owner, of, "Phone");
    witness.ask(world, owner, add(&phone), &["add_passkey", "turn_on_factor"]);
    witness.ask(world, owner, add(&stick), &["add_passkey"]);
    let LedgerReply::Factors(view) =
        world.ask(owner, Command::Factors { factors: FactorsCommand::Show })
    else {
        panic!("no factors")
    };
    let [first, second] = [0, 1].map(|place| view.passkeys[place].id);
    let rename = |name: &str| PasskeyCommand::Rename { id: first, name: name.into() };
    witness.ask(world, owner, passkeys::passkeys(rename("Desk")), &["rename_passkey"]);
    witness.ask(world, owner, passkeys::passkeys(rename("Desk")), &[]);
    let member = owner.member.as_str();
    stick.counter.set(5);
    let (sign_in, proof) = passkeys::sign_in(world, owner.member, stick.present(world));
    witness.send(world, sign_in, member, &["sign_in"]);
    let second_browser = Browser { proof, ..owner };
    witness.ask(world, second_browser, Command::NoteAccounts { accounts: 2 }, &[]);
    witness.ask(world, owner, factors::begin(world, owner.member), &[]);
    let (_, confirm) = factors::confirm(world, owner.member);
    witness.ask(world, owner, confirm, &["add_app"]);
    let off = Command::Factors { factors: FactorsCommand::TurnOffTotp };
    witness.ask(world, owner, off, &["remove_app"]);
    let remove = |id| passkeys::passkeys(PasskeyCommand::Remove { id });
    witness.ask(world, owner, remove(second), &["remove_passkey"]);
    witness.ask(world, owner, remove(first), &["turn_off_factor", "remove_passkey"]);
}
