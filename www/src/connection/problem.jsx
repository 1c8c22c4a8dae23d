// Problems of the service credentials.
import { ProblemNotice } from "../ui/problem.jsx";

/**
 * Words a conflict as one about the service credentials.
 * @param {{problem: import('../client/api.js').Problem | null}} props
 */
export const ServiceProblem = ({ problem }) => (
  <ProblemNotice problem={problem} as={problem?.code === "changed_meanwhile" ? "service_changed" : undefined} />
);
