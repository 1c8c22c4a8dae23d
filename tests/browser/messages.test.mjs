// The two languages say the same things, and every sentence that the console asks for is there.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import en from "../../www/src/i18n/messages/en.js";
import ja from "../../www/src/i18n/messages/ja.js";

const SOURCE = fileURLToPath(new URL("../../www/src/", import.meta.url));

/** Keys that are put together at run time, by their beginnings. */
const COMPOSED = [
  "act.",
  "action.",
  "bound.",
  "change.",
  "column.",
  "delete.",
  "disable.",
  "enable.",
  "error.",
  "filter.",
  "line.",
  "operate.",
  "result.",
  "problem.",
  "restore.",
  "role.",
  "short-lived.body",
  "service.change.body",
  "setup.",
  "status.",
  "theme.",
  "unit.",
];

const forms = (entry) => (typeof entry === "string" ? { other: entry } : entry);
const slots = (sentence) => [...new Set([...sentence.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot))].sort();

test("both languages have the same keys", () => {
  assert.deepEqual(Object.keys(ja).sort(), Object.keys(en).sort());
});

test("both languages fill the same slots, in every plural form", () => {
  // A singular may say its number by a word.
  const needed = (sentence) => slots(sentence).filter((slot) => slot !== "count");
  for (const key of Object.keys(en)) {
    const wanted = needed(forms(en[key]).other);
    for (const [language, messages] of Object.entries({ en, ja })) {
      for (const [form, sentence] of Object.entries(forms(messages[key]))) {
        assert.deepEqual(needed(sentence), wanted, `${key}, ${form}, ${language}`);
      }
    }
  }
});

test("each language has the plural forms that it needs", () => {
  for (const [language, messages] of Object.entries({ en, ja })) {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, entry] of Object.entries(messages)) {
      if (typeof entry !== "string")
        assert.deepEqual(Object.keys(entry).sort(), pluralCategories.toSorted(), `${key}, ${language}`);
    }
  }
});

test("every key that the console names exists, and every key is named", () => {
  const source = readdirSync(SOURCE, { recursive: true })
    .filter((path) => /\.jsx?$/.test(path) && !path.startsWith("i18n/messages"))
    .map((path) => readFileSync(SOURCE + path, "utf8"))
    .join("\n");
  const said = [...source.matchAll(/\bsay\(\s*"([^"]+)"/g)].map(([, key]) => key);
  assert.ok(said.length > 100, `only ${said.length} found`);
  for (const key of said) assert.ok(key in en, key);
  for (const key of Object.keys(en)) {
    assert.ok(
      source.includes(`"${key}"`) || COMPOSED.some((beginning) => key.startsWith(beginning)),
      `${key} is never said`,
    );
  }
});

test("nothing promises what may take a while, nor speaks of the machine", () => {
  const words = Object.values({ ...en }).flatMap((entry) => Object.values(forms(entry)));
  for (const sentence of words)
    assert.doesNotMatch(sentence, /immediately|please|sorry|oops|invalid|are you sure|\b(KV|edge|ledger|lease)\b/i);
});
