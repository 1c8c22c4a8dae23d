// What is missing in a deployment's settings, told before anything is built or sent.
import { Failure, output } from "./setup.mjs";

/**
 * Settings of a deployment, as wrangler reads them.
 * @typedef {object} Settings
 * @property {{pattern: string}[]} [routes]
 * @property {Record<string, any>} vars
 * @property {{binding: string}[]} [services]
 * @property {{name: string}[]} [send_email]
 * @property {{required?: string[]}} [secrets]
 */
/** @typedef {{host?: string, origin?: string}} Rule the members that are looked at */

const DRY_RUN = "--dry-run";
const EDGE_FIRST = "--edge-first";

/**
 * Reads the arguments of `npm run deploy`. Any other text is refused, because a mistyped rehearsal
 * would deploy.
 * @param {string[]} args
 * @param {Record<string, string | undefined>} environment
 * @returns {{isRehearsal: boolean, order: ("edge" | "admin")[]}}
 */
export function deployOptions(args, environment = {}) {
  const other = args.find((argument) => argument !== DRY_RUN && argument !== EDGE_FIRST);
  const takes = `npm run deploy takes ${DRY_RUN} and ${EDGE_FIRST}, and nothing else`;
  if (other !== undefined) throw new Failure(`${takes}: ${JSON.stringify(other)} is refused`);
  // npm keeps an option that stands before `--` for itself.
  const kept = [DRY_RUN, EDGE_FIRST].find((option) => environment[`npm_config_${option.slice(2).replace("-", "_")}`]);
  if (kept) throw new Failure(`${takes}, after two dashes: npm run deploy -- ${kept}`);
  return {
    isRehearsal: args.includes(DRY_RUN),
    order: args.includes(EDGE_FIRST) ? ["edge", "admin"] : ["admin", "edge"],
  };
}

/**
 * Returns what the Workers themselves would refuse to serve with, if they had their secrets; an
 * empty text when there is nothing. Throws when they cannot be asked.
 * @param {Pick<Settings, "vars">} settings
 */
export function fault({ vars }) {
  const told = output("cargo", ["run", "--locked", "--quiet", "--package", "xtask", "--", "settings"], {
    SETTINGS: JSON.stringify(vars),
  });
  if (told === undefined) throw new Failure("the settings could not be checked");
  return told;
}

/**
 * Returns the rules, which may be written as JSON, too. The Worker's own parser reports what cannot
 * be read.
 * @param {string | Rule[]} written
 * @returns {Rule[]}
 */
function rulesIn(written = []) {
  if (typeof written !== "string") return written;
  try {
    return [JSON.parse(written)].flat();
  } catch {
    return [];
  }
}

/**
 * Returns what stands in the way of a first deployment (`missing`), and what one may want to know
 * of it (`notes`).
 * @param {Settings} settings
 * @returns {{missing: string[], notes: string[]}}
 */
export function findings({ routes = [], vars, services = [], send_email: mail = [], secrets }) {
  /** @type {string[][]} */
  const [missing, notes] = [[], []];
  const { CONSOLE_ORIGIN: console, RULES: written, MAIL: by, MAIL_FROM: from } = vars;
  const rules = rulesIn(written);
  const hosts = routes.map(({ pattern }) => pattern);
  const origins = rules.flatMap(({ origin }) => origin ?? []);

  const filled = [...hosts, console, ...rules.map(({ host }) => host), ...origins, ...(by === "off" ? [] : [from])];
  const examples = [...new Set(filled)].filter((text) => /(^|[@./])example\.(com|net|org)$/.test(text ?? ""));
  for (const example of examples) missing.push(`${example} is the example's: yours goes there`);

  for (const host of new Set([URL.parse(console)?.host, ...rules.map(({ host }) => host)])) {
    if (host && !hosts.includes(host))
      missing.push(`${host} has no custom domain among the routes, so that nobody reaches it`);
  }
  for (const origin of new Set(origins)) {
    const isBinding = !URL.canParse(origin);
    if (isBinding && !services.some(({ binding }) => binding === origin))
      missing.push(`the origin ${origin} is no service binding`);
  }

  if (by === undefined) missing.push('MAIL is not said: "binding", the URL of an e-mail API, or "off"');
  if (by === "off") notes.push("mail is off: keys can be disabled, but not deleted, because that takes a mailed code");
  if (by === "binding" && !mail.some(({ name }) => name === "EMAIL"))
    missing.push('MAIL is "binding", and there is no send_email binding EMAIL');
  if (by?.startsWith("http") && !secrets?.required?.includes("MAIL_API_KEY")) {
    missing.push("MAIL is the URL of an e-mail API: its token, MAIL_API_KEY, belongs to the required secrets");
  }
  if (!secrets?.required?.includes("MASTER_SECRET")) missing.push("MASTER_SECRET belongs to the required secrets");
  return { missing, notes };
}
