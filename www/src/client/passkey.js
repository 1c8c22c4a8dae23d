// Asks the browser for passkeys, and turns options and answers from and into base64url.

/**
 * @template Data
 * @typedef {import('./api.js').Answer<Data>} Answer
 */

/**
 * Options of a prompt, in the JSON form of WebAuthn. Bytes are base64url.
 * @typedef {object} PasskeyOptions
 * @property {string} challenge
 * @property {{id: string, type: "public-key", transports: AuthenticatorTransport[]}[]} [allowCredentials]
 * @property {{id: string, type: "public-key", transports: AuthenticatorTransport[]}[]} [excludeCredentials]
 * @property {{id: string, name: string, displayName: string}} [user]
 * @property {number} timeout in milliseconds
 *
 * @typedef {{options: PasskeyOptions, expires_at: string}} PasskeyPrompt
 *
 * @typedef {{client_data: string, attestation_object: string, transports: string[]}} NewPasskey
 * @typedef {{credential_id: string, client_data: string, authenticator_data: string, signature: string,
 *   user_handle?: string}} UsedPasskey
 */

/** Returns `true` if the browser knows passkeys. Without TLS it knows none. */
export const knowsPasskeys = () => typeof globalThis.PublicKeyCredential === "function";

/** @param {string} text */
const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

/** @param {ArrayBuffer} bytes */
const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

/** @param {PasskeyOptions['allowCredentials']} list */
const descriptors = (list = []) => list.map((one) => ({ ...one, id: decode(one.id) }));

/**
 * Names what has stopped a prompt. Browsers do not say if a person has closed it, or let it pass.
 * @param {unknown} error
 * @returns {{ok: false, problem: import('./api.js').Problem}}
 */
function failure(error) {
  const name = error instanceof DOMException ? error.name : "";
  const code =
    { NotAllowedError: "passkey_cancelled", AbortError: "cancelled", InvalidStateError: "passkey_on_device" }[name] ??
    "passkey_unavailable";
  return { ok: false, problem: { code } };
}

/**
 * Has an authenticator make a passkey.
 * @param {PasskeyOptions} options
 * @returns {Promise<Answer<NewPasskey>>}
 */
export async function makePasskey(options) {
  try {
    const user = /** @type {NonNullable<PasskeyOptions['user']>} */ (options.user);
    const publicKey = /** @type {PublicKeyCredentialCreationOptions} */ (
      /** @type {unknown} */ ({
        ...options,
        challenge: decode(options.challenge),
        user: { ...user, id: decode(user.id) },
        excludeCredentials: descriptors(options.excludeCredentials),
      })
    );
    const made = /** @type {PublicKeyCredential} */ (await navigator.credentials.create({ publicKey }));
    const response = /** @type {AuthenticatorAttestationResponse} */ (made.response);
    const data = {
      client_data: encode(response.clientDataJSON),
      attestation_object: encode(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    };
    return { ok: true, data };
  } catch (error) {
    return failure(error);
  }
}

/**
 * Has an authenticator use a passkey.
 * @param {PasskeyOptions} options
 * @param {CredentialRequestOptions} [more] for a prompt that waits in the page
 * @returns {Promise<Answer<UsedPasskey>>}
 */
export async function takePasskey(options, more) {
  try {
    const publicKey = /** @type {PublicKeyCredentialRequestOptions} */ (
      /** @type {unknown} */ ({
        ...options,
        challenge: decode(options.challenge),
        allowCredentials: descriptors(options.allowCredentials),
      })
    );
    const used = /** @type {PublicKeyCredential} */ (await navigator.credentials.get({ ...more, publicKey }));
    const response = /** @type {AuthenticatorAssertionResponse} */ (used.response);
    const data = {
      credential_id: encode(used.rawId),
      client_data: encode(response.clientDataJSON),
      authenticator_data: encode(response.authenticatorData),
      signature: encode(response.signature),
      ...(response.userHandle && { user_handle: encode(response.userHandle) }),
    };
    return { ok: true, data };
  } catch (error) {
    return failure(error);
  }
}
