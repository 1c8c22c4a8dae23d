// One fact of a list of facts.

/** @param {{term: any, children: any}} props */
export const Detail = ({ term, children }) => (
  <div>
    <dt>{term}</dt>
    <dd>{children}</dd>
  </div>
);
