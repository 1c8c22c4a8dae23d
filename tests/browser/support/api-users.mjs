// An API of API users in the server's place: it keeps what the pages change, so that tests see
// states that take the real server long to reach.
import { NOW } from "./answers.mjs";
import { button } from "./console.mjs";

/** Returns the `n`th API user of an account, as the API shows it. */
export const apiUser = (n, members) => ({
  id: `a1B2c3D4${String(n).padStart(10, "u")}`,
  name: `app-${n}@example.com`,
  status: "active",
  locked: false,
  group: "normal",
  view_personal_data: false,
  download_personal_data: false,
  interfaces: ["http"],
  own_data_only: false,
  zone: "Asia/Tokyo",
  expires_at: null,
  not_before: null,
  networks: [],
  api_key_version: 1,
  created_at: NOW,
  created_by: "Mei Tanaka",
  changed_at: NOW,
  changed_by: "Mei Tanaka",
  last_used_at: null,
  deleted_at: null,
  restorable_until: null,
  revision: n,
  ...members,
});

/** The password that the stand-in takes for the member's. */
export const PASSWORD = "correct horse battery";
export const GENERATED = `Q7${"x".repeat(41)}`;
export const RESTORABLE = "2099-12-21T12:00:00Z";

const BOUND = () => ({ at: new Date(Date.now() + 10_000).toISOString(), within_s: 10 });

const PRESENT = ["active", "locked", "not_yet_valid", "expired"];

/**
 * Answers the requests about API users in the server's place. Returns the state, which tests may
 * change, and the requests that came.
 */
export async function standInUsers(page, users = [], { page_rows = 50 } = {}) {
  const state = { users, requests: [], refuse: null, created: new Map() };
  await page.route(/\/v1\/api-users/, async (route) => {
    const request = route.request();
    const url = new URL(request.url());
    const [method, path] = [request.method(), url.pathname.replace("/v1/api-users", "")];
    const headers = request.headers();
    const body = request.postDataJSON() ?? undefined;
    state.requests.push({ method, path, query: url.search, body, headers });
    const refused = state.refuse?.({ method, path, body });
    const answer = refused ?? respond(state, { method, path, body, headers, query: url.searchParams, page_rows });
    if (answer === "lost") return route.abort();
    const { status = 200, ...members } = answer;
    return route.fulfill({
      status,
      contentType: status >= 400 ? "application/problem+json" : "application/json",
      body: JSON.stringify(
        status >= 400 ? { type: "about:blank", title: members.code, status, ...members } : members.data,
      ),
    });
  });
  return state;
}

/** Returns the refusal of fields: `[pointer, code]` each. */
export const invalid = (...errors) => ({
  status: 422,
  code: "invalid",
  errors: errors.map(([pointer, code]) => ({ pointer, code, detail: code })),
});

function respond(state, { method, path, body, headers, query, page_rows }) {
  const [, id, act] = path.split("/");
  const found = state.users.find((user) => user.id === id);
  if (method === "GET" && !id) return { data: listed(state.users, query, page_rows) };
  if (method === "POST" && !id) return create(state, body, headers["idempotency-key"]);
  if (!found) return { status: 404, code: "not_found" };
  if (method === "GET") return { data: { user: found, now: NOW } };
  if (headers["if-match"] !== `"${found.revision}"`)
    return { status: 412, code: "changed_meanwhile", user: found, by: "Ken Sato", at: NOW };
  if (act === "delete" && body.password !== PASSWORD) return { status: 401, code: "step_up_refused" };
  const changes = {
    lock: { status: "locked", locked: true },
    unlock: { status: "active", locked: false },
    delete: { status: "deleted", deleted_at: NOW, restorable_until: RESTORABLE },
    restore: { status: "active", deleted_at: null, restorable_until: null },
  };
  const user = { ...found, ...(act ? changes[act] : edited(found, body)), revision: found.revision + 1000 };
  state.users = state.users.map((one) => (one === found ? user : one));
  const bound = ["unlock", "restore"].includes(act) ? null : BOUND();
  return { data: { user, api_key: body?.generate ? GENERATED : null, bound, now: NOW } };
}

function edited(found, { api_key, api_key_confirmation: _, generate, expires, ...fields }) {
  return {
    ...fields,
    ...(expires && { expires_at: expires === "never" ? null : "2099-02-20T05:05:00Z" }),
    ...("networks" in fields && { networks: fields.networks.split("\n").filter(Boolean) }),
    ...((api_key || generate) && { api_key_version: found.api_key_version + 1 }),
  };
}

function create(state, body, key) {
  const before = state.created.get(key);
  if (before) return { status: 409, code: "already_created", user: before };
  const user = apiUser(state.users.length + 500, edited({ api_key_version: 0 }, body));
  state.users = [user, ...state.users];
  state.created.set(key, user);
  return { status: 201, data: { user, api_key: body.generate ? GENERATED : null, now: NOW } };
}

function listed(users, query, page_rows) {
  const statuses = query.get("status")?.split(",") ?? [...PRESENT, "account_suspended"];
  const q = query.get("q")?.toLowerCase() ?? "";
  const found = users.filter(({ status, name }) => statuses.includes(status) && name.includes(q));
  const sort = query.get("sort");
  if (sort?.endsWith("name")) found.sort((a, b) => (a.name < b.name ? -1 : 1) * (sort.startsWith("-") ? -1 : 1));
  const from = Number(query.get("cursor") ?? 0);
  const next = from + page_rows < found.length ? String(from + page_rows) : null;
  return { users: found.slice(from, from + page_rows), next, total: found.length, now: NOW };
}

/** Users in each state, with little and with much of everything. */
export const usersOfEachKind = () => [
  apiUser(1, { last_used_at: new Date(Date.now() - 180_000).toISOString(), interfaces: ["http", "smtp"] }),
  apiUser(2, { name: "printer-3f@example.com", status: "locked", locked: true, interfaces: ["smtp"] }),
  apiUser(3, {
    name: "batch@example.com",
    group: "admin",
    status: "not_yet_valid",
    not_before: "2098-06-30T15:00:00Z",
    expires_at: "2099-06-30T15:00:00Z",
    networks: ["203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8"],
    own_data_only: true,
    view_personal_data: true,
  }),
  apiUser(4, { name: "old@example.com", status: "expired", expires_at: "2026-01-01T05:05:00Z", interfaces: [] }),
  apiUser(5, {
    name: "gone@example.com",
    status: "deleted",
    locked: false,
    deleted_at: NOW,
    restorable_until: RESTORABLE,
  }),
  apiUser(6, { name: "held@example.com", status: "account_suspended" }),
];

/** Returns the row of the user with this name. */
export const row = (page, name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });

/** Returns the requests with this method, the oldest first. */
export const sent = (state, method) => state.requests.filter((one) => one.method === method);

export const dialogOf = (page, name) => page.getByRole("dialog", { name, exact: true });

/** Opens the menu of a user and chooses an action. */
export async function act(page, name, action) {
  await button(page, `Actions for ${name}`).click();
  await page.locator(".menu:popover-open").getByRole("button", { name: action, exact: true }).click();
}

/** Opens the dialog that adds a user, and fills in the name. */
export async function openAdd(page, name = "app@example.com") {
  await button(page, "Add API User").click();
  const dialog = dialogOf(page, "Add an API user");
  await dialog.getByLabel("User name").fill(name);
  return dialog;
}

/** Enters an API key and its confirmation. */
export async function fillKey(dialog, key = "Tr4ffic!") {
  await dialog.getByLabel("API key", { exact: true }).fill(key);
  await dialog.getByLabel("API key (confirmation)").fill(key);
}
