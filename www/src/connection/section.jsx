// Draws Connection Information: the base URL, an example call, and the service credentials.
import { useEffect, useRef } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { exampleCall } from "../key/examples.js";
import { CodeBlock } from "../ui/code.jsx";
import { Copyable } from "../ui/copy.jsx";
import { Service } from "./service.jsx";

/** @param {{reached: boolean}} props `reached` is `true` if the address bar points here */
export function Connection({ reached }) {
  const { say } = useLocale();
  const {
    session: { api },
  } = useSession();
  const heading = useRef(/** @type {HTMLHeadingElement | null} */ (null));
  useEffect(() => {
    if (reached) heading.current?.focus();
  }, [reached]);
  return (
    <section class="connection" aria-labelledby="connection">
      <h2 id="connection" ref={heading} tabIndex={-1}>
        {say("connection.title")}
      </h2>
      {/* A deployment whose rules ask for no key has no API to call. */}
      {api && (
        <dl class="call">
          <div>
            <dt>{say("connection.base-url")}</dt>
            <dd>
              <Copyable text={api.base_url} label={say("copy.url")} />
            </dd>
          </div>
          <div>
            <dt>{say("connection.example")}</dt>
            <dd>
              <CodeBlock label={say("connection.example")} code={exampleCall(api)} copyLabel={say("copy.example")} />
            </dd>
          </div>
        </dl>
      )}
      <Service />
    </section>
  );
}
