import { render } from "preact";

render(<h1>Claviger</h1>, document.getElementById("app"));
