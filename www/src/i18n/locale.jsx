// The page's words: whole sentences with named slots, from one file per language.
import { createContext } from "preact";
import { useContext, useEffect, useMemo } from "preact/hooks";
import en from "../messages/en.js";
import ja from "../messages/ja.js";
import { makeFormat } from "./format.js";

const STORAGE_KEY = "claviger.language";
const MESSAGES = { en, ja };

/** Each language by its own name. */
export const LANGUAGES = { en: "English", ja: "日本語" };

/** @typedef {'en' | 'ja'} Language */

/** The language chosen in this browser. @returns {Language | undefined} */
export function chosenLanguage() {
  const language = localStorage.getItem(STORAGE_KEY);
  return language in MESSAGES ? language : undefined;
}

/** The first of the browser's languages that we speak. @returns {Language} */
export function browserLanguage() {
  return navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in MESSAGES) ?? "en";
}

/** @param {Language} language */
export function rememberLanguage(language) {
  localStorage.setItem(STORAGE_KEY, language);
}

/**
 * Fills the slots of a sentence. A sentence that depends on a number is an object of plural forms, chosen by the slot
 * `count`. Slots may hold elements; the result is then a list of children, otherwise a string.
 */
function sayer(language, format) {
  const plural = new Intl.PluralRules(language);
  const say = (key, slots = {}) => {
    const entry = MESSAGES[language][key];
    if (entry === undefined) throw new Error(`No message ${key} in ${language}`);
    const sentence = typeof entry === "string" ? entry : (entry[plural.select(slots.count)] ?? entry.other);
    const parts = sentence.split(/\{(\w+)\}/).map((part, index) => {
      if (index % 2 === 0) return part;
      if (!(part in slots)) throw new Error(`Message ${key} has no value for {${part}}`);
      return typeof slots[part] === "number" ? format.number(slots[part]) : slots[part];
    });
    return parts.every((part) => typeof part === "string") ? parts.join("") : parts;
  };
  const has = (key) => key in MESSAGES[language];
  /** What stands between two sentences. */
  const gap = language === "en" ? " " : "";
  return { say, has, gap };
}

const Locale = createContext(null);

/**
 * The words and formats of the page.
 * @returns {{lang: Language, say: (key: string, slots?: object) => any, has: (key: string) => boolean,
 *   gap: string, format: import('./format.js').Format, setLang: (language: Language) => void}}
 */
export const useLocale = () => useContext(Locale);

/** @param {{lang: Language, zone: string, setLang: (language: Language) => void, children: any}} props */
export function LocaleProvider({ lang, zone, setLang, children }) {
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  const value = useMemo(() => {
    const format = makeFormat(lang, zone);
    return { lang, setLang, format, ...sayer(lang, format) };
  }, [lang, zone, setLang]);
  return <Locale.Provider value={value}>{children}</Locale.Provider>;
}

/** Sets the page's title while mounted. @param {string} title */
export function useTitle(title) {
  useEffect(() => {
    document.title = `${title} – Claviger`;
  }, [title]);
}
