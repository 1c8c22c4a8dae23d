// Calls to copy. Each takes its secret from a prompt: it enters neither the shell's history nor the list of processes.

/** A call of the protected API. @param {{base_url: string, example_path: string}} api */
export const exampleCall = (api) =>
  `read -rs API_KEY\nprintf 'Authorization: Bearer %s' "$API_KEY" |\n  curl -H @- '${new URL(api.example_path, api.base_url)}'`;

/** Issues a key that ends in five minutes, by the service password. @param {string} serviceId @param {string} origin where the issuance API is */
export const exampleIssue = (serviceId, origin) =>
  `read -rs SERVICE_PASSWORD\nprintf 'sid=${serviceId}&spw=%s&epi=5m' "$SERVICE_PASSWORD" |\n  curl --fail-with-body -d @- \\\n    '${origin}/issue_service_authorization'`;
