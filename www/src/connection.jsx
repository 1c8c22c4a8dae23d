// Connection Information: where the API is, and how a call looks.
import { useEffect, useRef } from "preact/hooks";
import { useConsole } from "./console.jsx";
import { CopyButton, selectContents } from "./copy-button.jsx";
import { useLocale } from "./locale.jsx";

/** A call that takes the key from a prompt: it enters neither the shell's history nor the list of processes. */
export const exampleCall = (api) =>
  `read -rs API_KEY\nprintf 'Authorization: Bearer %s' "$API_KEY" |\n  curl -H @- '${new URL(api.example_path, api.base_url)}'`;

/** Code that may be wider than the screen: it scrolls in a named region that the keyboard reaches. */
export function CodeBlock({ label, code, copyLabel }) {
  const block = useRef(null);
  return (
    <div class="code">
      <pre ref={block} tabIndex={0} role="region" aria-label={label} translate={false}>
        <code>{code}</code>
      </pre>
      <CopyButton class="small" text={code} label={copyLabel} select={() => selectContents(block.current)} />
    </div>
  );
}

/** @param {{reached: boolean}} props whether the address bar points here */
export function Connection({ reached }) {
  const { say } = useLocale();
  const {
    session: { api },
  } = useConsole();
  const heading = useRef(null);
  const url = useRef(null);
  useEffect(() => {
    if (reached) heading.current.focus();
  }, [reached]);
  // A deployment whose rules want no key has nothing to connect to.
  if (!api) return null;
  return (
    <section class="connection" aria-labelledby="connection">
      <h2 id="connection" ref={heading} tabIndex={-1}>
        {say("connection.title")}
      </h2>
      <dl>
        <div>
          <dt>{say("connection.base-url")}</dt>
          <dd class="base-url">
            <code ref={url} translate={false}>
              {api.base_url}
            </code>
            <CopyButton
              class="small"
              text={api.base_url}
              label={say("copy.url")}
              select={() => selectContents(url.current)}
            />
          </dd>
        </div>
        <div>
          <dt>{say("connection.example")}</dt>
          <dd>
            <CodeBlock label={say("connection.example")} code={exampleCall(api)} copyLabel={say("copy.example")} />
          </dd>
        </div>
      </dl>
    </section>
  );
}
