// Draws Connection Information: the base URL, an example call, and the service credentials. It
// folds; this browser remembers if it is open.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { exampleCall } from "../key/examples.js";
import { CodeBlock } from "../ui/code.jsx";
import { Copyable } from "../ui/copy.jsx";
import { Service } from "./service.jsx";

const CONNECTION = "#/connection";
const STORAGE_KEY = "claviger.connection";

/**
 * @param {object} props
 * @param {boolean} props.reached `true` if the address bar points here
 * @param {boolean} props.ready `true` once what stands above is drawn
 */
export function Connection({ reached, ready }) {
  const { say } = useLocale();
  const {
    session: { api },
  } = useSession();
  const [open, setOpen] = useState(() => localStorage.getItem(STORAGE_KEY) === "open");
  const summary = useRef(/** @type {HTMLElement | null} */ (null));
  // Counts the arrivals, of which each opens the section and brings it into view.
  const [arrivals, setArrivals] = useState(0);
  const arriving = useRef(false);
  const [complete, setComplete] = useState(false);
  const finish = useCallback(() => setComplete(true), []);
  useEffect(() => {
    if (reached) setArrivals((before) => before + 1);
  }, [reached]);
  useEffect(() => {
    // A link to the present address changes nothing there, but its reader wants to get here.
    const follow = (/** @type {MouseEvent} */ { target }) => {
      if (target instanceof Element && target.closest(`a[href="${CONNECTION}"]`)) setArrivals((before) => before + 1);
    };
    addEventListener("click", follow);
    return () => removeEventListener("click", follow);
  }, []);
  useEffect(() => {
    if (!arrivals) return;
    arriving.current = true;
    setOpen(true);
    summary.current?.focus({ preventScroll: true });
  }, [arrivals]);
  useEffect(() => {
    if (!arriving.current || !open) return;
    summary.current?.scrollIntoView();
    // Keys that are still to come would move it away again, and the page is still too short for it.
    arriving.current = !ready || !complete;
  }, [arrivals, open, ready, complete]);
  /** @param {import('preact').TargetedToggleEvent<HTMLDetailsElement>} event */
  const follow = (event) => {
    const isOpen = event.currentTarget.open;
    setOpen(isOpen);
    localStorage.setItem(STORAGE_KEY, isOpen ? "open" : "folded");
  };
  return (
    <section aria-labelledby="connection">
      <details class="connection" open={open} onToggle={follow}>
        <summary ref={summary}>
          <h2 id="connection">{say("connection.title")}</h2>
        </summary>
        {open && (
          <>
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
                    <CodeBlock
                      label={say("connection.example")}
                      code={exampleCall(api)}
                      copyLabel={say("copy.example")}
                    />
                  </dd>
                </div>
              </dl>
            )}
            <Service onLoaded={finish} />
          </>
        )}
      </details>
    </section>
  );
}
