//! The link between the two Workers: each call of an edge says which release and which keys it has,
//! and the admin Worker's side checks that they fit its own.
//!
//! Two halves that do not fit refuse everything (503): an edge with other keys would take every key
//! for made up, and one of a distant release might read a refusal as something else. Either half
//! may be one release older, as it is while a deployment goes on.
//!
//! The header is also the proof that a request comes from the deployment's own edge: only who has
//! the subkeys can make it. It is never logged; a log names the first digits alone.

use subtle::ConstantTimeEq;

use crate::credential::keyring::Keyring;

/// Release of the wire between the Workers. It rises by one when a release can no longer read what
/// the release before the last one says.
pub const RELEASE: u32 = 1;

/// Header of an edge's calls.
pub const EDGE_HEADER: &str = "claviger-edge";

/// Header of the admin Worker's answers. The edge acts on it and never hands it on.
pub const ADMIN_HEADER: &str = "claviger-admin";

/// Header in which an edge hands its counters to the admin Worker, as JSON.
pub const COUNTERS_HEADER: &str = "claviger-counters";

/// Path of the admin Worker that answers nothing but whether both fit.
pub const PATH: &str = "/.claviger/link";

/// Digits of a fingerprint that a log may show.
const SHOWN: usize = 8;

/// Why two Workers do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The call carries no link: it does not come from an edge.
    #[error("the call does not come through claviger-edge")]
    Absent,
    /// The edge is more than one release away.
    #[error("claviger-edge speaks release {edge}, claviger release {admin}: deploy both")]
    Release {
        /// The edge's.
        edge: u32,
        /// The admin Worker's.
        admin: u32,
    },
    /// The edge has the keys of another ring, or of another state of it.
    #[error(
        "EDGE_KEYS ({edge}…) are not derived from MASTER_SECRET ({admin}…): derive and deploy them again"
    )]
    Keys {
        /// First digits of the edge's fingerprint.
        edge: String,
        /// First digits of the admin Worker's.
        admin: String,
    },
}

/// The header with which an edge calls.
pub fn header(keyring: &Keyring) -> String {
    format!("{RELEASE} {}", keyring.fingerprint())
}

/// Checks the header of a call against this Worker's own release and keys.
///
/// # Errors
/// [`Misfit`].
pub fn check(header: Option<&str>, keyring: &Keyring) -> Result<(), Misfit> {
    let (release, edge) = header.and_then(|header| header.split_once(' ')).ok_or(Misfit::Absent)?;
    let release: u32 = release.parse().map_err(|_| Misfit::Absent)?;
    if release.abs_diff(RELEASE) > 1 {
        return Err(Misfit::Release { edge: release, admin: RELEASE });
    }
    let admin = keyring.fingerprint();
    if bool::from(edge.as_bytes().ct_eq(admin.as_bytes())) {
        return Ok(());
    }
    let shown = |text: &str| text.chars().filter(char::is_ascii_hexdigit).take(SHOWN).collect();
    Err(Misfit::Keys { edge: shown(edge), admin: shown(&admin) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{edge_keys, keyring};

    fn other() -> Keyring {
        Keyring::parse(&edge_keys(&[("x", "")])).unwrap()
    }

    #[test]
    fn the_same_keys_fit_at_one_release_apart_and_no_others() {
        let fingerprint = keyring().fingerprint();
        for (release, fits) in
            [(RELEASE - 1, true), (RELEASE, true), (RELEASE + 1, true), (RELEASE + 2, false)]
        {
            let header = format!("{release} {fingerprint}");
            assert_eq!(check(Some(&header), &keyring()).is_ok(), fits, "{release}");
        }
        assert_eq!(check(Some(&header(&keyring())), &keyring()), Ok(()));
        let misfit = check(Some(&header(&other())), &keyring()).unwrap_err();
        let text = misfit.to_string();
        assert!(matches!(misfit, Misfit::Keys { .. }));
        assert!(!text.contains(&fingerprint) && !text.contains(&other().fingerprint()), "{text}");
    }

    #[test]
    fn what_is_no_link_is_none() {
        let fingerprint = keyring().fingerprint();
        for header in [None, Some(""), Some("1"), Some(&*fingerprint), Some("x 00"), Some("-1 00")]
        {
            assert_eq!(check(header, &keyring()), Err(Misfit::Absent), "{header:?}");
        }
        for near in
            [fingerprint.to_uppercase(), format!("{fingerprint} "), fingerprint[1..].to_owned()]
        {
            let refused = check(Some(&format!("{RELEASE} {near}")), &keyring());
            assert!(matches!(refused, Err(Misfit::Keys { .. })), "{near}");
        }
    }
}
