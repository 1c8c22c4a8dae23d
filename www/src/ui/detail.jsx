// Draws one entry of a description list.

/** @param {{term: string, children: import('preact').ComponentChildren}} props */
export const Detail = ({ term, children }) => (
  <div>
    <dt>{term}</dt>
    <dd>{children}</dd>
  </div>
);
