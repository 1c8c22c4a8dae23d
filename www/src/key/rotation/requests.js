// Sends the requests about regenerated keys.
import { ifUnchanged } from "../model.js";

/**
 * @typedef {import('../model.js').Key} Key
 * @typedef {import('../model.js').Secrets & {key: Key, replaced: Key,
 *   bound: import('../model.js').Bound}} Regenerated
 */

/**
 * Regenerates a key; one `idempotencyKey` makes at most one, however often the request is sent.
 * @param {import('../model.js').Request} request
 * @param {Key} key
 * @param {{overlap: string | null, expires: string | null}} fields
 * @param {string} idempotencyKey
 * @returns {import('../model.js').Answering<Regenerated>}
 */
export const regenerateKey = (request, key, fields, idempotencyKey) =>
  request("POST", `/v1/keys/${encodeURIComponent(key.id)}/regenerate`, {
    headers: { ...ifUnchanged(key), "Idempotency-Key": idempotencyKey },
    body: fields,
  });
