// Past notices, as the API shows them.
const key = (n, name) => ({
  id: `a1B2c3D4${String(n).padStart(10, "0")}`,
  access_key: `clv_a1B2c3D4${String(n).padStart(10, "0")}`,
  name,
});

/** Returns the notice of this number: a sign-in, unless `members` say otherwise. */
export const notice = (id, members) => ({
  id,
  at: new Date(Date.now() - (20 - id) * 3_700_000).toISOString(),
  unread: false,
  kind: "new_network",
  by: null,
  address: "192.0.2.77",
  items: [],
  more: 0,
  details: null,
  ...members,
});

/** Returns a notice of each kind, newest first; the first two are new. */
export function noticesOfEachKind({ name = "Build server" } = {}) {
  const at = "2026-11-21T12:00:00Z";
  const by = "Ken Sato";
  const address = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
  const kinds = [
    {
      kind: "key_end",
      address: null,
      items: [
        { key: key(1, name), ends_at: "2026-12-21T15:00:00Z" },
        { key: key(2, "evil.example"), ends_at: "2026-12-22T03:04:05Z" },
      ],
      more: 21,
    },
    { kind: "key_network", address: null, items: [{ key: key(1, name), network: "2001:db8:85a3::/48", at }] },
    { kind: "key_issued", address: null, items: [{ key: key(3, name), by, address, at }] },
    { kind: "act", address: null, items: [{ act: "service_password_revealed", by, address, at }] },
    { kind: "keys_deleted", by, items: [{ key: key(4, name) }], details: { restorable_until: "2026-12-21T12:00:00Z" } },
    { kind: "key_generated", items: [{ key: key(5, name) }], details: { expires_at: "2027-11-21T12:00:00Z" } },
    {},
    { kind: "password_changed", details: { reset: true } },
    { kind: "address_changed" },
    { kind: "role_changed", by, details: { from: "viewer", to: "admin" } },
    { kind: "member_joined", details: { name: "Noor Haddad", email: "noor@example.jp", role: "viewer" } },
    { kind: "factors_changed", details: { change: "passkey_added", passkey: name, recovery_codes_left: 9 } },
    { kind: "factors_changed", by, details: { change: "reset", passkey: null, recovery_codes_left: 0 } },
    { kind: "of_a_later_release" },
  ];
  return kinds.map((members, place) => notice(kinds.length - place, { ...members, unread: place < 2 }));
}
