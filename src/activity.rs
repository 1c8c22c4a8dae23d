//! Activity: what was done in an account, by whom and from where, as members see it.

use crate::id::{KeyId, MemberId};

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member.
    Member(MemberId),
    /// A key that issues, or that administrates through the interface.
    Key(KeyId),
    /// The service password.
    Service,
    /// The operator.
    Operator,
}

const SERVICE: &str = "service";
const OPERATOR: &str = "operator";

impl Actor {
    /// As it is stored, and as a filter names it: an ID, or a word that is none, because it has another width.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Member(id) => id.as_str(),
            Self::Key(id) => id.as_str(),
            Self::Service => SERVICE,
            Self::Operator => OPERATOR,
        }
    }

    /// The actor of this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            SERVICE => Some(Self::Service),
            OPERATOR => Some(Self::Operator),
            _ => MemberId::parse(text).map(Self::Member).or_else(|| KeyId::parse(text).map(Self::Key)),
        }
    }
}

const _: () = {
    let widths = [SERVICE.len(), OPERATOR.len(), MemberId::WIDTH, KeyId::WIDTH];
    assert!(
        widths[0] != widths[2] && widths[0] != widths[3] && widths[1] != widths[2] && widths[1] != widths[3]
    );
    assert!(widths[2] != widths[3]);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_read_back_and_nothing_else_is_one() {
        for actor in [
            Actor::Member(MemberId::parse("0123456789A").unwrap()),
            Actor::Key(KeyId::parse("a1B2c3D47Hq0p2Zx9K").unwrap()),
            Actor::Service,
            Actor::Operator,
        ] {
            assert_eq!(Actor::parse(actor.as_str()), Some(actor));
        }
        for bad in ["", "Service", "root", "0123456789", "a1B2c3D47Hq0p2Zx9_"] {
            assert_eq!(Actor::parse(bad), None, "{bad}");
        }
    }
}
