// Sends a verified request on.
import { misconfigured, problem } from "../shared/http.js";
import { ADMIN_HEADER, onward, withoutWord } from "./admin.js";

/** Sends the request on and hands back what comes: streams, redirects and WebSockets as they are. */
export async function toOrigin({ binding, url, remove, set, cuts }, request, env, body) {
  if (binding && !env[binding]) {
    console.error(`the rules name the binding ${binding}, which this Worker lacks`);
    return misconfigured();
  }
  const headers = onward(request, remove, set);
  // Out of the request itself, which also takes a GET with a body. The platform's cache knows
  // nothing of accounts: what one caller may see must not be kept for the next.
  const init = { headers, redirect: "manual", ...(binding ? {} : { cache: "no-store" }) };
  const sent = cuts
    ? new Request(url, { ...init, method: request.method, cf: request.cf, body: body.onward(cuts, headers) })
    : new Request(new Request(url, request), init);
  try {
    const answer = await (binding ? env[binding].fetch(sent) : fetch(sent));
    return answer.headers.has(ADMIN_HEADER) ? withoutWord(answer) : answer;
  } catch (error) {
    console.error(`origin ${binding ?? new URL(url).host}: ${error?.message ?? error}`);
    return problem(502, "Bad Gateway", "origin_unreachable");
  }
}
