//! Finds a key among the subprotocols that a WebSocket client offers.
//!
//! A page cannot set headers on a WebSocket, but it names subprotocols, which the browser sends in
//! `Sec-WebSocket-Protocol`. Every character of a key may stand in such a name, which is a token
//! (RFC 6455 §4.1).
//!
//! A browser fails a handshake in which the server selects none of what it offered. The key cannot
//! be selected: then the response would hold it. So a page offers a subprotocol beside its key: one
//! of the origin's, or [`CLAVIGER`], which the edge selects if the origin selects none.

/// Header that holds the offered subprotocols.
pub const HEADER: &str = "sec-websocket-protocol";

/// Subprotocol that stands for the edge. The origin does not see it.
pub const CLAVIGER: &str = "claviger";

/// The subprotocols of a request, apart from the keys among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subprotocols {
    /// Subprotocols for the origin, in their order, as a header value; empty for none.
    pub rest: String,
    /// `true` if the client offers [`CLAVIGER`].
    pub has_ours: bool,
}

/// Splits the header's value into keys, as `is_key` knows them, and [`Subprotocols`].
pub fn split(value: &str, is_key: impl Fn(&str) -> bool) -> (Vec<&str>, Subprotocols) {
    let offered = || value.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rest: Vec<&str> = offered().filter(|name| !is_key(name) && *name != CLAVIGER).collect();
    let has_ours = offered().any(|name| name == CLAVIGER);
    (
        offered().filter(|name| is_key(name)).collect(),
        Subprotocols { rest: rest.join(", "), has_ours },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_the_origin_s_subprotocols() {
        for (value, keys, rest, has_ours) in [
            ("", vec![], "", false),
            ("chat", vec![], "chat", false),
            ("chat, clv_1", vec!["clv_1"], "chat", false),
            ("clv_1,chat , v2.chat", vec!["clv_1"], "chat, v2.chat", false),
            ("claviger, clvs_a-b.c_d1", vec!["clvs_a-b.c_d1"], "", true),
            ("clv_1, clv_1, clv_2", vec!["clv_1", "clv_1", "clv_2"], "", false),
            ("clv, clvx_1, xclv_1, Claviger", vec![], "clv, clvx_1, xclv_1, Claviger", false),
        ] {
            let expected = (keys, Subprotocols { rest: rest.into(), has_ours });
            let is_key = |name: &str| name.starts_with("clv_") || name.starts_with("clvs_");
            assert_eq!(split(value, is_key), expected, "{value}");
        }
    }
}
