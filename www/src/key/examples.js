// Writes example calls. Each reads its secret from a prompt, which keeps it out of the shell's
// history and the list of processes.

/** Returns a call of the protected API. @param {{base_url: string, example_path: string}} api */
export const exampleCall = (api) =>
  `read -rs API_KEY\nprintf 'Authorization: Bearer %s' "$API_KEY" |\n  curl -H @- '${new URL(api.example_path, api.base_url)}'`;

/**
 * Returns a call that issues a key for five minutes by the service password.
 * @param {string | null} serviceId
 * @param {string} origin of the issuance API
 */
export const exampleIssue = (serviceId, origin) =>
  `read -rs SERVICE_PASSWORD\nprintf 'sid=${serviceId}&spw=%s&epi=5m' "$SERVICE_PASSWORD" |\n  curl --fail-with-body -d @- \\\n    '${origin}/issue_service_authorization'`;
