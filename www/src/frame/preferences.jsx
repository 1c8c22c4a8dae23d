// Language and theme, as this browser remembers them.
import { useState } from "preact/hooks";
import { LANGUAGES, useLocale } from "../i18n/locale.jsx";
import { Segments } from "../ui/segments.jsx";
import { THEMES, chooseTheme, chosenTheme } from "./theme.js";

export function Preferences() {
  const { say, lang, setLang } = useLocale();
  const [theme, setTheme] = useState(chosenTheme);
  const themes = Object.fromEntries(THEMES.map((name) => [name, say(`theme.${name}`)]));
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
