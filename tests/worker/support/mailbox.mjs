// Stands in for an HTTP e-mail service, in the shape of Resend's API: takes messages, and knows a
// repeat by its idempotency key.
import { createServer } from "node:http";

/** The service's secret, which the Worker has to know. */
export const MAIL_API_KEY = "re_tests_only_8Jx2";

/** A service on a port of its own. `settings` are what a Worker needs to send by it. */
export async function mailbox() {
  /** Requests, as they came: `{status, key, headers, body}`. */
  const requests = [];
  /** Messages that were taken, each once: `{id, from, to, subject, text, html}`. */
  const messages = [];
  let failures = [];

  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const [key, body] = [request.headers["idempotency-key"], Buffer.concat(chunks).toString()];
      const { status, ...more } = answerTo(request, key, body);
      requests.push({ status, key, headers: request.headers, body, method: request.method, url: request.url });
      response.writeHead(status, { "content-type": "application/json", ...more });
      response.end(JSON.stringify(status < 300 ? { id: key } : { message: "refused" }));
    });
  });

  function answerTo(request, key, body) {
    const failure = failures.shift();
    // `lost`: the message is taken, the answer is not heard.
    const isLost = failure === "lost";
    if (failure && !isLost) return typeof failure === "object" ? failure : { status: failure };
    return { status: statusOf(request, key, body, isLost) };
  }

  function statusOf({ method, url, headers }, key, body, isLost) {
    if (method !== "POST" || url !== "/emails") return 404;
    if (headers.authorization !== `Bearer ${MAIL_API_KEY}`) return 401;
    if (headers["content-type"] !== "application/json") return 415;
    const before = messages.find(({ id }) => id === key);
    if (before && before.body !== body) return 409;
    if (!before) messages.push({ ...JSON.parse(body), id: key, body });
    return isLost ? 500 : 200;
  }

  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    settings: { MAIL: `http://127.0.0.1:${server.address().port}/emails`, MAIL_FROM: "keys@example.com", MAIL_API_KEY },
    requests,
    messages,
    /** Takes a message out, as if it had never come: so tests count their own alone. */
    take(message) {
      messages.splice(messages.indexOf(message), 1);
      for (const request of requests.filter(({ key }) => key === message.id)) {
        requests.splice(requests.indexOf(request), 1);
      }
    },
    /** The next requests fail so: a status, a status with headers, or `lost`. */
    fail(...next) {
      failures = next;
    },
    /** Every request fails so, until `recover`. */
    failAlways(status) {
      failures = { shift: () => status };
    },
    recover() {
      failures = [];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** The code in a message's text: it stands in a line of its own. */
export const codeIn = (text) => /^ {4}(\d{6})$/m.exec(text)?.[1];

/** The code of eight digits in a message's text, which proves an address or resets a password. */
export const longCodeIn = (text) => /^ {4}(\d{8})\r?$/m.exec(text)?.[1];

/** The last mailbox code that was mailed to an address: `{message, code}`; `undefined` if none was. */
export function mailboxCodeTo(messages, email) {
  const isIt = ({ id, to }) => id.startsWith("mailbox-code/") && [to].flat().includes(email.toLowerCase());
  const message = messages.findLast(isIt);
  return message && { message, code: longCodeIn(message.text) };
}

/** The token in an invitation's text: its link stands in a line of its own. */
export const tokenIn = (text) => /^http:\/\/localhost:8787\/#\/join\/(\w+)$/m.exec(text)?.[1];
