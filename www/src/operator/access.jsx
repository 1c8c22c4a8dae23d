// Draws what an operator has to do at Cloudflare Access.
import { useSession } from "../client/session.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice, RetryNotice } from "../ui/problem.jsx";

/** Address behind Access that leads back to the operator's pages. */
const SIGN_IN = "/v1/operator/sign-in";
/** Address at which Access ends a person's sign-in, on every host that it is in front of. */
const SIGN_OUT = "/cdn-cgi/access/logout";

/** Codes of problems that a sign-in at Access solves. */
const CODES = ["access_sign_in", "access_not_listed", "access_too_old"];

/** @typedef {import('../client/api.js').Problem} Problem */

/**
 * Returns the problem as an operator's page shows it. Under Access, a person who is none finds no
 * accounts.
 * @param {import('../client/session.jsx').Session} session
 * @param {Problem | null} problem
 */
export const accessProblem = (session, problem) =>
  problem?.code === "not_found" && session.operator && session.operator_by === "access"
    ? { ...problem, code: "access_not_listed" }
    : problem;

/**
 * Draws the links to Access that solve a problem, if there are any.
 * @param {{problem: Problem | null | undefined}} props
 */
export function AccessLinks({ problem }) {
  const { say } = useLocale();
  const { session } = useSession();
  if (session.operator_by !== "access" || !problem || !CODES.includes(problem.code)) return null;
  return (
    <div class="row">
      {problem.code === "access_too_old" && <a href={SIGN_OUT}>{say("access.sign-out")}</a>}
      <a href={SIGN_IN}>{say("access.sign-in")}</a>
    </div>
  );
}

/**
 * Draws the problem of a page that could not be loaded.
 * @param {{problem: Problem | null, as: string, onRetry: () => void}} props
 */
export function OperatorProblem({ problem, as, onRetry }) {
  if (!problem || !CODES.includes(problem.code)) return <RetryNotice problem={problem} as={as} onRetry={onRetry} />;
  return (
    <ProblemNotice problem={problem}>
      <AccessLinks problem={problem} />
    </ProblemNotice>
  );
}
