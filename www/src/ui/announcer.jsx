// Announces sentences to screen readers. The page has one polite status region and each modal has
// one: screen readers ignore regions outside an open modal.
import { createContext } from "preact";
import { useCallback, useContext, useState } from "preact/hooks";

/** @typedef {(sentence: string) => void} Announce */

const AnnounceContext = createContext(/** @type {Announce} */ (() => {}));

/** Returns a function that says one whole sentence, once, in the nearest region. */
export const useAnnounce = () => useContext(AnnounceContext);

/** @param {{children: import('preact').ComponentChildren}} props */
export function Announcer({ children }) {
  const [said, setSaid] = useState({ sentence: "", turn: 0 });
  const announce = useCallback(
    /** @type {Announce} */ ((sentence) => setSaid(({ turn }) => ({ sentence, turn: turn + 1 }))),
    [],
  );
  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <p role="status" class="unseen">
        <span key={said.turn}>{said.sentence}</span>
      </p>
    </AnnounceContext.Provider>
  );
}
