// The two languages say the same things, and every sentence that the console asks for is there.
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import en from "../../www/src/i18n/messages/en.js";
import ja from "../../www/src/i18n/messages/ja.js";

const SOURCE = fileURLToPath(new URL("../../www/src/", import.meta.url));

/** Keys that are put together at run time, by their beginnings. */
const COMPOSED = [
  "act.",
  "action.",
  "api-user.delete.body",
  "api-user.group.",
  "api-user.key.change.body",
  "api-user.lock.",
  "api-user.restore.",
  "api-user.unlock.",
  "at-stake.",
  "bound.",
  "change.",
  "column.",
  "delete.",
  "disable-many.body",
  "disable.",
  "enable.",
  "end-sessions.",
  "end.",
  "error.",
  "filter.",
  "filters.",
  "invitations.mail.",
  "leave.",
  "line.",
  "method.",
  "mfa-off.",
  "mfa.turn-off.keys.",
  "notice.act.",
  "notice.kind.",
  "notices.key_",
  "operate.",
  "order.",
  "policy.",
  "problem.",
  "regenerate.body.",
  "regenerate.overlap.",
  "remove.",
  "reset-factors.",
  "restore.",
  "result.",
  "role.",
  "service.change.body",
  "setup.",
  "short-lived.body",
  "status.",
  "theme.",
  "unit.",
  "use.refused.",
  "works.",
];

const forms = (entry) => (typeof entry === "string" ? { other: entry } : entry);
const slots = (sentence) => [...new Set([...sentence.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot))].sort();

test("both languages have the same keys", () => {
  expect(Object.keys(ja).sort()).toEqual(Object.keys(en).sort());
});

test("both languages fill the same slots, in every plural form", () => {
  // A singular may say its number by a word.
  const needed = (sentence) => slots(sentence).filter((slot) => slot !== "count");
  for (const key of Object.keys(en)) {
    const wanted = needed(forms(en[key]).other);
    for (const [language, messages] of Object.entries({ en, ja })) {
      for (const [form, sentence] of Object.entries(forms(messages[key]))) {
        expect(needed(sentence), `${key}, ${form}, ${language}`).toEqual(wanted);
      }
    }
  }
});

test("each language has the plural forms that it needs", () => {
  for (const [language, messages] of Object.entries({ en, ja })) {
    const { pluralCategories } = new Intl.PluralRules(language).resolvedOptions();
    for (const [key, entry] of Object.entries(messages)) {
      if (typeof entry !== "string")
        expect(Object.keys(entry).sort(), `${key}, ${language}`).toEqual(pluralCategories.toSorted());
    }
  }
});

test("every key that the console names exists, and every key is named", () => {
  const source = readdirSync(SOURCE, { recursive: true })
    .filter((path) => /\.jsx?$/.test(path) && !path.startsWith("i18n/messages"))
    .map((path) => readFileSync(SOURCE + path, "utf8"))
    .join("\n");
  const said = [...source.matchAll(/\bsay\(\s*"([^"]+)"/g)].map(([, key]) => key);
  expect(said.length, `only ${said.length} found`).toBeGreaterThan(100);
  for (const key of said) expect(key in en, key).toBe(true);
  for (const key of Object.keys(en)) {
    expect(
      source.includes(`"${key}"`) || COMPOSED.some((beginning) => key.startsWith(beginning)),
      `${key} is never said`,
    ).toBe(true);
  }
});

test("nothing promises what may take a while, nor speaks of the machine", () => {
  const words = Object.values({ ...en }).flatMap((entry) => Object.values(forms(entry)));
  for (const sentence of words)
    expect(sentence).not.toMatch(/immediately|please|sorry|oops|invalid|are you sure|\b(KV|edge|ledger|lease)\b/i);
});
