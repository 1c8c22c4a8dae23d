//! Defines the record: the data that the edge needs about one credential. The ledger writes it;
//! Workers KV carries it.
//!
//! KV stores a record as JSON under [`kv_key`], for example
//!
//! ```json
//! {"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"active","digest":"…",
//!  "limits":{"not_before":null,"expires":1803186000000,"networks":["10.0.0.0/8"],"interfaces":["http"],
//!            "permissions":["demo:read"]}}
//! ```
//!
//! Tests pin the shape. A reader treats a record of another version or of another key as absent,
//! and asks the ledger.
//!
//! Only keys that follow an issuer ([`Credential::issued`]) have version 2. A reader that knows
//! only version 1 would accept them without checking the issuer. Instead it finds no record in KV
//! and cannot read the ledger's answer either, so it refuses them (503). In the same way, only keys
//! that depend on MFA ([`Credential::member`]) have version 3, and only API users
//! ([`Credential::user`]) have version 4.

use serde::{Serialize, Serializer};

use crate::base::id::{KeyId, MemberId};
use crate::base::json::{FromJson, Json, from_json};
use crate::base::secret::Digest;
use crate::credential::api_user::ApiUser;
use crate::credential::issuer::{Issued, Issuing, SealingGeneration};
use crate::credential::limits::Limits;

/// The number of a change within an account. Each change takes the next number; 0 is the state
/// before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

from_json!(Revision(_));

impl Revision {
    /// Returns the number of the next change.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One history of a ledger, named by 64 random bits in hex. Revisions of different epochs are not
/// comparable.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Epoch(String);

from_json!(Epoch(_));

impl Epoch {
    /// Creates an epoch from random bits.
    pub fn new(bits: u64) -> Self {
        Self(format!("{bits:016x}"))
    }

    /// Restores an epoch from its stored text.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the stored text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The data of a credential that is not deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Credential {
    /// Digest of its secret; for an API user, a digest that no secret has.
    pub digest: Digest,
    /// Limits of the credential.
    pub limits: Limits,
    /// Ceiling and sealing generation as an issuer; `None` if it may not issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuing: Option<Issuing>,
    /// Issuer of the credential, if a program issued it; the credential then follows its issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Issued>,
    /// Sealing generation of the tokens of a key that may not issue. For an issuer it is in
    /// `issuing`. The first generation is not written, and an edge of an earlier release ignores
    /// the member.
    #[serde(default, skip_serializing_if = "is_first")]
    pub sealing: SealingGeneration,
    /// Member whose MFA the credential depends on; only where the account demands MFA, and not for
    /// a credential that follows an issuer. A change of that demand begins a new epoch, so no
    /// record from before it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// Settings of an API user; `None` for a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<ApiUser>,
}

from_json!(Credential {
    digest: required,
    limits: required,
    issuing: optional,
    issued: optional,
    sealing: or_default,
    member: optional,
    user: optional,
});

fn is_first(generation: &SealingGeneration) -> bool {
    *generation == SealingGeneration::default()
}

impl Credential {
    /// Returns the present sealing generation: of the credential's own tokens if `is_token`,
    /// otherwise of the keys that it issues. Returns `None` if it may not issue such keys.
    pub fn generation(&self, is_token: bool) -> Option<SealingGeneration> {
        match &self.issuing {
            Some(issuing) => Some(issuing.generation),
            None => is_token.then_some(self.sealing),
        }
    }
}

/// The state of a credential, with the data that this state needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The credential is usable within its limits.
    Active(Credential),
    /// The credential is switched off. The edge still distinguishes a right secret from a wrong
    /// one.
    Disabled(Credential),
    /// A tombstone: it lets a reader recognise a late copy of an older record as stale.
    Deleted,
}

impl Standing {
    /// Returns the version of the stored shape: the lowest whose readers understand all of it.
    fn version(&self) -> u8 {
        match self {
            Self::Active(credential) | Self::Disabled(credential) => {
                match (&credential.user, credential.member, &credential.issued) {
                    (Some(_), _, _) => 4,
                    (None, Some(_), _) => 3,
                    (None, None, Some(_)) => 2,
                    (None, None, None) => 1,
                }
            }
            Self::Deleted => 1,
        }
    }
}

/// One credential as the edge knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Epoch in which [`Record::revision`] counts.
    pub epoch: Epoch,
    /// Revision of the credential's last change.
    pub revision: Revision,
    /// ID of the credential.
    pub id: KeyId,
    /// State of the credential.
    pub standing: Standing,
}

/// The stored JSON shape of a record, for serialising.
#[derive(Serialize)]
struct Shape<'a> {
    v: u8,
    epoch: &'a Epoch,
    revision: Revision,
    id: KeyId,
    state: &'static str,
    #[serde(flatten)]
    credential: Option<&'a Credential>,
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { epoch, revision, id, standing } = self;
        let (state, credential) = match standing {
            Standing::Active(credential) => ("active", Some(credential)),
            Standing::Disabled(credential) => ("disabled", Some(credential)),
            Standing::Deleted => ("deleted", None),
        };
        Shape { v: standing.version(), epoch, revision: *revision, id: *id, state, credential }
            .serialize(serializer)
    }
}

impl FromJson for Record {
    fn from_json(json: Json) -> Option<Self> {
        let mut members = json.into_members()?;
        let version: u64 = members.required("v")?;
        let (epoch, revision) = (members.required("epoch")?, members.required("revision")?);
        let (id, state) = (members.required("id")?, members.take("state")?.into_text()?);
        let standing = match state.as_str() {
            "active" => Standing::Active(Credential::from_json(Json::from(members))?),
            "disabled" => Standing::Disabled(Credential::from_json(Json::from(members))?),
            "deleted" => Standing::Deleted,
            _ => return None,
        };
        let is_known = version == u64::from(standing.version());
        is_known.then_some(Self { epoch, revision, id, standing })
    }
}

from_json!(Record);

impl Record {
    /// Creates a record.
    pub fn new(epoch: Epoch, revision: Revision, id: KeyId, standing: Standing) -> Self {
        Self { epoch, revision, id, standing }
    }

    /// Parses the value of `id`'s KV key. Returns `None` if it is malformed, of an unknown version,
    /// or of another credential; it then counts as absent.
    pub fn from_kv(text: &str, id: KeyId) -> Option<Self> {
        Self::parse_json(text).filter(|record| record.id == id)
    }
}

/// Returns the KV key of `id`'s record.
pub fn kv_key(id: KeyId) -> String {
    format!("key/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::UnixMs;
    use crate::credential::issuer::{Ceiling, Issuer};
    use crate::testing::{key_id, limits, record};

    /// A change here needs a plan for the records that KV already holds, and for edges one release
    /// older.
    #[test]
    fn the_stored_shape_is_pinned() {
        let active = record(Standing::Active);
        insta::assert_snapshot!("active_record", serde_json::to_string_pretty(&active).unwrap());
        let text = serde_json::to_string(&active).unwrap();
        assert_eq!(Record::from_kv(&text, key_id()), Some(active));
        assert_eq!(
            serde_json::to_string(&record(|_| Standing::Deleted)).unwrap(),
            r#"{"v":1,"epoch":"5f2c9a0b7d1e4386","revision":12,"id":"a1B2c3D47Hq0p2Zx9K","state":"deleted"}"#
        );
        assert_eq!(kv_key(key_id()), "key/a1B2c3D47Hq0p2Zx9K");
    }

    /// An edge that knows only version 1 must not accept a key that follows an issuer as one that
    /// follows none.
    #[test]
    fn a_key_that_follows_an_issuer_is_of_version_2() {
        let issued = |state: fn(Credential) -> Standing| {
            record(|credential| {
                let issued = Issued {
                    by: Issuer::Service,
                    generation: SealingGeneration(3),
                    at: UnixMs::from_ms(7),
                };
                state(Credential { issued: Some(issued), ..credential })
            })
        };
        for record in [issued(Standing::Active), issued(Standing::Disabled)] {
            let text = serde_json::to_string(&record).unwrap();
            assert!(
                text.starts_with(r#"{"v":2,"#)
                    && text.contains(r#""issued":{"by":"service","generation":3,"at":7}"#)
            );
            assert_eq!(Record::from_kv(&text, key_id()), Some(record));
            assert_eq!(Record::from_kv(&text.replacen("\"v\":2", "\"v\":1", 1), key_id()), None);
        }
        assert!(
            serde_json::to_string(&issued(|_| Standing::Deleted))
                .unwrap()
                .starts_with(r#"{"v":1,"#)
        );
        let issuer = record(|credential| {
            let ceiling = Ceiling {
                permissions: limits().permissions,
                networks: limits().networks,
                longest: None,
            };
            let issuing = Issuing { generation: SealingGeneration(3), ceiling };
            Standing::Active(Credential { issuing: Some(issuing), ..credential })
        });
        assert!(serde_json::to_string(&issuer).unwrap().starts_with(r#"{"v":1,"#));
    }

    /// Edges of earlier releases know no generation of a key's own tokens, so the first is absent.
    #[test]
    fn the_generation_of_a_key_s_own_tokens_is_stored_once_it_has_risen() {
        for (generation, member) in [(0, ""), (1, r#","sealing":1"#), (7, r#","sealing":7"#)] {
            let sealing = SealingGeneration(generation);
            let record =
                record(|credential| Standing::Active(Credential { sealing, ..credential }));
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(text.contains(r#","sealing":"#), !member.is_empty(), "{text}");
            assert!(text.contains(member), "{text}");
            assert_eq!(Record::from_kv(&text, key_id()), Some(record));
        }
    }

    /// An edge that does not know MFA must not accept a key that depends on it.
    #[test]
    fn a_key_that_depends_on_mfa_is_of_version_3() {
        let member = MemberId::parse("Member00000").unwrap();
        for state in [Standing::Active, Standing::Disabled] {
            let record =
                record(|credential| state(Credential { member: Some(member), ..credential }));
            let text = serde_json::to_string(&record).unwrap();
            assert!(text.starts_with(r#"{"v":3,"#) && text.contains(r#""member":"Member00000""#));
            assert_eq!(Record::from_kv(&text, key_id()), Some(record));
            for other in ["\"v\":1", "\"v\":2"] {
                let text = text.replacen("\"v\":3", other, 1);
                assert_eq!(Record::from_kv(&text, key_id()), None, "{text}");
            }
            for bad in ["\"Member0000\"", "\"\"", "7"] {
                let text = text.replacen("\"Member00000\"", bad, 1);
                assert_eq!(Record::from_kv(&text, key_id()), None, "{text}");
            }
            let nameless = text.replacen(",\"member\":\"Member00000\"", "", 1);
            assert_ne!(nameless, text);
            assert_eq!(Record::from_kv(&nameless, key_id()), None);
        }
    }

    #[test]
    fn a_revision_rises_by_one_and_an_epoch_is_restored_as_it_was_stored() {
        assert_eq!(Revision(5).next(), Revision(6));
        assert_eq!(Revision(u64::MAX).next(), Revision(u64::MAX));
        let epoch = Epoch::new(0x1f);
        assert_eq!(epoch.as_str(), "000000000000001f");
        assert_eq!(Epoch::from_stored(epoch.as_str().to_owned()), epoch);
    }

    #[test]
    fn what_is_no_record_of_this_key_is_no_evidence() {
        let text = serde_json::to_string(&record(Standing::Active)).unwrap();
        let other = KeyId::parse("a1B2c3D47Hq0p2Zx9L").unwrap();
        assert_eq!(Record::from_kv(&text, other), None);
        for bad in [
            String::new(),
            "null".into(),
            text.replacen("\"v\":1", "\"v\":2", 1),
            text.replacen("active", "lively", 1),
            text.replacen("\"not_before\":null,", "", 1),
            text.replacen("\"networks\":[\"10.0.0.0/8\"],", "", 1),
            text.replacen("\"permissions\":[\"demo:read\"]", "\"permissions\":[\"claviger:*\"]", 1),
            text.replacen("10.0.0.0/8", "10.0.0.0/33", 1),
        ] {
            assert_eq!(Record::from_kv(&bad, key_id()), None, "{bad}");
        }
    }
}
