//! Counters of tries at secrets that people choose: at signing in, at a step-up, and at set-up
//! links.
//!
//! Address objects count ([`crate::objects::address`]). They are shards: [`SHARDS`] of them count
//! by address, as many by name. A hash chooses the shard. So neither made-up names nor borrowed
//! addresses create objects, and all counters of one try are in one object.
//!
//! A try counts by address first: at its block, at the wider blocks around an IPv6 one, and at the
//! sum of the shard. If that lets it through, it counts at its name, which may be unclaimed.
//!
//! A try in a browser with a mark ([`crate::protocol::browser`]) counts against the mark instead,
//! and a proof of identity against its session. So no stranger can lock a person out there.
//!
//! Tries at the secrets of API users have shards of their own, and limits for machines: a right
//! secret gives its try back.

use claviger_core::base::id::{AccountId, MemberId};
use claviger_core::base::secret::Digest;
use claviger_core::base::time::UnixMs;
use claviger_core::credential::api_user::ApiUserName;
use claviger_core::credential::limits::network::ClientAddress;
use serde::{Deserialize, Serialize};

use crate::protocol::account::Email;
use crate::protocol::browser::KnownBrowser;

/// Number of shards of each kind, of which there are four. It must not change while counters are in
/// use. One object answers some hundred calls a second.
pub const SHARDS: u8 = 16;

/// Name of the block of callers without an address.
const NO_BLOCK: &str = "none";

/// Name of the sum over all blocks of a shard.
const SUM: &str = "*";

/// Bytes of a name's digest that name its counters: 128 bits.
const NAME_BYTES: usize = 16;

/// The limit of a counter. The names are part of the messages and must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TryLimit {
    /// Tries of one block, at all names: a /24, or a /64 for IPv6.
    Block,
    /// Tries of an IPv6 /56, at all names: what a home gets (RFC 6177 §2).
    Site,
    /// Tries of an IPv6 /48, at all names: what a company gets.
    Organisation,
    /// Tries of all blocks of a shard.
    Sum,
    /// Tries of one block at one name.
    BlockAtName,
    /// Tries of all blocks at one name.
    Name,
    /// Tries of one browser with a mark at the name of its person.
    Browser,
    /// Tries of one session to prove the identity of its member.
    Session,
    /// Mailbox codes that one set-up link or one person has mailed, to any address.
    MailboxCodes,
    /// Tries of one block at the secrets of all API users.
    ApiBlock,
    /// Tries of an IPv6 /56 at the secrets of all API users.
    ApiSite,
    /// Tries of an IPv6 /48 at the secrets of all API users.
    ApiOrganisation,
    /// Tries of all blocks of a shard at the secrets of API users.
    ApiSum,
    /// Tries of one block at one API user.
    ApiBlockAtName,
    /// Tries of all blocks at one API user.
    ApiName,
}

/// One counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryCounter {
    /// Limit that applies to it.
    pub limit: TryLimit,
    /// Name of what it counts, such as a block; unique within the object.
    pub of: String,
}

impl TryLimit {
    /// Returns `true` if a recent success at the narrowest counter exempts a try from this limit.
    ///
    /// A block with a recent right secret of an API user is exempt from the sums over all blocks
    /// alone. Otherwise an attacker with one user could guess at all others from many blocks.
    pub fn exempts_trusted(self) -> bool {
        match self {
            Self::Site
            | Self::Organisation
            | Self::Sum
            | Self::Name
            | Self::ApiSum
            | Self::ApiName => true,
            Self::Block
            | Self::BlockAtName
            | Self::Browser
            | Self::Session
            | Self::MailboxCodes
            | Self::ApiBlock
            | Self::ApiSite
            | Self::ApiOrganisation
            | Self::ApiBlockAtName => false,
        }
    }
}

/// The counters of one try in one object, the narrowest first. A recent success at the narrowest
/// one exempts it from others ([`TryLimit::exempts_trusted`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Name of the object's instance.
    pub instance: String,
    /// Counters; there is at least one.
    pub counters: Vec<TryCounter>,
}

impl Tries {
    /// Returns the counters by address. Wider blocks are counted for IPv6 alone: an IPv4 /24 costs
    /// what an IPv6 /32 does, which has 65,536 of the widest.
    pub fn by_address(client: Option<ClientAddress>) -> Self {
        let limits = [TryLimit::Block, TryLimit::Site, TryLimit::Organisation];
        Self::at_blocks("address", client, limits, TryLimit::Sum)
    }

    /// Returns the counters by address of a try at the secret of an API user. They are in objects
    /// apart, so that a flood there locks no member out, nor the other way round.
    pub fn api_by_address(client: Option<ClientAddress>) -> Self {
        let limits = [TryLimit::ApiBlock, TryLimit::ApiSite, TryLimit::ApiOrganisation];
        Self::at_blocks("api-address", client, limits, TryLimit::ApiSum)
    }

    /// Returns the counters at the name of an API user.
    pub fn api_at_name(name: &ApiUserName, client: Option<ClientAddress>) -> Self {
        let limits = [TryLimit::ApiBlockAtName, TryLimit::ApiName];
        Self::at("api-name", name.as_str(), client, limits)
    }

    /// Returns the counters of a try that a mail server of `account` reports. It may name any
    /// client, so its tries count at its account alone: they take nothing from the clients of
    /// others.
    pub fn api_of_mail_server(
        account: AccountId,
        name: &ApiUserName,
        client: Option<ClientAddress>,
    ) -> [Self; 2] {
        let digest = Digest::of(account.as_str().as_bytes());
        let instance = format!("tries/api-address/{}", shard(&digest));
        let of = format!("{account} {SUM}");
        let sum = Self { instance, counters: vec![TryCounter { limit: TryLimit::ApiSum, of }] };
        let limits = [TryLimit::ApiBlockAtName, TryLimit::ApiName];
        [sum, Self::at("api-name", &format!("{account} {name}"), client, limits)]
    }

    fn at_blocks(
        kind: &str,
        client: Option<ClientAddress>,
        limits: [TryLimit; 3],
        sum: TryLimit,
    ) -> Self {
        let blocks = client.map_or_else(|| vec![NO_BLOCK.to_owned()], ClientAddress::blocks);
        // The counters of the widest block are in one shard, and with them those of all within.
        let widest = blocks.last().map_or(NO_BLOCK, String::as_str);
        let instance = format!("tries/{kind}/{}", shard(&Digest::of(widest.as_bytes())));
        let mut counters: Vec<_> =
            limits.into_iter().zip(blocks).map(|(limit, of)| TryCounter { limit, of }).collect();
        counters.push(TryCounter { limit: sum, of: SUM.to_owned() });
        Self { instance, counters }
    }

    /// Returns the counters at a name. The object learns a digest of it only.
    pub fn at_name(name: &Email, client: Option<ClientAddress>) -> Self {
        Self::at("name", name.as_str(), client, [TryLimit::BlockAtName, TryLimit::Name])
    }

    fn at(
        kind: &str,
        name: &str,
        client: Option<ClientAddress>,
        [narrow, wide]: [TryLimit; 2],
    ) -> Self {
        let digest = Digest::of(name.as_bytes());
        let bytes = digest.as_bytes().first_chunk::<NAME_BYTES>();
        let of = bytes.map(|bytes| base16ct::lower::encode_string(bytes)).unwrap_or_default();
        let block = client.map_or_else(|| NO_BLOCK.to_owned(), ClientAddress::block);
        let at = TryCounter { limit: narrow, of: format!("{of} {block}") };
        Self {
            instance: format!("tries/{kind}/{}", shard(&digest)),
            counters: vec![at, TryCounter { limit: wide, of }],
        }
    }

    /// Returns the counter of a browser with a mark of the person with this name.
    pub fn of_browser(name: &Email, browser: &KnownBrowser) -> Self {
        let instance = format!("tries/name/{}", shard(&Digest::of(name.as_str().as_bytes())));
        let of = format!("browser {}", browser.id);
        Self { instance, counters: vec![TryCounter { limit: TryLimit::Browser, of }] }
    }

    /// Returns the counter of a session that began at `began`. A fresh proof of identity and a
    /// switch to another account replace the session, and keep its beginning, so they keep its
    /// counter, too.
    pub fn of_session(name: &Email, began: UnixMs) -> Self {
        let digest = Digest::of(name.as_str().as_bytes());
        let bytes = digest.as_bytes().first_chunk::<NAME_BYTES>();
        let person = bytes.map(|bytes| base16ct::lower::encode_string(bytes)).unwrap_or_default();
        let instance = format!("tries/name/{}", shard(&digest));
        let of = format!("session {person} {}", began.as_ms());
        Self { instance, counters: vec![TryCounter { limit: TryLimit::Session, of }] }
    }

    /// Returns the counter of mailbox codes of a set-up link, by the ID of the owner whom it
    /// creates.
    pub fn codes_of_link(owner: MemberId) -> Self {
        Self::codes(&Digest::of(owner.as_str().as_bytes()), &format!("link {owner}"))
    }

    /// Returns the counter of mailbox codes of a person who changes the address, by the present
    /// one.
    pub fn codes_of_person(name: &Email) -> Self {
        let digest = Digest::of(name.as_str().as_bytes());
        let bytes = digest.as_bytes().first_chunk::<NAME_BYTES>();
        let person = bytes.map(|bytes| base16ct::lower::encode_string(bytes)).unwrap_or_default();
        Self::codes(&digest, &format!("person {person}"))
    }

    fn codes(digest: &Digest, of: &str) -> Self {
        let instance = format!("tries/name/{}", shard(digest));
        let of = format!("codes {of}");
        Self { instance, counters: vec![TryCounter { limit: TryLimit::MailboxCodes, of }] }
    }

    /// Returns the narrowest counter.
    pub fn own(&self) -> Option<&TryCounter> {
        self.counters.first()
    }
}

fn shard(digest: &Digest) -> u8 {
    // `SHARDS` divides 256, so that all shards are equally likely.
    digest.as_bytes().first().and_then(|byte| byte.checked_rem(SHARDS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn by(address: &str) -> Tries {
        Tries::by_address(ClientAddress::parse(address))
    }

    fn named(tries: &Tries) -> Vec<(TryLimit, &str)> {
        tries.counters.iter().map(|counter| (counter.limit, counter.of.as_str())).collect()
    }

    #[test]
    fn an_address_counts_at_each_block_around_it_and_at_the_sum() {
        assert_eq!(
            named(&by("2001:db8:1:2345:6::7")),
            [
                (TryLimit::Block, "2001:db8:1:2345::/64"),
                (TryLimit::Site, "2001:db8:1:2300::/56"),
                (TryLimit::Organisation, "2001:db8:1::/48"),
                (TryLimit::Sum, "*"),
            ]
        );
        assert_eq!(
            named(&by("203.0.113.7")),
            [(TryLimit::Block, "203.0.113.0/24"), (TryLimit::Sum, "*")]
        );
        assert_eq!(named(&by("no address")), [(TryLimit::Block, "none"), (TryLimit::Sum, "*")]);
    }

    #[test]
    fn all_of_a_48_is_in_one_object_and_objects_are_few() {
        let one: BTreeSet<_> =
            (0..300).map(|n| by(&format!("2001:db8:1:{n:x}::1")).instance).collect();
        assert_eq!(one.len(), 1);
        let many = |n| {
            let email = Email::parse(&format!("m{n}@example.jp")).unwrap();
            [
                by(&format!("2001:db8:{n:x}::1")).instance,
                by(&format!("198.51.{}.1", n % 256)).instance,
                Tries::at_name(&email, None).instance,
            ]
        };
        let all: BTreeSet<_> = (0..2_000).flat_map(many).collect();
        assert_eq!(all.len(), 2 * usize::from(SHARDS));
    }

    #[test]
    fn a_name_counts_by_its_digest_alone_whatever_the_block() {
        let mei = Email::parse("mei@example.jp").unwrap();
        let [office, home] = ["203.0.113.7", "2001:db8::1"]
            .map(|address| Tries::at_name(&mei, ClientAddress::parse(address)));
        assert_eq!(office.instance, home.instance);
        assert_eq!(office.counters[1], home.counters[1]);
        assert_ne!(office.counters[0], home.counters[0]);
        let name = &office.counters[1].of;
        assert_eq!(name.len(), 32);
        assert_eq!(office.counters[0].of, format!("{name} 203.0.113.0/24"));
        let none = Tries::at_name(&mei, None);
        assert_eq!(none.counters[0].of, format!("{name} none"));
    }

    #[test]
    fn tries_at_api_users_share_no_object_with_those_of_members() {
        let client = ClientAddress::parse("2001:db8:1:2345:6::7");
        let user = ApiUserName::parse("mei@example.jp").unwrap();
        let (by_address, at_name) =
            (Tries::api_by_address(client), Tries::api_at_name(&user, client));
        assert_eq!(
            named(&by_address),
            [
                (TryLimit::ApiBlock, "2001:db8:1:2345::/64"),
                (TryLimit::ApiSite, "2001:db8:1:2300::/56"),
                (TryLimit::ApiOrganisation, "2001:db8:1::/48"),
                (TryLimit::ApiSum, "*"),
            ]
        );
        let limits: Vec<_> = at_name.counters.iter().map(|counter| counter.limit).collect();
        assert_eq!(limits, [TryLimit::ApiBlockAtName, TryLimit::ApiName]);
        assert!(by_address.instance.starts_with("tries/api-address/"));
        assert!(at_name.instance.starts_with("tries/api-name/"));
        let member = Tries::at_name(&Email::parse("mei@example.jp").unwrap(), client);
        assert_eq!(member.counters[1].of, at_name.counters[1].of, "an object apart has them");
    }

    #[test]
    fn mailbox_codes_count_for_a_link_or_a_person_alone() {
        let link = |text| Tries::codes_of_link(MemberId::parse(text).unwrap());
        let person = |text| Tries::codes_of_person(&Email::parse(text).unwrap());
        let all = [
            link("mmmmmmmmmmm"),
            link("kkkkkkkkkkk"),
            person("mei@example.jp"),
            person("ken@example.jp"),
        ];
        let names: BTreeSet<_> = all.iter().map(|one| one.counters[0].of.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for one in &all {
            assert_eq!(one.counters.len(), 1, "no other counter exempts or refuses it");
            assert_eq!(one.counters[0].limit, TryLimit::MailboxCodes);
            assert!(one.instance.starts_with("tries/name/") && !one.counters[0].of.contains('@'));
        }
    }
}
