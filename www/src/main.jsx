// Renders the console into its page.
import { render } from "preact";
import { App } from "./app.jsx";
import { applyTheme } from "./frame/theme.js";

applyTheme();
render(<App />, /** @type {HTMLElement} */ (document.getElementById("app")));
