// An API to protect: tells what reached it, streams, and keeps jobs for the accounts that Claviger
// names.
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/jobs" || url.pathname.startsWith("/jobs/")) return jobs(request, url, env);
    switch (url.pathname) {
      case "/echo":
        return new Response(request.body, { headers: { "content-type": request.headers.get("content-type") ?? "text/plain" } });
      case "/received":
        return received(request);
      case "/socket":
        return socket(request);
      case "/stream":
        return new Response(ticks(Number(url.searchParams.get("ticks") ?? 5), Number(url.searchParams.get("ms") ?? 200)));
      case "/redirect":
        return new Response(null, { status: 302, headers: { location: "https://elsewhere.example/" } });
      case "/says":
        return new Response("said", { headers: { [url.searchParams.get("name")]: url.searchParams.get("value") } });
      case "/cookies":
        return new Response("", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2; Path=/"]] });
      case "/cancelled":
        return Response.json({ cancelled });
      default:
        return Response.json({
          method: request.method,
          path: url.pathname,
          query: url.search,
          href: request.url,
          headers: [...request.headers],
        });
    }
  },
};

/** Tells what a body was, without keeping it. */
async function received(request) {
  const digest = new crypto.DigestStream("SHA-256");
  await (request.body ?? new Blob([]).stream()).pipeTo(digest);
  const hex = [...new Uint8Array(await digest.digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return Response.json({ bytes: Number(digest.bytesWritten), sha256: hex, headers: [...request.headers], query: new URL(request.url).search });
}

/** Each job's owner and maker, until this isolate ends. */
const made = new Map();

/**
 * `POST /jobs` makes a job that the caller's account owns; `GET /jobs/{id}` shows it to every key of that account, and to nobody else that it exists.
 * Who calls is believed only on proof: a server that is reached past Claviger could be told anything.
 */
async function jobs(request, url, env) {
  if (!(await cameThroughClaviger(request, env.ORIGIN_KEYS ?? []))) return new Response("not through Claviger\n", { status: 403 });
  const owner = request.headers.get("claviger-account");
  const by = request.headers.get("claviger-key");
  if (!owner) return new Response("a key is wanted here\n", { status: 403 });
  if (request.method === "POST" && url.pathname === "/jobs") {
    const id = crypto.randomUUID();
    made.set(id, { owner, by });
    return Response.json({ id, made_by: by }, { status: 201, headers: { location: `/jobs/${id}` } });
  }
  const id = url.pathname.slice("/jobs/".length);
  const job = made.get(id);
  if (request.method !== "GET" || job?.owner !== owner) return new Response("no such job\n", { status: 404 });
  return Response.json({ id, made_by: job.by });
}

/** As docs/origin-proof.md has it. */
async function cameThroughClaviger(request, keys, toleranceS = 60) {
  const proof = /^t=(\d{1,12}),n=([0-9a-f]{16}),v2=([0-9a-f]{64})$/.exec(request.headers.get("claviger-proof-2") ?? "");
  if (!proof) return false;
  const [, t, n, v2] = proof;
  if (Math.abs(Date.now() / 1000 - Number(t)) > toleranceS) return false;
  const url = new URL(request.url);
  const told = (name) => request.headers.get(name) ?? "";
  const lines = ["claviger/origin-proof/2", t, n, request.method, url.href.slice(url.origin.length),
    told("claviger-account"), told("claviger-key"), told("claviger-permissions"), told("claviger-address")];
  const ofUser = ["claviger-api-user", "claviger-group", "claviger-own-data-only", "claviger-time-zone"];
  if (request.headers.has("claviger-api-user")) lines.push(...ofUser.map(told));
  lines.push("");
  const statement = new TextEncoder().encode(lines.join("\n"));
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  for (const key of keys) {
    const hmac = await crypto.subtle.importKey("raw", bytes(key), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
    if (await crypto.subtle.verify("HMAC", hmac, bytes(v2), statement)) return true;
  }
  return false;
}

/**
 * Sends back each message as it came, text or binary. A close comes back with its code and reason.
 * The first subprotocol that is offered is selected, unless `?select=` names another, or none.
 */
function socket(request) {
  if (request.headers.get("upgrade") !== "websocket") return new Response("a WebSocket is served here\n", { status: 426 });
  const [client, server] = Object.values(new WebSocketPair());
  // Otherwise a binary message is a Blob, which would be sent as the text of its name.
  server.binaryType = "arraybuffer";
  server.accept();
  server.addEventListener("message", ({ data }) => server.send(data));
  const offered = request.headers.get("sec-websocket-protocol")?.split(",")[0];
  const selected = new URL(request.url).searchParams.get("select") ?? offered;
  const headers = selected ? { "sec-websocket-protocol": selected } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
}

/** How many streams were given up before their end. */
let cancelled = 0;

/** A line every `ms` milliseconds, the first at once. */
function ticks(count, ms) {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === count) return controller.close();
      if (sent > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      sent += 1;
      controller.enqueue(new TextEncoder().encode(`tick ${sent}\n`));
    },
    cancel() {
      cancelled += 1;
    },
  });
}
