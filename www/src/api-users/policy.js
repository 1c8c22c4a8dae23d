// Leaves out what the server says of keys alone. It checks times and networks of a form as those of
// a key, for which the account's policy counts; no policy is about API users.

/** Codes of the account's policy. */
const OF_POLICY = ["too_long_for_policy"];

/** @param {import('../client/api.js').FieldError} error */
const isOfPolicy = ({ code }) => OF_POLICY.includes(code);

/**
 * @param {import('../client/api.js').FieldError[]} errors
 * @returns {import('../client/api.js').FieldError[]}
 */
export const errorsWithoutPolicy = (errors) => errors.filter((error) => !isOfPolicy(error));

/**
 * @param {import('../key/model.js').Checked} notes
 * @returns {import('../key/model.js').Checked}
 */
export const withoutPolicy = ({ errors = [], ...notes }) => ({ ...notes, errors: errorsWithoutPolicy(errors) });
