// One polite status region in the page and one in each modal: screen readers ignore regions outside an open modal.
import { createContext } from "preact";
import { useCallback, useContext, useState } from "preact/hooks";

const Announce = createContext(() => {});

/** Says one whole sentence, once, in the nearest region. @returns {(sentence: string) => void} */
export const useAnnounce = () => useContext(Announce);

export function Announcer({ children }) {
  const [said, setSaid] = useState({ sentence: "", turn: 0 });
  const announce = useCallback((sentence) => setSaid(({ turn }) => ({ sentence, turn: turn + 1 })), []);
  return (
    <Announce.Provider value={announce}>
      {children}
      <p role="status" class="unseen">
        <span key={said.turn}>{said.sentence}</span>
      </p>
    </Announce.Provider>
  );
}
