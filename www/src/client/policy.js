// Defines the policy of an account, and says its values.

/**
 * @typedef {'portal' | 'registry'} Preset
 * @typedef {'none' | 'password' | 'email_code' | 'totp' | 'passkey'} DemandedProof
 * @typedef {typeof CLASSES[number]} ActionClass
 * @typedef {Record<ActionClass, DemandedProof>} Proofs
 *
 * @typedef {object} Policy
 * @property {Preset} preset the preset from which it was made; fields may differ from it
 * @property {'many' | 'one'} keys_per_member
 * @property {string} default_life `never`, or as in `90d` or `1y`
 * @property {string} longest_life
 * @property {boolean} keys_follow_member
 * @property {boolean} viewable_allowed
 * @property {boolean} demands_mfa
 * @property {boolean} deletion_by_code
 * @property {boolean} mail_on_generation
 * @property {Proofs} [proofs] proof of identity that each class of actions demands; a server of an
 *   earlier release names none, and demands passwords
 */

/** Classes of actions, in the order of forms. */
export const CLASSES = /** @type {const} */ ([
  "change_keys",
  "show_secrets",
  "change_service",
  "manage_members",
  "change_account",
  "operate",
]);

/** Demands, in the order of forms. @type {DemandedProof[]} */
export const PROOFS = ["none", "password", "email_code", "totp", "passkey"];

/** A password for each class, as every preset has it. */
const PASSWORDS = /** @type {Proofs} */ (Object.fromEntries(CLASSES.map((name) => [name, "password"])));

/** Returns the demands of a policy. @param {Policy} policy */
export const proofsOf = (policy) => policy.proofs ?? PASSWORDS;

/** All fields of each preset. @type {Record<Preset, Policy>} */
export const PRESETS = {
  portal: {
    preset: "portal",
    keys_per_member: "many",
    default_life: "never",
    longest_life: "never",
    keys_follow_member: false,
    viewable_allowed: true,
    demands_mfa: false,
    deletion_by_code: true,
    mail_on_generation: false,
    proofs: PASSWORDS,
  },
  registry: {
    preset: "registry",
    keys_per_member: "one",
    default_life: "1y",
    longest_life: "1y",
    keys_follow_member: true,
    viewable_allowed: false,
    demands_mfa: true,
    deletion_by_code: false,
    mail_on_generation: true,
    proofs: PASSWORDS,
  },
};

/** Fields that are true or false, in the order of forms. */
export const FLAGS = /** @type {const} */ ([
  "keys_follow_member",
  "viewable_allowed",
  "demands_mfa",
  "deletion_by_code",
  "mail_on_generation",
]);

/**
 * Returns the policy of the member's account; a server of an earlier release names none.
 * @param {{account: {policy?: Policy}}} session
 */
export const policyOf = (session) => session.account.policy ?? PRESETS.portal;

/** Returns `true` if each member has one key pair. @param {{account: {policy?: Policy}}} session */
export const hasPairs = (session) => policyOf(session).keys_per_member === "one";

/**
 * Returns the number of days of a life, `Infinity` for `never`.
 * @param {string} life
 */
export function daysOf(life) {
  const number = Number.parseInt(life, 10);
  if (Number.isNaN(number)) return Infinity;
  return life.endsWith("y") ? number * 365 : number;
}

/**
 * Says a life.
 * @param {import('../i18n/locale.jsx').Say} say
 * @param {'default_life' | 'longest_life'} field
 * @param {string} life
 */
export function lifeText(say, field, life) {
  if (life === "never") return say(`policy.${field}.never`);
  return say(life.endsWith("y") ? "policy.years" : "policy.days", { count: Number.parseInt(life, 10) });
}

/**
 * Says the preset of a policy, and if fields differ from it.
 * @param {import('../i18n/locale.jsx').Say} say
 * @param {Policy} policy
 */
export function presetText(say, policy) {
  const preset = say(`policy.preset.${policy.preset}`);
  const { proofs: _, ...plain } = PRESETS[policy.preset] ?? {};
  const given = /** @type {Record<string, unknown>} */ (policy);
  const proofs = proofsOf(policy);
  const same =
    Object.entries(plain).every(([field, value]) => given[field] === value) &&
    CLASSES.every((name) => proofs[name] === PASSWORDS[name]);
  return same ? preset : say("policy.differs", { preset });
}
