// Something to read where an act failed. It takes the focus, so that it is read.
import { useEffect, useRef } from "preact/hooks";

/** @param {{about: any, bad?: boolean, children: any}} props a new `about` takes the focus again */
export function Notice({ about, bad = true, children }) {
  const box = useRef(null);
  useEffect(() => box.current.focus(), [about]);
  return (
    <div class={bad ? "notice bad" : "notice"} ref={box} tabIndex={-1}>
      {children}
    </div>
  );
}
