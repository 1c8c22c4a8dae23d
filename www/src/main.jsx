// Renders the console into its page.
import { render } from "preact";
import { App } from "./app.jsx";
import { loadSession } from "./client/session.jsx";
import { applyTheme } from "./frame/theme.js";
import { loadMessages, preferredLanguage } from "./i18n/locale.jsx";

const page = /** @type {HTMLElement} */ (document.getElementById("app"));

applyTheme();
// The page needs both, so both are under way at once.
const answering = loadSession();
try {
  await loadMessages(preferredLanguage());
  render(<App answering={answering} />, page);
} catch {
  page.textContent = "The console could not be loaded. · コンソールを読み込めませんでした。";
}
