// SMTP by real mail servers, as docs/mail configures them: nginx in front of Postfix, and Postfix with Dovecot.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "./support/journey.mjs";
import { startClaviger } from "./support/mail-claviger.mjs";
import { startMailServers } from "./support/mail-servers.mjs";
import { dial, plain, signIn as signInAt, smtplib, swaks } from "./support/smtp.mjs";

/** An address of clients. All of 127.0.0.0/8 is this machine; nginx itself is 127.0.0.1. */
const HERE = "127.0.0.20";

let addresses = 0;
/** An address that no other client has. */
const elsewhere = () => `127.1.${addresses >> 7}.${1 + (addresses++ & 127)}`;

const SECRET = "Correct-Horse-9";
/** Everything that an escape, a header or a form could mistake. */
const ODD_SECRET = 'a%2B+%0D%0A%&=;:,"<>\\z9';

const skip = process.getuid?.() !== 0 && "Postfix starts as root alone";

let claviger;
let servers;
const users = {};

before(async () => {
  if (skip) return;
  claviger = await startClaviger();
  servers = await startMailServers({ claviger: claviger.port, verifier: claviger.verifier });
  const create = async (name, members) => {
    users[name] = await claviger.create({ name: `${name}@example.com`, secret: SECRET, ...members });
  };
  await create("app");
  await create("api", { interfaces: ["http"] });
  await create("locked");
  await claviger.change(users.locked.name, { locked: true });
  // It has ended once the servers are there.
  await create("expired", { expires: "1s" });
  await create("here", { networks: [HERE] });
  await create("proxy", { networks: ["127.0.0.1"] });
  await create("six", { networks: ["::1"] });
  await create("balanced", { networks: ["198.51.100.7"] });
  await create("tries");
  await create("odd", { secret: ODD_SECRET });
  await create("a+62", {});
  await create("a+b+c+d", {});
  await create("a+b+c+d+e", {});
});

after(async () => {
  await servers?.dispose();
  await claviger?.dispose();
});

// Each refusal takes some seconds: they wait side by side.
describe("a mail server", { concurrency: true, skip }, () => {
  /** The names of the servers, with the code of a failure that is not the client's. */
  for (const [name, temporary] of [
    ["nginx", 451],
    ["dovecot", 454],
  ]) {
    const port = () => servers.ports[name].submission;
    const signInOnce = ({ name: user, secret }, { from = elsewhere(), mechanism } = {}) =>
      signInAt(port(), { from, mechanism, user, secret });
    /** Signs in, and does it again if the server asks for that: this machine may be too slow for so many hashes at a time. */
    const signIn = async (user, options) => {
      for (let tries = 1; ; tries++) {
        const answer = await signInOnce(user, options);
        if (![undefined, 451, 454].includes(answer?.code) || tries === 5) return answer;
      }
    };
    /** Sends a mail by swaks, from an address that no other client has. */
    const send = async ({ name: user, secret }, { mechanism, mail }) => {
      const from = elsewhere();
      const answer = await swaks(port(), { from, mechanism, user, secret, mail });
      assert.equal(answer.code, 250, answer.text);
      return { from, arrived: await message(mail.subject) };
    };

    describe(`${name}`, { concurrency: 3 }, () => {
      for (const mechanism of ["PLAIN", "LOGIN"]) {
        test(`lets the right secret in by AUTH ${mechanism}, and the mail arrives`, async () => {
          const mail = {
            from: "news@example.com",
            to: ["a@example.net", "b@example.net"],
            subject: `${name} ${mechanism}`,
          };
          const user = { name: "APP@Example.com", secret: SECRET };
          const { from: client, arrived } = await send(user, { mechanism, mail });
          assert.deepEqual([arrived.from, arrived.to], [mail.from, mail.to]);
          // Postfix knows the client by XCLIENT.
          assert.match(arrived.data, new RegExp(`^Received: from client\\.example \\(unknown \\[${client}\\]\\)`));
          const login = `client=unknown\\[${client}\\], sasl_method=\\w+, sasl_username=app@example\\.com$`;
          await logged(new RegExp(login, "m"));
        });
      }

      test("serves a library, by STARTTLS and by TLS at once, over IPv4 and IPv6", async () => {
        const task = (members) => ({
          ca: servers.files.ca,
          host: "127.0.0.1",
          source: elsewhere(),
          port: port(),
          implicit: false,
          user: "app@example.com",
          secret: SECRET,
          from: "lib@example.com",
          to: ["a@example.net"],
          subject: `${name} library`,
          ...members,
        });
        const outcomes = await smtplib([
          task({ subject: `${name} library 1` }),
          task({ subject: `${name} library 2`, implicit: true, port: servers.ports[name].submissions }),
          task({ subject: `${name} library 3`, host: "::1", source: "::1", user: "six@example.com" }),
          task({ user: "six@example.com" }),
          task({ host: "::1", source: "::1", user: "here@example.com" }),
          task({ secret: `${SECRET}x` }),
        ]);
        assert.deepEqual(
          outcomes.map(({ code }) => code),
          [250, 250, 250, 535, 535, 535],
        );
        for (const number of [1, 2, 3]) await message(`${name} library ${number}`);
        assert.match((await message(`${name} library 3`)).data, /^Received: from \S+ \(unknown \[IPv6:::1\]\)/);
      });

      test("refuses by 535 what Claviger refuses, and says no more", async () => {
        const wrong = await Promise.all(
          [
            { name: "app@example.com", secret: `${SECRET}x` },
            { name: "app@example.com", secret: SECRET.toLowerCase() },
            { name: "none@example.com", secret: SECRET },
            { name: "app", secret: SECRET },
            { name: users.locked.name, secret: "x" },
            { name: users.expired.name, secret: "x" },
          ].map((user) => signIn(user)),
        );
        for (const answer of wrong) assert.deepEqual(answer, wrong[0]);
        const ended = await Promise.all([users.locked, users.expired].map((user) => signIn(user)));
        for (const answer of [...wrong, ...ended]) assert.match(answer.text, /^535 5\.7\.8 /);
        const off = await signIn(users.api);
        assert.equal(off.code, 535);
        if (name === "nginx") assert.match(off.text, /^535 5\.7\.1 /);
        for (const mechanism of ["PLAIN", "LOGIN"])
          assert.equal((await signIn({ name: "app@example.com", secret: "x" }, { mechanism })).code, 535);
      });

      test("limits a user to networks by the address of the SMTP client", async () => {
        const codes = await Promise.all(
          [
            [users.here, HERE],
            [users.here, elsewhere()],
            [users.proxy, "127.0.0.1"],
            // What connects to Claviger does not count.
            [users.proxy, elsewhere()],
          ].map(async ([user, from]) => (await signIn(user, { from })).code),
        );
        assert.deepEqual(codes, [235, 535, 235, 535]);
      });

      test("passes every character of a secret on as it is", async () => {
        for (const mechanism of ["PLAIN", "LOGIN"]) assert.equal((await signIn(users.odd, { mechanism })).code, 235);
        const others = [
          ODD_SECRET.replace("+", " "),
          ODD_SECRET.replace("%2B", "+"),
          ODD_SECRET.replace("%0D%0A", "\r\n"),
          `${ODD_SECRET} `,
          ` ${ODD_SECRET}`,
          `${ODD_SECRET}%20`,
          encodeURIComponent(ODD_SECRET),
          ODD_SECRET.toUpperCase(),
        ];
        const answers = [];
        for (const secret of others) answers.push(await signIn({ ...users.odd, secret }));
        assert.deepEqual(
          answers.map(({ code }) => code),
          others.map(() => 535),
        );
      });

      test("puts nothing of a client's into a header, and refuses what is no text", async () => {
        const forged = "x\r\nClient-IP: 127.0.0.20\r\nAuth-Status: OK";
        const attempts = [
          ["app@example.com", forged],
          [`app@example.com\r\nAuth-Status: OK`, SECRET],
          ["app@example.com%0D%0A", SECRET],
          ["app@example.com", `${SECRET}\0`],
          ["app@example.com\0", SECRET],
          ["app@example.com", Buffer.from([...Buffer.from(SECRET), 0x7f])],
          ["app@example.com", Buffer.from([0xff, 0xfe, 0x80])],
          ["app@example.com", Buffer.from([0xc3])],
          [Buffer.from([0xe2, 0x84, 0xaa, ...Buffer.from("@example.com")]), SECRET],
          ["app@example.com ADDR=127.0.0.20", SECRET],
          ["app@example.com", "s".repeat(2_500)],
          ["app@example.com", " ".repeat(2_500)],
          ["a".repeat(2_000), SECRET],
          ["", SECRET],
          ["app@example.com", ""],
        ];
        await Promise.all(
          attempts.flatMap(([user, secret]) =>
            ["PLAIN", "LOGIN"].map(async (mechanism) => {
              const answer = await signInOnce({ name: user, secret }, { mechanism });
              assert.ok(
                [501, 535, temporary].includes(answer?.code),
                `${mechanism} ${user} ${secret}: ${answer?.text}`,
              );
            }),
          ),
        );
        for (const request of servers.platform.requests) {
          assert.equal(request.match(/^client-ip:/gim)?.length, 1, request);
          assert.ok(!/^auth-status/im.test(request), request);
        }
      });

      test("takes a mebibyte for nothing", async () => {
        for (const line of [plain("app@example.com", "s".repeat(1 << 20)), `AUTH LOGIN ${"YWJj".repeat(1 << 18)}`]) {
          const session = await dial(port(), { from: elsewhere() });
          await session.secure();
          const answer = await session.send(line);
          assert.ok(answer === undefined || answer.code >= 500, answer?.text);
          session.close();
        }
        assert.equal((await signIn(users.app)).code, 235);
      });

      test("gives a name with a plus to Postfix as it is", async () => {
        for (const user of ["a+62", "a+b+c+d"]) {
          await send(users[user], {
            mail: { from: "a@example.com", to: ["b@example.net"], subject: `${name} ${user}` },
          });
          await logged(new RegExp(`sasl_username=${users[user].name.replaceAll("+", "\\+")}$`, "m"));
        }
        // More of them than nginx's configuration knows.
        const { code } = await (name === "nginx" ? signInOnce : signIn)(users["a+b+c+d+e"]);
        assert.equal(code, name === "nginx" ? temporary : 235);
      });

      test("wants TLS before a secret, and a secret before a mail", async () => {
        const session = await dial(port(), { from: elsewhere() });
        const offered = await session.send("EHLO client.example");
        assert.match(offered.text, /STARTTLS/);
        assert.doesNotMatch(offered.text, /AUTH/);
        const inClear = [];
        for (const line of [plain("app@example.com", SECRET), "AUTH LOGIN", "MAIL FROM:<a@example.com>"])
          inClear.push((await session.send(line)).code);
        assert.deepEqual(inClear, name === "nginx" ? [500, 500, 530] : [530, 530, 530]);
        const secured = await session.secure();
        assert.match(secured.text, /AUTH PLAIN LOGIN/);
        const methods = ["CRAM-MD5", "NTLM", "ANONYMOUS", "XOAUTH2 YQ==", "SCRAM-SHA-256 YQ==", "EXTERNAL YQ=="];
        for (const method of methods) {
          const { code } = await session.send(`AUTH ${method}`);
          assert.ok(code >= 500 || code === temporary, `${method}: ${code}`);
        }
        for (const request of servers.platform.requests) assert.match(request, /^auth-method: plain\r$/im);
        session.close();
        const other = await dial(port(), { from: elsewhere() });
        await other.secure();
        const codes = [];
        for (const line of ["MAIL FROM:<a@example.com>", "RCPT TO:<a@example.net>", "DATA"])
          codes.push((await other.send(line)).code);
        assert.ok(codes[1] >= 500 && codes[2] >= 500, `${codes}`);
        other.close();
      });

      test("lets no client name an address or another user", async () => {
        // Once the secret has been checked, it is known.
        assert.equal((await signIn(users.app)).code, 235);
        const session = await dial(port(), { from: elsewhere() });
        await session.secure();
        const forged = "XCLIENT ADDR=127.0.0.20 LOGIN=other@example.com";
        assert.ok((await session.send(forged)).code >= 500);
        assert.equal((await session.send(plain("app@example.com", SECRET))).code, 235);
        for (const line of [forged, "XFORWARD ADDR=127.0.0.20"])
          assert.ok((await session.send(line)).code >= 500, line);
        session.close();
      });

      test("ends a connection at the tenth refused try", async () => {
        /** The codes of tries in one connection, up to its end. */
        const tries = async () => {
          const session = await dial(port(), { from: elsewhere() });
          await session.secure();
          const codes = [];
          while (codes.length < 20) {
            const answer = await session.send(plain("tries@example.com", `wrong ${codes.length}`));
            if (!answer) break;
            codes.push(answer.code);
          }
          session.close();
          // Postfix says goodbye.
          return codes.filter((code) => code !== 421);
        };
        let codes = await tries();
        if (codes.includes(temporary)) codes = await tries();
        assert.deepEqual(codes, Array(10).fill(535));
      });

      test("learns a client's address from a balancer by the PROXY protocol", async () => {
        const balanced = name === "nginx" ? servers.ports.proxied.submission : servers.ports.dovecot.balanced;
        const codes = [];
        for (const address of ["198.51.100.7", "198.51.100.8"]) {
          const preface = `PROXY TCP4 ${address} 203.0.113.1 40000 587\r\n`;
          const session = await dial(balanced, { from: "127.0.0.1", preface });
          await session.secure();
          const line = plain("balanced@example.com", SECRET);
          codes.push((await session.send(line)).code);
          session.close();
        }
        assert.deepEqual(codes, [235, 535]);
      });

      test("asks about many clients at once", async () => {
        const answers = await Promise.all(Array.from({ length: 25 }, () => signIn(users.app)));
        assert.deepEqual(
          answers.map(({ code }) => code),
          Array(25).fill(235),
        );
      });
    });

    describe(`${name}, after a change`, () => {
      test("refuses within T what Claviger no longer allows: it keeps nothing", async () => {
        const user = await claviger.create({ name: `${name}-changed@example.com`, secret: SECRET });
        assert.equal((await signIn(user)).code, 235);
        for (const [change, undo] of [
          [{ locked: true }, { locked: false }],
          [{ interfaces: ["http"] }, { interfaces: ["http", "smtp"] }],
          [{ api_key: "Another-Horse-1" }, { api_key: SECRET }],
        ]) {
          await claviger.change(user.name, change);
          await eventually("refused", async () => (await signIn(user)).code === 535);
          await claviger.change(user.name, undo);
          await eventually("allowed again", async () => (await signIn(user)).code === 235);
        }
      });
    });

    describe(`${name}, when something is wrong with Claviger's answer`, { concurrency: 8 }, () => {
      const OK = "Auth-Status: OK\r\nAuth-User: app@example.com\r\n";
      const answer = (head, status = "200 OK") => `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n${head}\r\n`;
      const others = Array.from({ length: 60 }, (_, n) => `X-Platform-${n}: ${"x".repeat(180)}\r\n`).join("");

      for (const [what, fault] of [
        ["none comes", "closes"],
        ["it takes too long", "silent"],
        ["it is no HTTP", "hello\r\n"],
        ["it is empty", answer("")],
        ["it is an error", answer(OK, "500 Internal Server Error")],
        ["it is a refusal of the platform", answer(OK, "403 Forbidden")],
        ["it is a redirect", answer(`${OK}Location: https://example.com/\r\n`, "302 Found")],
        ["it names nobody", answer("Auth-Status: OK\r\n")],
        ["it has an empty name", answer("Auth-Status: OK\r\nAuth-User:  \r\n")],
        ["it has two names", answer("Auth-Status: OK\r\nAuth-User: a@example.com b@example.com\r\n")],
        ["it has a status in another case", answer("Auth-Status: ok\r\nAuth-User: app@example.com\r\n")],
        ["it has a name alone", answer("Auth-User: app@example.com\r\n")],
        ["it brings a server", answer("Auth-Server: 127.0.0.1\r\nAuth-Port: 25\r\nAuth-User: app@example.com\r\n")],
        ["it wants nginx to ask again", answer("Auth-Status: WAIT\r\nAuth-Wait: 1\r\n")],
        ["it cannot decide", answer("Auth-Status: Try again later\r\nAuth-Error-Code: 454 4.7.0\r\n")],
      ]) {
        test(`${what}: the client shall try again`, async () => {
          const from = elsewhere();
          servers.platform.setFault(from, fault);
          const { code, text } = await signInOnce(users.app, { from });
          assert.ok([451, 454].includes(code), `${code} ${text}`);
          servers.platform.setFault(from);
          assert.equal((await signIn(users.app, { from })).code, 235, "and gets in");
        });
      }

      test("it has 11 KB of other headers: the client gets in", async () => {
        const from = elsewhere();
        servers.platform.setFault(from, answer(`${others}${OK}`));
        const { code, text } = await signIn(users.app, { from });
        assert.equal(code, 235, text);
      });
    });
  }
});

for (const [what, fault] of [
  ["no connection can be made", "closes"],
  ["Claviger's certificate is another's", "strange"],
]) {
  test(`${what}: clients shall try again`, { skip }, async () => {
    servers.platform.setFault("all", fault);
    const codes = await Promise.all(
      ["nginx", "dovecot"].map(async (name) => {
        const { name: user, secret } = users.app;
        return (await signInAt(servers.ports[name].submission, { from: elsewhere(), user, secret })).code;
      }),
    );
    assert.deepEqual(codes, [451, 454]);
    servers.platform.setFault("all");
  });
}

test("no server logs a secret", { skip }, async () => {
  const log = await servers.log();
  assert.match(log, /client login failed/);
  assert.match(log, /claviger: 535 5\.7\.8/);
  for (const secret of [SECRET, "Another-Horse-1", claviger.verifier, "wrong 1"]) {
    assert.ok(!log.includes(secret), secret);
    assert.ok(!log.includes(Buffer.from(secret).toString("base64").slice(4, -4)), `${secret} in Base64`);
    assert.ok(!log.includes(plain("app@example.com", secret)), `${secret} in AUTH PLAIN`);
    assert.ok(!claviger.log().some((line) => line.includes(secret)), `${secret} in Claviger's log`);
  }
});

/** Waits for a line in the servers' logs. */
const logged = (pattern) => eventually(`logged: ${pattern}`, async () => pattern.test(await servers.log()));

/** Waits for a mail with a subject. */
const message = (subject) =>
  eventually(`mail arrives: ${subject}`, () =>
    servers.sink.messages.find(({ data }) => data.includes(`Subject: ${subject}\r\n`)),
  );
