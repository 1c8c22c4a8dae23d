// The console's entry: one page, rendered once.
import { render } from "preact";
import { App } from "./app.jsx";
import { applyTheme } from "./frame/theme.js";

applyTheme();
render(<App />, document.getElementById("app"));
