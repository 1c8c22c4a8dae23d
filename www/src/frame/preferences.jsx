// Draws the choice of language and theme, which this browser remembers.
import { useState } from "preact/hooks";
import { LANGUAGES, useLocale } from "../i18n/locale.jsx";
import { Segments } from "../ui/segments.jsx";
import { chooseTheme, chosenTheme } from "./theme.js";

export function Preferences() {
  const { say, lang, setLang } = useLocale();
  const [theme, setTheme] = useState(chosenTheme);
  const themes = { system: say("theme.system"), light: say("theme.light"), dark: say("theme.dark") };
  /** @param {import('./theme.js').Theme} name */
  const change = (name) => {
    chooseTheme(name);
    setTheme(name);
  };
  return (
    <div class="preferences">
      <Segments legend={say("language")} options={LANGUAGES} value={lang} onChange={setLang} />
      <Segments legend={say("theme")} options={themes} value={theme} onChange={change} />
    </div>
  );
}
