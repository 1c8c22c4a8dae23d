// The console's imports go one way, types included, and never in a circle.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";

const SOURCE = fileURLToPath(new URL("../../www/src/", import.meta.url));

/** Folders from the lowest layer up. Each imports only lower layers; pages in one layer do not know each other. */
const LAYERS = [
  ["i18n"],
  ["client"],
  ["ui"],
  ["frame"],
  ["key"],
  ["sign-in"],
  ["account", "activity", "connection", "join", "notices", "operator", "pair", "profile", "setup"],
  ["api-users", "details", "keys"],
  ["."],
];

/** Imports, dynamic imports, and types in comments. */
const IMPORT = /\b(?:from\s+|import\(\s*)["'](\.[^"']+)["']/g;

/** Each file of the console, with the files that it imports. */
const files = new Map(
  readdirSync(SOURCE, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.jsx?$/.test(path))
    .map((path) => {
      const text = readFileSync(SOURCE + path, "utf8");
      return [path, [...text.matchAll(IMPORT)].map(([, to]) => posix.join(posix.dirname(path), to))];
    }),
);

const layerOf = (path) => {
  const folder = path.includes("/") ? path.split("/")[0] : ".";
  const layer = LAYERS.findIndex((folders) => folders.includes(folder));
  expect(layer, `${folder} is in no layer`).not.toBe(-1);
  return { folder, layer };
};

test("folders import those of the layers below them alone", () => {
  expect(files.size, `only ${files.size} files found`).toBeGreaterThan(60);
  for (const [from, imports] of files) {
    for (const to of imports) {
      expect(existsSync(SOURCE + to), `${from} imports ${to}`).toBe(true);
      const [importer, imported] = [layerOf(from), layerOf(to)];
      expect(
        importer.folder === imported.folder || importer.layer > imported.layer,
        `${from} imports ${to}, which is not below it`,
      ).toBe(true);
    }
  }
});

test("no file imports itself by way of others", () => {
  const done = new Set();
  const visit = (file, way) => {
    expect(way, [...way, file].join(" → ")).not.toContain(file);
    if (done.has(file)) return;
    for (const next of files.get(file)) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of files.keys()) visit(file, []);
});
