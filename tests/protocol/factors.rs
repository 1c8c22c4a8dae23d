//! Messages about second factors and challenges.

use claviger_control::protocol::command::Command;
use claviger_control::protocol::deletion::NewCode;
use claviger_control::protocol::encryption::Ciphertext;
use claviger_control::protocol::factors::{
    FactorKinds, FactorsCommand, FactorsView, KeysConcerned, PasskeyCommand, TypedFactor,
};
use claviger_control::protocol::identity::{NewChallenge, NewSession};
use claviger_control::protocol::ledger::{
    ChallengeAnswer, LedgerReply, LedgerRequest, PasskeySignIn,
};
use claviger_control::protocol::member::{AddressVersion, SecretVersion};
use claviger_control::protocol::passkey::ceremony::AnsweredChallenge;
use claviger_control::protocol::passkey::{BinaryText, NewPasskey, PresentedPasskey, PublicKey};
use claviger_control::protocol::proof::ProofMethod;
use claviger_control::protocol::recovery::NewRecoveryCodes;
use claviger_control::protocol::refusal::Refusal;
use claviger_core::base::id::TokenId;
use claviger_core::base::secret::SecretText;
use claviger_core::base::time::UnixMs;
use claviger_core::config::terms::Bound;
use claviger_core::replication::record::Revision;

use crate::{digest, email, member, written};

fn id() -> TokenId {
    TokenId::parse("0123456789").unwrap()
}

fn code() -> SecretText {
    SecretText::new("123456".into())
}

fn answered() -> AnsweredChallenge {
    AnsweredChallenge { digest: digest(), until: UnixMs::from_ms(6) }
}

fn new_passkey() -> NewPasskey {
    NewPasskey {
        id: id(),
        name: "Phone".into(),
        credential: BinaryText::new(vec![1, 2, 3]),
        public_key: PublicKey::from_stored(vec![4, 5]),
        counter: 7,
        transports: vec!["internal".into()],
        backup_eligible: true,
        backed_up: false,
        challenge: answered(),
    }
}

fn presented() -> PresentedPasskey {
    PresentedPasskey {
        credential: BinaryText::new(vec![1, 2, 3]),
        signed: digest(),
        signature: BinaryText::new(vec![0x30, 0xfb, 0xff]),
        counter: 8,
        backed_up: true,
        member: Some(member()),
        challenge: answered(),
    }
}

/// A session that the admin Worker has drawn.
pub fn session() -> NewSession {
    let id = TokenId::parse("0123456789").unwrap();
    NewSession {
        id,
        digest: digest(),
        agent: Some("Mozilla/5.0".into()),
        accounts: 2,
        began: None,
        challenge: None,
        proven_by: None,
    }
}

#[test]
fn commands_about_factors() {
    let recovery = || NewRecoveryCodes { generation: "b".into(), macs: vec![digest()] };
    let commands = [
        FactorsCommand::Show,
        FactorsCommand::BeginTotp { sealed: Ciphertext::from_stored("b.AAAA".into()) },
        FactorsCommand::ConfirmTotp { code: code(), recovery: recovery() },
        FactorsCommand::TurnOffTotp,
        FactorsCommand::RenewRecoveryCodes { recovery: recovery() },
        FactorsCommand::Reset { member: member() },
    ];
    let mut commands: Vec<Command> =
        commands.into_iter().map(|factors| Command::Factors { factors }).collect();
    commands.extend(
        [
            PasskeyCommand::Begin,
            PasskeyCommand::Add { passkey: new_passkey(), recovery: recovery() },
            PasskeyCommand::Rename { id: id(), name: "Work phone".into() },
            PasskeyCommand::Remove { id: id() },
        ]
        .map(|passkeys| Command::Passkeys { passkeys }),
    );
    commands.push(Command::NoteAccounts { accounts: 2 });
    let passkey = TypedFactor::Passkey(presented());
    for typed in [TypedFactor::Totp(code()), TypedFactor::RecoveryCode(code()), passkey] {
        commands.push(Command::ProveFactor { typed, session: session() });
    }
    commands.push(Command::MailProofCode {
        code: NewCode { mac: digest(), sealed: Ciphertext::from_stored("b.AAAA".into()) },
    });
    commands.push(Command::ProveCode { mac: digest(), session: session() });
    insta::assert_snapshot!("factor_commands", written(commands));
}

#[test]
fn challenges() {
    let challenge = Some(NewChallenge { id: id(), digest: digest() });
    let proven_by = Some(ProofMethod::Totp);
    let text = written(vec![
        LedgerRequest::SignIn {
            member: member(),
            email: email(),
            secret_version: SecretVersion(2),
            session: NewSession { challenge, proven_by, ..session() },
            address: None,
            confirmed: true,
            switches: false,
            address_version: AddressVersion::default(),
        },
        LedgerRequest::AnswerChallenge(ChallengeAnswer {
            challenge: id(),
            digest: digest(),
            typed: TypedFactor::Totp(code()),
            session: session(),
            address: Some("203.0.113.7".into()),
        }),
        LedgerRequest::SignInByPasskey(PasskeySignIn {
            member: member(),
            passkey: PresentedPasskey { member: None, ..presented() },
            session: session(),
            address: Some("203.0.113.7".into()),
        }),
    ]);
    insta::assert_snapshot!("challenge_requests", text);
    let text = written(vec![
        LedgerReply::Challenged {
            until: UnixMs::from_ms(5),
            factors: FactorKinds { totp: true, passkey: false },
            passkeys: Vec::new(),
        },
        LedgerReply::Challenged {
            until: UnixMs::from_ms(5),
            factors: FactorKinds { totp: false, passkey: true },
            passkeys: vec![new_passkey().view(UnixMs::from_ms(1))],
        },
        LedgerReply::Factors(FactorsView {
            totp_since: Some(UnixMs::from_ms(1)),
            pending_until: None,
            recovery_codes_left: 9,
            passkeys: vec![new_passkey().view(UnixMs::from_ms(1))],
            draws_codes: true,
            keys: Some(KeysConcerned {
                revision: Revision(9),
                bound: Some(Bound { at: UnixMs::from_ms(7), within_s: 10, is_eventual: false }),
            }),
        }),
        LedgerReply::Refused(Refusal::ProofRequired { methods: vec![ProofMethod::Totp] }),
        LedgerReply::Refused(Refusal::FactorRefused { tries_left: 4 }),
        LedgerReply::Refused(Refusal::TooManyFactorTries { until: UnixMs::from_ms(5) }),
        LedgerReply::Refused(Refusal::ChallengeOver),
        LedgerReply::Refused(Refusal::FactorIsOn),
        LedgerReply::Refused(Refusal::NoFactor),
        LedgerReply::Refused(Refusal::TooManyPasskeys { max: 10 }),
        LedgerReply::Refused(Refusal::PasskeyIsKnown),
        LedgerReply::Refused(Refusal::PasskeyChallengeOver),
        LedgerReply::Refused(Refusal::PasskeyCloned),
    ]);
    insta::assert_snapshot!("challenge_replies", text);
}
