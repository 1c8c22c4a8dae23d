// Holds the page's text: whole sentences with named slots, from one file per language.
import { createContext } from "preact";
import { useContext, useEffect, useMemo } from "preact/hooks";
import { makeFormat } from "./format.js";

/**
 * @typedef {'en' | 'ja'} Language
 * @typedef {import('preact').ComponentChild} Child
 * @typedef {Record<string, Child>} Slots
 * @typedef {Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>} Messages
 */

/**
 * Says a message. The result is a string if all its slots are text, otherwise a list of children.
 * @typedef {<Filled extends Slots = {}>(key: string, slots?: Filled) =>
 *   Filled extends Record<string, string | number> ? string : Child[]} Say
 */

/**
 * @typedef {object} Locale
 * @property {Language} lang
 * @property {Say} say
 * @property {(key: string) => boolean} has
 * @property {string} gap what stands between two sentences
 * @property {import('./format.js').Format} format
 * @property {(language: Language) => void} setLang
 */

const STORAGE_KEY = "claviger.language";

/**
 * Loads each language from a separate file. @type {Record<Language, () => Promise<{default:
 * Messages}>>}
 */
const LOADERS = { en: () => import("./messages/en.js"), ja: () => import("./messages/ja.js") };

/** @type {Map<Language, Messages>} */
const loaded = new Map();

/** Each language by its own name. @type {Record<Language, string>} */
export const LANGUAGES = { en: "English", ja: "日本語" };

/** @param {string | null} name @returns {name is Language} */
const isLanguage = (name) => name !== null && name in LOADERS;

/** Returns the language chosen in this browser. @returns {Language | undefined} */
export function chosenLanguage() {
  const language = localStorage.getItem(STORAGE_KEY);
  return isLanguage(language) ? language : undefined;
}

/** Returns the first of the browser's languages that the console speaks. @returns {Language} */
function browserLanguage() {
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "en";
}

/** Returns the language of the page while no member is signed in. */
export const preferredLanguage = () => chosenLanguage() ?? browserLanguage();

/**
 * Loads the messages of a language, unless they are there. A language must be loaded before the
 * page shows it. Rejects if its file cannot be loaded.
 * @param {Language} language
 */
export async function loadMessages(language) {
  if (!loaded.has(language)) loaded.set(language, (await LOADERS[language]()).default);
}

/** Stores the choice in this browser. @param {Language} language */
export function rememberLanguage(language) {
  localStorage.setItem(STORAGE_KEY, language);
}

/**
 * Fills the slots of messages. A message that depends on a number is an object of plural forms,
 * chosen by the slot `count`.
 * @param {Language} language
 * @param {import('./format.js').Format} format
 */
function sayer(language, format) {
  const messages = loaded.get(language) ?? {};
  const plural = new Intl.PluralRules(language);
  /** @param {string} key @param {Slots} [slots] */
  const say = (key, slots = {}) => {
    const entry = messages[key];
    const sentence = typeof entry === "object" ? (entry[plural.select(Number(slots.count))] ?? entry.other) : entry;
    if (sentence === undefined) throw new Error(`No message ${key} in ${language}`);
    const parts = sentence.split(/\{(\w+)\}/).map((part, index) => {
      if (index % 2 === 0) return part;
      if (!(part in slots)) throw new Error(`Message ${key} has no value for {${part}}`);
      const value = slots[part];
      return typeof value === "number" ? format.number(value) : value;
    });
    return parts.every((part) => typeof part === "string") ? parts.join("") : parts;
  };
  /** @param {string} key */
  const has = (key) => key in messages;
  const gap = language === "en" ? " " : "";
  return { say: /** @type {Say} */ (say), has, gap };
}

const LocaleContext = createContext(/** @type {Locale | null} */ (null));

/** Returns the text and the formats of the page. @returns {Locale} */
export const useLocale = () => /** @type {Locale} */ (useContext(LocaleContext));

/**
 * @param {object} props
 * @param {Language} props.lang
 * @param {string} props.zone
 * @param {(language: Language) => void} props.setLang
 * @param {import('preact').ComponentChildren} props.children
 */
export function LocaleProvider({ lang, zone, setLang, children }) {
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  const value = useMemo(() => {
    const format = makeFormat(lang, zone);
    return { lang, setLang, format, ...sayer(lang, format) };
  }, [lang, zone, setLang]);
  return <LocaleContext.Provider value={value}>{children}</LocaleContext.Provider>;
}

/** Sets the page's title while mounted. @param {string} title */
export function useTitle(title) {
  useEffect(() => {
    document.title = `${title} – Claviger`;
  }, [title]);
}
