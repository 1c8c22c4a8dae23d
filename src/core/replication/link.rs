//! Defines the link between the two Workers. Each call of an edge states its release, a
//! fingerprint of its keys and a digest of the variables that must be equal. The admin Worker's
//! side compares all three with its own.
//!
//! Two Workers that do not fit refuse everything with 503. An edge with other keys or another
//! prefix would see every key as made up. With other terms, the console would state a wrong
//! bound. An edge of a distant release might misread a refusal. Either Worker may be one release
//! older, as happens during a deployment.
//!
//! The header also proves that a request comes from the deployment's own edge: only a holder of the
//! subkeys can make it. It is never logged; a log shows only the first digits.

use subtle::ConstantTimeEq;

use crate::credential::keyring::Keyring;

/// Release of the protocol between the Workers. It rises by one when a release can no longer read
/// messages of the release before the last one.
pub const RELEASE: u32 = 1;

/// Header of an edge's calls.
pub const EDGE_HEADER: &str = "claviger-edge";

/// Header of the admin Worker's responses. The edge acts on it and strips it.
pub const ADMIN_HEADER: &str = "claviger-admin";

/// Header in which an edge sends its counters to the admin Worker, as JSON.
pub const COUNTERS_HEADER: &str = "claviger-counters";

/// Path of the admin Worker that only reports whether both Workers fit.
pub const PATH: &str = "/.claviger/link";

/// Number of fingerprint digits that a log may show.
const SHOWN: usize = 8;

/// The reason why two Workers do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The call carries no valid link header, so it does not come from an edge.
    #[error("the call does not come through claviger-edge")]
    Absent,
    /// The edge is more than one release away.
    #[error("claviger-edge speaks release {edge}, claviger release {admin}: deploy both")]
    Release {
        /// Release of the edge.
        edge: u32,
        /// Release of the admin Worker.
        admin: u32,
    },
    /// The edge's keys come from another keyring, or from another state of the same keyring.
    #[error(
        "EDGE_KEYS ({edge}…) are not derived from MASTER_SECRET ({admin}…): derive and deploy them again"
    )]
    Keys {
        /// First digits of the edge's fingerprint.
        edge: String,
        /// First digits of the admin Worker's fingerprint.
        admin: String,
    },
    /// One of the variables that must be equal differs.
    #[error(
        "PREFIX, CONSOLE_ORIGIN, FRESHNESS or OUTAGE differs between claviger-edge and claviger: deploy both"
    )]
    Variables,
}

/// Returns the header value for an edge's calls. `variables` is the digest of its variables.
pub fn header(keyring: &Keyring, variables: &str) -> String {
    format!("{RELEASE} {} {variables}", keyring.fingerprint())
}

/// Checks the header of a call against this Worker's release, keys and digest of variables.
///
/// # Errors
/// [`Misfit::Absent`] if the header is missing or malformed, [`Misfit::Release`] if the releases
/// differ by more than one, [`Misfit::Keys`] if the keys differ, [`Misfit::Variables`] if only the
/// variables do.
pub fn check(header: Option<&str>, keyring: &Keyring, variables: &str) -> Result<(), Misfit> {
    let (release, edge) = header.and_then(|header| header.split_once(' ')).ok_or(Misfit::Absent)?;
    let release: u32 = release.parse().map_err(|_| Misfit::Absent)?;
    if release.abs_diff(RELEASE) > 1 {
        return Err(Misfit::Release { edge: release, admin: RELEASE });
    }
    let (edge, edge_variables) = edge.split_once(' ').ok_or(Misfit::Absent)?;
    let admin = keyring.fingerprint();
    if bool::from(edge.as_bytes().ct_eq(admin.as_bytes())) {
        return if edge_variables == variables { Ok(()) } else { Err(Misfit::Variables) };
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
            let header = format!("{release} {fingerprint} 0a");
            assert_eq!(check(Some(&header), &keyring(), "0a").is_ok(), fits, "{release}");
        }
        assert_eq!(check(Some(&header(&keyring(), "0a")), &keyring(), "0a"), Ok(()));
        let misfit = check(Some(&header(&other(), "0a")), &keyring(), "0a").unwrap_err();
        let text = misfit.to_string();
        let shown = |keyring: Keyring| keyring.fingerprint()[..SHOWN].to_owned();
        assert_eq!(misfit, Misfit::Keys { edge: shown(other()), admin: shown(keyring()) });
        assert!(!text.contains(&fingerprint) && !text.contains(&other().fingerprint()), "{text}");
    }

    #[test]
    fn other_variables_do_not_fit() {
        for other in ["0b", "", "0a ", "0a 0a"] {
            let header = header(&keyring(), other);
            let refused = check(Some(&header), &keyring(), "0a");
            assert_eq!(refused, Err(Misfit::Variables), "{other}");
        }
    }

    #[test]
    fn what_is_no_link_is_none() {
        let fingerprint = keyring().fingerprint();
        let without_variables = format!("{RELEASE} {fingerprint}");
        for header in [
            None,
            Some(""),
            Some("1"),
            Some(&*fingerprint),
            Some("x 00 0a"),
            Some("-1 00 0a"),
            Some(&*without_variables),
        ] {
            assert_eq!(check(header, &keyring(), "0a"), Err(Misfit::Absent), "{header:?}");
        }
        for near in
            [fingerprint.to_uppercase(), format!(" {fingerprint}"), fingerprint[1..].to_owned()]
        {
            let refused = check(Some(&format!("{RELEASE} {near} 0a")), &keyring(), "0a");
            assert!(matches!(refused, Err(Misfit::Keys { .. })), "{near}");
        }
    }
}
