// Steps of several people, and an API of members, invitations and browsers in the server's place: it
// keeps what the pages change, so that tests see states that take the real server long to reach.
import { expect } from "@playwright/test";
import { NOW } from "./answers.mjs";
import { button, open, until } from "./console.mjs";

export const LONG = "全角".repeat(32);

/** Names of many scripts: one is written from right to left, one has no letters. */
export const NAMES = [
  "Ken Sato",
  "نور حداد",
  "Ольга Петрова",
  "ふじわら さくら",
  "Ñandú Ávila",
  "김민지",
  "🦊",
  "ศิริพร",
  LONG,
  "Abcdefghijklmnop".repeat(4),
];

/** Returns the `n`th member of an account, as the API shows it. */
export const member = (n, members) => ({
  id: `m${n}`,
  name: NAMES[n] ?? `Member ${n}`,
  email: `member-${n}@example.jp`,
  role: ["viewer", "admin"][n % 2],
  language: "en",
  joined_at: NOW,
  seen_at: n % 5 ? new Date(Date.now() - n * 3_700_000).toISOString() : null,
  sessions: n % 3,
  you: false,
  ...members,
});

/** Returns the `n`th open invitation of an account. */
export const invitation = (n, members) => ({
  id: `i${n}`,
  email: `guest-${n}@example.org`,
  role: "viewer",
  invited_by: "Mei Tanaka",
  created_at: new Date(Date.now() - 3_600_000).toISOString(),
  expires_at: new Date(Date.now() + 6 * 86_400_000).toISOString(),
  mail: "sent",
  ...members,
});

const AGENTS = {
  firefox: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
  safari:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
  edge: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
};

/** Returns a browser that is signed in. */
export const browser = (id, agent, members) => ({
  id,
  current: false,
  agent: AGENTS[agent] ?? agent,
  address: "203.0.113.7",
  last_address: "203.0.113.7",
  created_at: new Date(Date.now() - 86_400_000).toISOString(),
  seen_at: new Date(Date.now() - 240_000).toISOString(),
  ...members,
});

/** Browsers of one member: this one, others, and a program. */
export const BROWSERS = [
  browser("b2", "safari", { last_address: "2001:db8:85a3:8d3:1319:8a2e:370:7348" }),
  browser("b1", "firefox", { current: true, seen_at: new Date().toISOString() }),
  browser("b3", "edge"),
  browser("b4", "inventory-collector/7.1 (+https://example.org/an-address-that-is-long-and-has-no-blank-in-it)"),
];

const SESSION = {
  member: { id: "me", name: "Mei Tanaka", email: "mei@example.jp", role: "owner", language: "en" },
  account: {
    id: "a1B2c3D4",
    name: "Example KK",
    time_zone: "Asia/Tokyo",
    freshness_s: 10,
    freshness: "bounded",
    suspended: false,
  },
  accounts: 1,
  operator: false,
  mail: "ok",
  publication_lag_s: null,
  address: "203.0.113.7",
  permissions: ["demo:read", "demo:write"],
  grantable_reserved: ["claviger:verify"],
  api: { base_url: "http://api.localhost:8787", example_path: "/", example_permission: "demo:read" },
};

/**
 * Answers every request of a page in the server's place. Returns the state, which tests may change,
 * and the requests that came.
 */
export async function standIn(page, { session = {}, account = {}, ...given } = {}) {
  const state = {
    session: {
      ...SESSION,
      ...session,
      member: { ...SESSION.member, ...session.member },
      account: { ...SESSION.account, ...account },
    },
    signedIn: true,
    members: [],
    invitations: [],
    browsers: BROWSERS,
    notices: { key_issued: true, key_network: true, key_end: true },
    /** Past notices, newest first, in pages. */
    listed: [[]],
    accounts: [
      { id: "a1B2c3D4", name: "Example KK", role: "owner", current: true },
      { id: "b1B2c3D4", name: LONG, role: "viewer", current: false },
    ],
    /** What the link of an invitation shows; a problem if its link is over. */
    invited: null,
    /** Second factors of the member. */
    factors: { totp: null, recovery_codes_left: 0 },
    requests: [],
    ...given,
  };
  await page.route("**/v1/**", async (route) => {
    const request = route.request();
    const { pathname, searchParams } = new URL(request.url());
    const [method, path] = [request.method(), pathname.replace("/v1", "")];
    const body = request.postDataJSON() ?? undefined;
    state.requests.push({ method, path, body });
    const answer = answerTo(state, method, path, body, searchParams) ?? { status: 404, code: "not_found" };
    const { status, code, ...members } = answer;
    if (status >= 400)
      return route.fulfill({
        status,
        contentType: "application/problem+json",
        body: JSON.stringify({ type: "about:blank", title: code, status, code, ...members }),
      });
    const data = members.data ?? {};
    return status === 204 || status === 202
      ? route.fulfill({ status })
      : route.fulfill({ status, contentType: "application/json", body: JSON.stringify(data) });
  });
  return state;
}

const done = { status: 204 };
const ok = (data, status = 200) => ({ status, data });
const refused = (status, code, members = {}) => ({ status, code, ...members });

function answerTo(state, method, path, body, query) {
  const me = state.session.member;
  const view = () => ({ ...state.session, now: new Date().toISOString() });
  const [, kind, id, act] = path.split("/");
  const signIn = () => {
    state.signedIn = true;
    return ok(view(), 201);
  };
  const routes = {
    "GET session": () => (state.signedIn ? ok(view()) : refused(401, "not_signed_in")),
    "POST session": () => {
      if (id === "switch") return switchTo(state, body);
      // The list at the field for the address stays empty.
      if (id === "passkey") return undefined;
      if (id === "factor" || body.code || body.recovery_code) return factorOf(body) ?? signIn();
      return state.factors.totp && !id ? ok(CHALLENGE) : signIn();
    },
    "DELETE session": () => {
      state.signedIn = false;
      return done;
    },
    "GET keys": () => ok({ keys: [], next: null, total: 0, total_is_exact: true, hidden: 0, hidden_is_exact: true }),
    "GET account": () =>
      ok({ service_id: "a1B2c3D4e5F6g7H8i9J", has_password: false, changed_at: null, ceiling: null, revision: 1 }),
    "GET members": () =>
      ok({
        members: [member(0, { ...me, you: true, sessions: 2, seen_at: new Date().toISOString() }), ...state.members],
        ...(me.role === "owner" && { invitations: state.invitations }),
      }),
    "POST members": () => (id === "invitations" ? invite(state, act, path, body) : done),
    "PATCH members": () => {
      const found = id === me.id ? me : state.members.find((one) => one.id === id);
      if (!found) return refused(404, "not_found");
      if (found.role !== body.expected_role) return refused(412, "changed_meanwhile");
      found.role = body.role;
      return ok({ member: found });
    },
    "DELETE members": () => {
      if (id === "invitations") state.invitations = state.invitations.filter((one) => one.id !== act);
      else state.members = state.members.filter((one) => one.id !== id);
      if (id === me.id) state.signedIn = false;
      return done;
    },
    "PATCH member": () => {
      if (id !== "notices") return ok(change(state, "member", body));
      state.notices = { ...state.notices, ...body };
      return ok({ notices: state.notices });
    },
    "GET notices": () => listedNotices(state, query),
    "POST notices": () => {
      state.session = { ...state.session, unread_notices: 0 };
      return ok({ unread: 0, now: NOW });
    },
    "PATCH account": () => ok(change(state, "account", body)),
    "GET member": () => ok(id === "notices" ? { notices: state.notices } : state.factors),
    "DELETE member": () => {
      state.factors = { totp: null, recovery_codes_left: 0 };
      return ok(state.factors);
    },
    "POST member": () => (id === "factors" ? changeFactors(state, path, body) : changePassword(body, view())),
    "GET sessions": () => ok({ sessions: state.browsers }),
    "DELETE sessions": () => {
      state.browsers = state.browsers.filter((one) => one.id !== id);
      return done;
    },
    "POST sessions": () => {
      state.browsers = state.browsers.filter(({ current }) => current);
      return done;
    },
    "GET accounts": () => ok({ accounts: state.accounts }),
    "POST invitations": () => {
      if (state.invited?.code) return refused(state.invited.status, state.invited.code);
      return id === "check" ? ok(state.invited) : signIn();
    },
    "POST password": () => {
      if (act !== "confirm") return { status: 202 };
      return body.code === "12345678" ? done : refused(401, "reset_refused");
    },
  };
  return routes[`${method} ${kind}`]?.();
}

/** Returns a page of notices; the cursor is the number of the page. */
function listedNotices({ listed, session }, query) {
  const page = Number(query.get("cursor") ?? 0);
  const next = page + 1 < listed.length ? page + 1 : null;
  return ok({ notices: listed[page], next, unread: session.unread_notices ?? 0, now: NOW });
}

const changePassword = ({ password }, view) =>
  password === "correct horse battery" ? ok(view) : refused(401, "step_up_refused");

/** What a sign-in answers for a member with a second factor. */
const CHALLENGE = { challenge: "C0", methods: ["totp", "recovery_code"], expires_at: "2099-12-06T09:05:00Z", now: NOW };

/** The code of the app, and a recovery code, that are right. */
export const CODE = "123456";
export const RECOVERY_CODES = [..."abcdefghij"].map((sign) => `${sign}234-abcd-efgh-ijkl`);

/** Refuses a code that is not right. */
const factorOf = ({ code, recovery_code }) =>
  code === CODE || RECOVERY_CODES.includes(recovery_code) ? null : refused(401, "factor_refused", { tries_left: 4 });

function changeFactors(state, path, body) {
  if (path.endsWith("/totp")) {
    const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const uri = `otpauth://totp/keys%2Eexample%2Ecom:mei%40example%2Ejp?secret=${secret}&issuer=keys%2Eexample%2Ecom&algorithm=SHA1&digits=6&period=30`;
    return ok({ secret, uri, expires_at: new Date(Date.now() + 600_000).toISOString(), now: NOW }, 201);
  }
  if (path.endsWith("/confirm") && factorOf(body)) return factorOf(body);
  state.factors = { totp: { since: state.factors.totp?.since ?? NOW }, recovery_codes_left: 10 };
  return ok({ ...state.factors, recovery_codes: RECOVERY_CODES });
}

function change(state, part, body) {
  state.session = { ...state.session, [part]: { ...state.session[part], ...body } };
  return { ...state.session, now: new Date().toISOString() };
}

function switchTo(state, { account }) {
  const to = state.accounts.find(({ id }) => id === account);
  if (!to) return refused(404, "not_found");
  state.accounts = state.accounts.map((one) => ({ ...one, current: one === to }));
  change(state, "account", { id: to.id, name: to.name });
  return ok(change(state, "member", { id: `me in ${to.id}`, role: to.role }), 201);
}

function invite(state, act, path, body) {
  const id = path.endsWith("/repeat") ? act : null;
  const before = state.invitations.find((one) => one.id === id);
  if (id && !before) return refused(404, "not_found");
  const made = before
    ? { ...before, mail: "queued" }
    : invitation(state.invitations.length + 100, { email: body.email, role: body.role, mail: "queued" });
  state.invitations = [made, ...state.invitations.filter((one) => one !== before)];
  return ok({ invitation: made }, before ? 200 : 201);
}

const received = ({ mail }, address) => mail.messages.filter(({ to }) => [to].flat().join().includes(address));

/** Returns the number of mails to an address so far. */
export const mailsTo = (deployment, address) => received(deployment, address).length;

/** Returns the text of the `count`th mail to an address, once it is there. */
export async function mailTo(deployment, address, count = 1) {
  await until(() => mailsTo(deployment, address) >= count);
  return received(deployment, address)[count - 1].text;
}

export async function signIn(page, { email, password }) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}

/** Returns a page of a browser in which this person has just signed in. */
export async function signedIn(newPage, person, address = "") {
  const page = await newPage({ storageState: undefined });
  await open(page, address);
  await signIn(page, person);
  await expect(page.getByRole("navigation", { name: "Console" })).toBeVisible();
  return page;
}
