// Real mail servers that ask Claviger, as docs/mail configures them: nginx in front of Postfix, and Postfix with Dovecot.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import tls from "node:tls";
import { configuration, freePort, inFolder, startServer } from "./servers.mjs";

const run = promisify(execFile);

/** Makes a certificate of an own authority for Claviger's host and the mail server's, and one that nothing trusts. Resolves to the files' names. */
export async function certificates(dir) {
  const [ca, caKey, key, request, extensions, certificate] = ["ca", "ca.key", "key", "csr", "ext", "crt"].map((name) =>
    join(dir, `tls-${name}`),
  );
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run("openssl", ["req", "-x509", ...ec, "-days", "2", "-subj", "/CN=test CA", "-keyout", caKey, "-out", ca]);
  await run("openssl", ["req", ...ec, "-subj", "/CN=localhost", "-keyout", key, "-out", request]);
  await writeFile(extensions, "subjectAltName=DNS:localhost,DNS:mail.example.com,IP:127.0.0.1,IP:::1\n");
  const signed = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-days", "2", "-extfile", extensions];
  await run("openssl", ["x509", "-req", "-in", request, ...signed, "-out", certificate]);
  await chmod(key, 0o644);
  const [strange, strangeKey] = ["strange", "strange.key"].map((name) => join(dir, `tls-${name}`));
  const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  await run("openssl", ["req", "-x509", ...ec, "-days", "2", ...named, "-keyout", strangeKey, "-out", strange]);
  return { ca, key, certificate, strange: { key: strangeKey, certificate: strange } };
}

/**
 * Starts what stands for the platform, in front of Claviger at a port: it ends TLS and passes bytes on. A test sets faults by
 * `setFault`, for the requests of one SMTP client or for all connections:
 * - `closes`: closes the connection
 * - `silent`: answers nothing
 * - `strange`: has a certificate that nothing trusts; for all connections only
 * - another text: answers by that
 */
export async function startPlatform(files, port) {
  const read = async ({ key, certificate }) => ({ key: await readFile(key), cert: await readFile(certificate) });
  const [own, strange] = [await read(files), await read(files.strange)];
  const sockets = new Set();
  const requests = [];
  const faults = new Map();
  const server = tls.createServer({ ...own, ALPNProtocols: ["http/1.1"] }, (socket) => {
    sockets.add(socket.on("error", () => {}));
    if (faults.get("all") === "closes") return socket.destroy();
    const behind = net.connect(port, "127.0.0.1").on("error", () => socket.destroy());
    behind.on("close", () => socket.destroy());
    behind.pipe(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      behind.destroy();
    });
    // A request is shorter than a record of TLS.
    socket.on("data", (data) => {
      const request = data.toString("latin1");
      requests.push(request);
      const fault = faults.get(/^client-ip: *(\S+)\r$/im.exec(request)?.[1]);
      if (fault === undefined) behind.write(data);
      else if (fault === "closes") socket.destroy();
      else if (fault !== "silent") socket.end(Buffer.from(fault, "latin1"));
    });
    return undefined;
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    requests,
    /** Sets or ends a fault for the SMTP client of an address, or for `all` connections, of which it ends those that are open. */
    setFault(of, fault) {
      if (fault === undefined) faults.delete(of);
      else faults.set(of, fault);
      if (of !== "all") return;
      server.setSecureContext(fault === "strange" ? strange : own);
      for (const socket of sockets) socket.destroy();
    },
    async dispose() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Starts an SMTP server to which Postfix relays, and records each message with its envelope. */
export async function startSink() {
  const messages = [];
  const server = net.createServer((socket) => {
    let text = "";
    let message;
    let isData = false;
    const reply = (line) => socket.write(`${line}\r\n`);
    socket.on("error", () => {});
    reply("220 sink ESMTP");
    socket.on("data", (data) => {
      text += data.toString("latin1");
      for (let end; (end = text.indexOf(isData ? "\r\n.\r\n" : "\r\n")) >= 0;) {
        const line = text.slice(0, end);
        text = text.slice(end + (isData ? 5 : 2));
        if (isData) {
          isData = false;
          messages.push({ ...message, data: line });
          reply("250 2.0.0 taken");
        } else if (/^MAIL FROM:/i.test(line)) {
          message = { from: /<(.*?)>/.exec(line)[1], to: [] };
          reply("250 2.1.0 ok");
        } else if (/^RCPT TO:/i.test(line)) {
          message.to.push(/<(.*?)>/.exec(line)[1]);
          reply("250 2.1.5 ok");
        } else if (/^DATA$/i.test(line)) {
          isData = true;
          reply("354 go on");
        } else if (/^QUIT$/i.test(line)) socket.end("221 2.0.0 bye\r\n");
        else reply("250 ok");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    messages,
    async dispose() {
      server.close();
      await once(server, "close");
    },
  };
}

/** The settings of Postfix that a distribution makes; the services of docs/mail come on top. */
const mainCf = (dir, sink) => `
compatibility_level = 3.6
queue_directory = ${dir}/spool
data_directory = ${dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = ${dir}/mail.log
maillog_file_prefixes = ${dir}
myhostname = mail.example.com
inet_interfaces = loopback-only
alias_maps =
mydestination =
relayhost = [127.0.0.1]:${sink}
smtp_dns_support_level = disabled
`;

/** The services that every Postfix has. */
const MASTER_CF = `
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
bounce    unix  -       -       y       -       0       bounce
defer     unix  -       -       y       -       0       bounce
trace     unix  -       -       y       -       0       bounce
verify    unix  -       -       y       -       1       verify
flush     unix  n       -       y       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       y       -       -       smtp
relay     unix  -       -       y       -       -       smtp
showq     unix  n       -       y       -       -       showq
error     unix  -       -       y       -       -       error
retry     unix  -       -       y       -       -       error
discard   unix  -       -       y       -       -       discard
anvil     unix  -       -       y       -       1       anvil
scache    unix  -       -       y       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
`;

/** Starts one Postfix with the services of `docs/mail/postfix-behind-nginx.cf` and `docs/mail/postfix-with-dovecot.cf`, the latter also behind a balancer. */
export async function startPostfix(dir, files, ports) {
  const behind = await configuration("mail/postfix-behind-nginx.cf", [
    ["127.0.0.1:10025 ", `127.0.0.1:${ports.postfix} `],
  ]);
  const certificate = [
    ["/etc/ssl/mail.example.com.pem", files.certificate],
    ["/etc/ssl/private/mail.example.com.key", files.key],
  ];
  const text = await configuration("mail/postfix-with-dovecot.cf", certificate);
  const services = text
    .replace(/^submission /m, `${ports.submission} `)
    .replace(/^submissions /m, `${ports.submissions} `);
  assert.equal(services.match(/^\d+ inet/gm)?.length, 2);
  const balanced = services
    .slice(0, services.indexOf(`\n${ports.submissions} `))
    .replace(`${ports.submission} inet`, `${ports.balanced} inet`);
  for (const folder of ["etc", "spool", "data"]) await mkdir(join(dir, folder));
  await run("chown", ["postfix", join(dir, "data")]);
  await writeFile(join(dir, "etc/main.cf"), mainCf(dir, ports.sink));
  await writeFile(
    join(dir, "etc/master.cf"),
    `${MASTER_CF}${behind}${services}${balanced}\n    -o smtpd_upstream_proxy_protocol=haproxy\n`,
  );
  const listened = [ports.postfix, ports.submission, ports.submissions];
  // Makes the folders of the queue.
  await run("postfix", ["-c", join(dir, "etc"), "check"]);
  const master = ["/usr/lib/postfix/sbin/master", "-d", "-c", join(dir, "etc")];
  const server = await startServer(master, { places: listened, group: true });
  return { ...server, log: async () => `${server.log()}${await readFile(join(dir, "mail.log"), "utf8")}` };
}

/** Starts Dovecot beside the Postfix of the same folder. */
export async function startDovecot(dir, files, ports, verifier) {
  const etc = join(dir, "dovecot");
  await mkdir(etc);
  const socket = join(dir, "spool/private/auth");
  const text = await configuration("mail/dovecot.conf", [
    ["/etc/dovecot/claviger.lua", join(etc, "claviger.lua")],
    ["/var/spool/postfix/private/auth", socket],
    ["/etc/ssl/certs/ca-certificates.crt", files.ca],
  ]);
  const lua = await configuration("mail/claviger.lua", [
    ["https://keys.example.com/", `https://localhost:${ports.platform}/`],
    ["/etc/dovecot/claviger-verifier", join(etc, "claviger-verifier")],
  ]);
  const own = `base_dir = ${dir}/run\nstate_dir = ${dir}/state\nlog_path = /dev/stderr\n`;
  await writeFile(join(etc, "dovecot.conf"), `${own}${text}`);
  await writeFile(join(etc, "claviger.lua"), lua);
  await writeFile(join(etc, "claviger-verifier"), `${verifier}\n`, { mode: 0o400 });
  await run("chown", ["dovecot", join(etc, "claviger-verifier")]);
  return startServer(["dovecot", "-F", "-c", join(etc, "dovecot.conf")], { places: [socket], group: true });
}

/** Starts nginx with the mail proxy and the hop. `proxied` has the balancer of a PROXY protocol in front. */
export async function startNginx(dir, files, ports, { verifier, proxied = false }) {
  const listen = (port) => `listen 127.0.0.1:${port}${proxied ? " proxy_protocol" : ""}`;
  const text = await configuration("mail/nginx.conf", [
    ["listen 587;", `${listen(ports.submission)};${proxied ? " set_real_ip_from 127.0.0.1;" : ""}`],
    ["listen [::]:587 ", `${proxied ? "#" : ""}listen [::1]:${ports.submission} `],
    ["listen 465 ssl;", `${listen(ports.submissions)} ssl;`],
    ["listen [::]:465 ", `${proxied ? "#" : ""}listen [::1]:${ports.submissions} `],
    ["127.0.0.1:9003", `127.0.0.1:${ports.hop}`],
    ["Auth-Port 10025;", `Auth-Port ${ports.postfix};`],
    ["https://keys.example.com/", `https://127.0.0.1:${ports.platform}/`],
    ["keys.example.com", "localhost"],
    ["/etc/nginx/claviger-verifier.conf", join(dir, "verifier.conf")],
    ["/etc/ssl/mail.example.com.pem", files.certificate],
    ["/etc/ssl/private/mail.example.com.key", files.key],
    ["/etc/ssl/certs/ca-certificates.crt", files.ca],
  ]);
  await writeFile(join(dir, "verifier.conf"), `proxy_set_header Claviger-Verifier "${verifier}";\n`);
  const main =
    `load_module /usr/lib/nginx/modules/ngx_mail_module.so; daemon off; worker_processes 1; user root; ` +
    `pid ${dir}/pid; error_log stderr info; events {}`;
  await writeFile(join(dir, "nginx.conf"), `${main}\n${text.replace("http {", `http { ${inFolder(dir)}`)}\n`);
  const places = [ports.submission, ports.submissions, ports.hop];
  return startServer(["nginx", "-p", dir, "-c", join(dir, "nginx.conf")], { places });
}

/** Starts all of them, which ask Claviger at the port `claviger` with the key `verifier`. */
export async function startMailServers({ claviger, verifier }) {
  const dir = await mkdtemp(join(tmpdir(), "claviger-mail-"));
  // Postfix and Dovecot read as users of their own.
  await chmod(dir, 0o755);
  const started = [];
  const keep = (server) => (started.push(server), server);
  const dispose = async () => {
    for (const server of started.reverse()) await (server.stop ?? server.dispose)();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const files = await certificates(dir);
    const sink = keep(await startSink());
    const platform = keep(await startPlatform(files, claviger));
    const free = async (...names) =>
      Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()])));
    const common = { sink: sink.port, platform: platform.port, ...(await free("postfix")) };
    const ports = {
      nginx: { ...common, ...(await free("submission", "submissions", "hop")) },
      proxied: { ...common, ...(await free("submission", "submissions", "hop")) },
      dovecot: { ...common, ...(await free("submission", "submissions", "balanced")) },
    };
    const postfix = keep(await startPostfix(dir, files, ports.dovecot));
    const dovecot = keep(await startDovecot(dir, files, ports.dovecot, verifier));
    const folders = { nginx: join(dir, "nginx"), proxied: join(dir, "proxied") };
    for (const folder of Object.values(folders)) await mkdir(folder);
    const nginx = keep(await startNginx(folders.nginx, files, ports.nginx, { verifier }));
    const proxied = keep(await startNginx(folders.proxied, files, ports.proxied, { verifier, proxied: true }));
    const log = async () => [nginx.log(), proxied.log(), dovecot.log(), await postfix.log()].join("\n");
    return { files, ports, sink, platform, log, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
