// Draws the page of one thing that the server holds, and the link back to its list.
import { BackIcon } from "../ui/icons.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { NotFoundPage, PageTitle } from "./shell.jsx";

/** @typedef {import('preact').ComponentChildren} Children */

/**
 * Draws the link to the list that a page belongs to.
 * @param {{href: string, children: Children}} props
 */
export const BackLink = ({ href, children }) => (
  <p class="back">
    <a href={href}>
      <BackIcon /> {children}
    </a>
  </p>
);

/**
 * Draws what has been loaded. Until then it says that it is loading, that loading failed, or that
 * there is no such thing.
 * @template Data
 * @param {object} props
 * @param {{data: Data | null, problem: import('../client/api.js').Problem | null,
 *   reload: () => void}} props.loaded
 * @param {Children} props.back the link back
 * @param {string} props.title of the page while there is nothing to name it after
 * @param {string} props.loading key of the message of a long wait
 * @param {string} props.failed code whose message to show if loading failed
 * @param {(data: Data) => Children} props.children
 */
export function LoadedPage({ loaded: { data, problem, reload }, back, title, loading, failed, children }) {
  if (problem?.code === "not_found") return <NotFoundPage />;
  if (!data && !problem) return <Loading message={loading} />;
  return (
    <>
      {back}
      {data ? (
        children(data)
      ) : (
        <>
          <PageTitle title={title} />
          <RetryNotice problem={problem} as={failed} onRetry={reload} />
        </>
      )}
    </>
  );
}
