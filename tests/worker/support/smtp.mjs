// SMTP clients: swaks, Python's smtplib, and a bare one for what no client would send.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { text } from "node:stream/consumers";
import tls from "node:tls";
import { fileURLToPath } from "node:url";

const CLIENT = fileURLToPath(new URL("../fixtures/smtp_client.py", import.meta.url));

/**
 * Runs swaks against 127.0.0.1 from a loopback address. Resolves to its last reply, `{code, text}`: that to `AUTH`, or with `mail`
 * the one after the message.
 */
export async function swaks(port, { from, mechanism = "PLAIN", user, secret, mail }) {
  const args = [
    "--server",
    "127.0.0.1",
    "--port",
    `${port}`,
    "--local-interface",
    from,
    "--tls",
    "--helo",
    "client.example",
  ];
  args.push("--auth", mechanism, "--auth-user", user, "--auth-password", secret, "--timeout", "40");
  if (mail) args.push("--from", mail.from, "--to", mail.to.join(","), "--header", `Subject: ${mail.subject}`);
  else args.push("--quit-after", "AUTH");
  const output = await new Promise((resolve, reject) => {
    // It ends with a status for each refusal.
    execFile("swaks", args, (error, stdout, stderr) =>
      typeof (error?.code ?? 0) === "number" ? resolve(`${stdout}${stderr}`) : reject(error),
    );
  });
  const replies = [...output.matchAll(/^<[~-][ *]\*? ?(\d{3}) (.*)$/gm)].map(([, code, text]) => ({
    code: +code,
    text,
  }));
  const last = replies.filter(({ code }) => code !== 221).at(-1);
  assert.ok(last, output);
  return last;
}

/** Sends mails by smtplib; resolves to an outcome `{code, text?}` of each task. */
export async function smtplib(tasks) {
  const python = spawn("python3", [CLIENT], { stdio: ["pipe", "pipe", "pipe"] });
  python.stdin.end(JSON.stringify(tasks));
  const [out, err] = await Promise.all([text(python.stdout), text(python.stderr)]);
  assert.ok(out, err);
  return JSON.parse(out);
}

/** `AUTH PLAIN` of a name and a secret, which may be buffers. */
export const plain = (user, secret) =>
  `AUTH PLAIN ${Buffer.concat([Buffer.from([0]), Buffer.from(user), Buffer.from([0]), Buffer.from(secret)]).toString("base64")}`;

/** Opens a connection that sends and reads lines. `preface` goes ahead of everything, as a balancer does it. */
export async function dial(port, { from = "127.0.0.1", host = "127.0.0.1", preface = "" } = {}) {
  let socket = net.connect({ port, host, localAddress: from });
  let received = "";
  let isClosed = false;
  let wake = () => {};
  const attach = () => {
    socket.on("data", (data) => {
      received += data.toString("latin1");
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      isClosed = true;
      wake();
    });
  };
  attach();
  /** The next reply, `{code, text}` with all its lines; `undefined` if the server has closed. */
  const reply = async () => {
    for (;;) {
      const match = /^(?:\d{3}-.*\r\n)*(\d{3})(?: .*)?\r\n/.exec(received);
      if (match) {
        received = received.slice(match[0].length);
        return { code: +match[1], text: match[0] };
      }
      if (isClosed) return undefined;
      await new Promise((resolve) => (wake = resolve));
    }
  };
  if (preface) socket.write(preface);
  const greeting = await reply();
  const session = {
    greeting,
    reply,
    async send(line) {
      if (!isClosed) socket.write(Buffer.isBuffer(line) ? Buffer.concat([line, Buffer.from("\r\n")]) : `${line}\r\n`);
      return reply();
    },
    /** Starts TLS; resolves to the reply to EHLO. */
    async secure() {
      await session.send("EHLO client.example");
      assert.equal((await session.send("STARTTLS")).code, 220);
      socket.removeAllListeners("data");
      socket = tls.connect({ socket, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      attach();
      return session.send("EHLO client.example");
    },
    close: () => socket.destroy(),
  };
  return session;
}

/** Signs in by the bare client; resolves to the server's reply, or `undefined` if it has closed. */
export async function signIn(port, { from, mechanism = "PLAIN", user, secret }) {
  const session = await dial(port, { from });
  try {
    await session.secure();
    if (mechanism === "PLAIN") return await session.send(plain(user, secret));
    assert.equal((await session.send("AUTH LOGIN")).code, 334);
    const answer = await session.send(Buffer.from(user).toString("base64") || "=");
    if (answer?.code !== 334) return answer;
    return await session.send(Buffer.from(secret).toString("base64") || "=");
  } finally {
    session.close();
  }
}
