// Answers in the server's place, for states that a healthy Worker does not show.
import { MEMBER } from "./console.mjs";

/** Answers requests in the server's place: the first `times` of them, then the server answers. */
export async function answerInstead(page, method, path, respond, times = Infinity) {
  let left = times;
  await page.route(
    (url) => url.pathname === path,
    (route) => {
      if (route.request().method() !== method || left <= 0) return route.fallback();
      left -= 1;
      return respond(route);
    },
  );
}

/** Returns a responder with a problem document, as the server writes it. */
export const problem =
  (status, code, members = {}, headers = {}) =>
  (route) =>
    route.fulfill({
      status,
      contentType: "application/problem+json",
      headers,
      body: JSON.stringify({ type: "about:blank", title: code, status, code, ...members }),
    });

export const NOW = "2026-11-21T12:00:00Z";

/** Returns the `n`th key of an account, as the API shows it. */
export const key = (n, members) => ({
  id: `a1B2c3D4${String(n).padStart(10, "0")}`,
  access_key: `clv_a1B2c3D4${String(n).padStart(10, "0")}`,
  name: `Key ${n}`,
  status: "active",
  enabled: true,
  expires_at: null,
  not_before: null,
  networks: [],
  permissions: [],
  viewable: false,
  protected: false,
  issuable: null,
  issued_by: { kind: "member", name: MEMBER.name },
  last_used_at: null,
  uses_24h: 0,
  deleted_at: null,
  restorable_until: null,
  created_at: NOW,
  created_by: MEMBER.name,
  changed_at: NOW,
  changed_by: MEMBER.name,
  revision: n,
  ...members,
});

/** Returns a responder with this body, as JSON. */
export const json = (body) => (route) =>
  route.fulfill({ status: 200, contentType: "application/json", body: JSON.stringify(body) });
