// Builds what is run and deployed, into dist/. Each part is a step of its own for `start` and
// `test`: node xtask/build.mjs [--release] [wasm] [workers] [console]
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { readConfig, split, writeConfigs } from "./workers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The Workers, by the folder of their sources, bindings and bundles. */
export const WORKERS = ["edge", "admin"];

/**
 * WebAssembly features that a release may use: those of rustc and wasm-bindgen, which the module does not list itself.
 * With all features, wasm-opt writes a form of imports that not every runtime reads.
 */
const FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "exception-handling",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
  "simd",
];

/**
 * Compiles the Workers to `target/bindgen/`.
 * @param {boolean} release
 */
function wasm(release) {
  /** @type {(command: string, ...args: string[]) => Buffer} */
  const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: "inherit" });
  run("cargo", "run", "--locked", "--package", "xtask", "--", "bindgen", ...(release ? ["--release"] : []));
  if (release) {
    for (const worker of WORKERS) {
      const module = `target/bindgen/${worker}/claviger_${worker}_bg.wasm`;
      const features = FEATURES.map((feature) => `--enable-${feature}`);
      const options = ["-Os", ...features, "--strip-producers", "--strip-target-features"];
      run("node", "node_modules/binaryen/bin/wasm-opt", module, "-o", module, ...options);
    }
  }
}

/**
 * Bundles a Worker's entry into `index.js`, and the wasm beside it. The tests bundle entries of
 * their own. A release is minified: each isolate reads the text when it starts.
 * @param {string} entry
 * @param {string} outdir
 * @param {{minify?: boolean}} options
 */
export async function bundle(entry, outdir, { minify = false } = {}) {
  rmSync(resolve(root, outdir), { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: { index: entry },
    outdir,
    bundle: true,
    minify,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    // workerd loads wasm as a module of its own.
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    logLevel: "warning",
  });
}

/**
 * Bundles both Workers, and writes their configurations as local runs have them.
 * @param {boolean} minify
 */
async function workers(minify) {
  for (const worker of WORKERS) await bundle(`src/workers/${worker}/entry.js`, `dist/${worker}`, { minify });
  writeConfigs(split(await readConfig()));
}

/** Pages of text, which need no script: each a title and what stands in the frame. */
const PAGES = ["404.html", "problems.html"];

/** Puts the frame around the pages of text. */
function frame() {
  const around = readFileSync(`${root}/www/src/frame/document.html`, "utf8");
  for (const name of PAGES) {
    const [title, ...main] = readFileSync(`${root}/www/${name}`, "utf8").trimEnd().split("\n");
    const framed = around.replace("<!-- title -->", () => title).replace("<!-- main -->", () => main.join("\n"));
    writeFileSync(`${root}/dist/console/${name}`, framed);
  }
}

/** Bundles the console into `dist/console/`, beside whatever of `www/` is served as it is. */
async function page() {
  rmSync(`${root}/dist/console`, { recursive: true, force: true });
  cpSync(`${root}/www`, `${root}/dist/console`, {
    recursive: true,
    filter: (source) => basename(source) !== "src",
  });
  frame();
  await build({
    absWorkingDir: root,
    entryPoints: [
      { in: "www/src/main.jsx", out: "app" },
      { in: "www/src/style.css", out: "app" },
    ],
    outdir: "dist/console",
    bundle: true,
    minify: true,
    format: "esm",
    // What one page alone needs is loaded with that page. The names of these files contain a hash,
    // so the admin Worker lets browsers keep whatever is in this folder.
    splitting: true,
    chunkNames: "hashed/[name]-[hash]",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = process.argv.slice(2).filter((argument) => argument !== "--release");
  const wanted = (/** @type {string} */ part) => parts.length === 0 || parts.includes(part);
  const release = process.argv.includes("--release");
  if (wanted("wasm")) wasm(release);
  if (wanted("workers")) await workers(release);
  if (wanted("console")) await page();
}
