// Real proxies in front of an API: the configurations of docs/proxies, with their hosts and files replaced.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { WebSocketServer } from "ws";
import { configuration, freePort, inFolder, startServer } from "./servers.mjs";

/** Starts a server that stands for the API, and records each request with its body. */
export async function startApi() {
  const requests = [];
  const upgrades = [];
  const server = http.createServer(async (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    requests.push({ method, url, headers, body: await buffer(incoming) });
    outgoing.setHeader("content-type", "text/plain");
    outgoing.end("from the API");
  });
  server.on("upgrade", ({ headers }) => upgrades.push(headers.upgrade));
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, { url, headers }) => {
    requests.push({ method: "GET", url, headers });
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    requests,
    /** Values of `Upgrade` that reached the API. */
    upgrades,
    async dispose() {
      sockets.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** How each proxy is started: its files, command and environment. `at` is `{claviger, api, port, dir, verifier}`. */
const PROXIES = {
  nginx: {
    async start({ claviger, api, port, dir, verifier }) {
      const text = await configuration("proxies/nginx.conf", [
        ["/dev/shm/claviger", join(dir, "cache")],
        ["listen 443 ssl;", `listen 127.0.0.1:${port};`],
        ["ssl_certificate /etc/ssl/api.example.com.pem;", ""],
        ["ssl_certificate_key /etc/ssl/private/api.example.com.key;", ""],
        ["https://keys.example.com", `http://127.0.0.1:${claviger}`],
        ["keys.example.com", "localhost"],
        ["/etc/nginx/claviger-verifier.conf", join(dir, "verifier.conf")],
        ["127.0.0.1:9000", `127.0.0.1:${api}`],
      ]);
      await writeFile(join(dir, "verifier.conf"), `proxy_set_header Claviger-Verifier "${verifier}";\n`);
      return nginx(dir, `http { ${inFolder(dir)}\n${withAdmin(text)} }`);
    },
  },
  haproxy: {
    async start({ claviger, api, port, dir, verifier }) {
      const text = await configuration("proxies/haproxy.cfg", [
        ["/etc/haproxy/claviger.lua", join(dir, "claviger.lua")],
        ["https://keys.example.com", `http://127.0.0.1:${claviger}`],
        ["bind :443 ssl crt /etc/haproxy/api.example.com.pem", `bind 127.0.0.1:${port}`],
        ["127.0.0.1:9000", `127.0.0.1:${api}`],
      ]);
      const lua = await configuration("proxies/haproxy.lua", [
        ["    local headers = {", '    local headers = {\n        ["host"] = { "localhost" },'],
      ]);
      await writeFile(join(dir, "haproxy.cfg"), text);
      await writeFile(join(dir, "claviger.lua"), lua);
      return { command: ["haproxy", "-db", "-f", join(dir, "haproxy.cfg")], env: { CLAVIGER_VERIFIER: verifier } };
    },
  },
  caddy: {
    async start({ claviger, api, port, dir, verifier }) {
      const text = await configuration("proxies/Caddyfile", [
        ["api.example.com {", `{\n\tadmin off\n}\nhttp://api.example.com:${port} {\n\tbind 127.0.0.1`],
        ["https://keys.example.com", `http://127.0.0.1:${claviger}`],
        ["header_up Host keys.example.com", "header_up Host localhost"],
        ["127.0.0.1:9000", `127.0.0.1:${api}`],
      ]);
      await writeFile(join(dir, "Caddyfile"), text);
      return {
        command: ["caddy", "run", "--adapter", "caddyfile", "--config", join(dir, "Caddyfile")],
        env: { CLAVIGER_VERIFIER: verifier, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir },
      };
    },
  },
  "claviger-hop": {
    async start({ claviger, port, dir, verifier }) {
      const text = await configuration("proxies/claviger-hop.conf", [
        ["127.0.0.1:9001", `127.0.0.1:${port}`],
        ["https://keys.example.com", `http://127.0.0.1:${claviger}`],
        ["keys.example.com", "localhost"],
        ["/etc/nginx/claviger-verifier.conf", join(dir, "verifier.conf")],
      ]);
      await writeFile(join(dir, "verifier.conf"), `proxy_set_header Claviger-Verifier "${verifier}";\n`);
      return nginx(dir, `http { ${inFolder(dir)}\n${text} }`);
    },
  },
};

/** Adds a place of the API that needs another permission, as an operator would: by a copy of both locations. */
function withAdmin(text) {
  const [, locations] = /^( {4}location \/ \{.*?^ {4}\}\n)\}/ms.exec(text);
  const copy = locations
    .replace("location / {", "location /admin/ {")
    .replaceAll("/.claviger", "/.claviger-admin")
    .replace("/nginx/demo:read,demo:write;", "/nginx/admin:use;");
  return text.replace(locations, locations + copy);
}

/** Writes the main file of an nginx, and returns how to start it. */
async function nginx(dir, text) {
  const file = join(dir, "nginx.conf");
  const main = `daemon off; worker_processes 1; user root; pid ${dir}/pid; error_log stderr warn; events {}`;
  await writeFile(file, `${main}\n${text}\n`);
  return { command: ["nginx", "-p", dir, "-c", file], env: {} };
}

/**
 * Starts a proxy that asks the Worker at the port `claviger`, with the key `verifier`, in front of the API at the port `api`.
 * Resolves once it listens.
 */
export async function startProxy(name, { claviger, api, verifier }) {
  const dir = await mkdtemp(join(tmpdir(), "claviger-proxy-"));
  const port = await freePort();
  const { command, env } = await PROXIES[name].start({ claviger, api, port, dir, verifier });
  const server = await startServer(command, { env, places: [port] });
  return {
    port,
    log: server.log,
    async dispose() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
