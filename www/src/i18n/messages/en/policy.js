// Holds the messages of the account's policy, and of the key pair of a member.
export default {
  // The key pair
  "loading.pair": "Loading your key pair",
  "problem.pair_not_loaded": "Your key pair could not be loaded; nothing was changed.",
  "pair.heading": "Your key pair",
  "pair.others": "Keys of all members",
  "pair.others.none": "No member has a key yet.",
  "pair.none": "You have no key pair yet. A pair that you generate now works until {at} ({zone}).",
  "pair.none.unlimited": "You have no key pair yet.",
  "pair.permission": "Your role cannot generate or manage a key pair. Ask {names}.",
  "pair.second-factor":
    "A key pair needs multi-factor authentication (MFA). Set it up first, then generate your key pair here.",
  "pair.mfa-off": "MFA is off, so this pair is refused. It works again once MFA is on.",
  "pair.second-factor.setup": "Set up MFA",
  "status.mfa_off.until.own": "until you turn MFA on",
  "status.mfa_off.until": "until {name} turns MFA on",
  "status.mfa_off.until.removed": "{name}, who left, had no MFA",
  "mfa-off.key": "This key is {name}’s, and MFA is off for {name}. It is refused until {name} turns MFA on.",
  "mfa-off.key.own": "Your MFA is off, so your key is refused until you turn MFA on.",
  "mfa-off.key.removed":
    "This key was {name}’s, who left the account without MFA. It stays refused; issue another key in its place.",
  "mfa-off.issued":
    "The key that issued this one is {name}’s, and MFA is off for {name}. Both are refused until {name} turns MFA on.",
  "mfa-off.issued.own":
    "You answer for the key that issued this one, and your MFA is off. Both are refused until you turn MFA on.",
  "mfa-off.issued.removed":
    "The key that issued this one was {name}’s, who left the account without MFA. Both stay refused; issue other keys in their place.",
  "mfa-off.stays": "It stays refused until {name} turns MFA on.",
  "mfa-off.stays.own": "It stays refused until you turn MFA on.",
  "mfa-off.stays.removed": "It stays refused, because {name} left the account without MFA.",
  "pair.generate": "Generate New Key",
  "pair.expires": "Expiration date",
  "pair.switch": "{name} active",
  "pair.deleted.open": "Open the deleted key pair",
  "pair.rename": "Rename",
  "pair.details": "Details and limits",
  "pair.name": "{name}’s key pair",
  "pair.name.hint": "Only your account sees the name. You can change it at any time.",
  "pair.form.lead": "The access secret is shown once. The pair works until {at} ({zone}).",
  "pair.form.submit": "Generate",
  "pair.form.busy": "Generating…",
  "pair.form.no-answer":
    "No answer came. Your key pair may exist: close this and look. If it does, delete it; its secret was never shown.",
  "pair.form.already":
    "Your key pair “{name}” was generated before. Its secret was shown once: delete it if it is lost.",
  "pair.reveal.title": "Your key pair is generated.",
  "pair.reveal.once":
    "Store the access secret now: it is not shown again. If it is lost, delete the pair and generate another.",
  "pair.reveal.whole": "As one key",
  "pair.reveal.whole.hint": "The same pair in one string, for clients that send a single key.",
  "pair.close.body": "If the access secret is lost, delete the pair and generate another.",
  "rename.title": 'Rename "{name}"',
  "rename.submit": "Rename",
  "rename.busy": "Renaming…",
  "result.generated": '"{name}" is generated.',
  "result.renamed": '"{name}" is the new name.',
  "problem.key_pair_exists": "You already have a key pair. Delete it before you generate another.",
  "problem.mfa_required": "This account requires multi-factor authentication (MFA). Set it up first.",
  "problem.code_required": "Deleting keys in this account requires a code by mail. Reload the page and try again.",
  "problem.not_your_key":
    "This key belongs to another member, who alone may change it. Owners may disable and delete it.",
  "problem.key_member_gone": "The member of this key has left the account, and the key ended with the membership.",
  "error.expires.too_long_for_policy": "Keys of this account may not work so long. Choose an earlier end.",
  "error.viewable.not_allowed": "Keys of this account cannot be shown again. Clear this box.",

  // Ends of a membership
  "remove.keys": {
    one: "{email} is signed out of this account at once, in every browser. {count} key of theirs ends with the membership and is refused everywhere within {seconds} s. Only a new invitation undoes this; the key stays deleted.",
    other:
      "{email} is signed out of this account at once, in every browser. {count} keys of theirs end with the membership and are refused everywhere within {seconds} s. Only a new invitation undoes this; the keys stay deleted.",
  },
  "remove.keys.now": {
    one: "{email} is signed out of this account at once, in every browser. {count} key of theirs ends with the membership and is refused everywhere at once. Only a new invitation undoes this; the key stays deleted.",
    other:
      "{email} is signed out of this account at once, in every browser. {count} keys of theirs end with the membership and are refused everywhere at once. Only a new invitation undoes this; the keys stay deleted.",
  },
  "remove.keys.eventually": {
    one: "{email} is signed out of this account at once, in every browser. {count} key of theirs ends with the membership; most places refuse it within a minute, some take longer. Only a new invitation undoes this; the key stays deleted.",
    other:
      "{email} is signed out of this account at once, in every browser. {count} keys of theirs end with the membership; most places refuse them within a minute, some take longer. Only a new invitation undoes this; the keys stay deleted.",
  },
  "remove.no-keys":
    "{email} is signed out of this account at once, in every browser. Only a new invitation undoes this.",
  "leave.keys": {
    one: "You are signed out of this account at once, in every browser. Your key ends with the membership and is refused everywhere within {seconds} s. Only a new invitation undoes this; the key stays deleted.",
    other:
      "You are signed out of this account at once, in every browser. Your {count} keys end with the membership and are refused everywhere within {seconds} s. Only a new invitation undoes this; the keys stay deleted.",
  },
  "leave.keys.now": {
    one: "You are signed out of this account at once, in every browser. Your key ends with the membership and is refused everywhere at once. Only a new invitation undoes this; the key stays deleted.",
    other:
      "You are signed out of this account at once, in every browser. Your {count} keys end with the membership and are refused everywhere at once. Only a new invitation undoes this; the keys stay deleted.",
  },
  "leave.keys.eventually": {
    one: "You are signed out of this account at once, in every browser. Your key ends with the membership; most places refuse it within a minute, some take longer. Only a new invitation undoes this; the key stays deleted.",
    other:
      "You are signed out of this account at once, in every browser. Your {count} keys end with the membership; most places refuse them within a minute, some take longer. Only a new invitation undoes this; the keys stay deleted.",
  },
  "leave.no-keys": "You are signed out of this account at once, in every browser. Only a new invitation undoes this.",

  "bound.keys.by": "Their keys are refused everywhere by {time} ({zone}).",
  "bound.keys.since": "Their keys are refused everywhere since {time} ({zone}).",
  "bound.keys.now": "Their keys are refused everywhere from now on.",
  "bound.keys.eventually": "Most places refuse their keys within a minute; some take longer.",

  // The policy
  "policy.title": "Key policy",
  "policy.change": "Change policy",
  "policy.preset": "Preset",
  "policy.preset.portal": "Portal",
  "policy.preset.registry": "Registry",
  "policy.preset.portal.hint": "Members issue many keys. Keys belong to the account and outlive their member.",
  "policy.preset.registry.hint":
    "Each member has one key pair for a year. It belongs to the member and ends with the membership.",
  "policy.differs": "{preset}, with changes",
  "policy.keys_per_member": "Keys for each member",
  "policy.keys_per_member.many": "Many",
  "policy.keys_per_member.one": "One key pair",
  "policy.default_life": "Lifetime of a key without a stated expiry",
  "policy.default_life.never": "None: each key states its expiry",
  "policy.longest_life": "Longest lifetime of a key",
  "policy.longest_life.never": "Unlimited",
  "policy.days": { one: "{count} day", other: "{count} days" },
  "policy.years": { one: "{count} year", other: "{count} years" },
  "policy.keys_follow_member": "Keys belong to their member and end with the membership",
  "policy.viewable_allowed": "Keys can be made viewable",
  "policy.demands_mfa": "Keys need MFA",
  "policy.deletion_by_code": "Deleting keys needs a code by mail",
  "policy.mail_on_generation": "A mail to the member confirms each new key",
  "policy.proofs": "Proof of identity",
  "policy.proofs.legend": "Proof of identity before an action",
  "policy.proofs.hint":
    "No older than 10 minutes. A member with MFA confirms with it, also where a password or a code by mail is chosen.",
  "policy.proofs.change_keys": "To issue and change keys",
  "policy.proofs.show_secrets": "To show a secret again",
  "policy.proofs.change_service": "To change the service password",
  "policy.proofs.manage_members": "To manage members",
  "policy.proofs.change_account": "To change the account",
  "policy.proofs.operate": "To operate other accounts",
  "policy.proofs.line": "{action}: {proof}",
  "policy.proofs.others": "Otherwise: Password",
  "policy.proof.none": "None",
  "policy.proof.password": "Password",
  "policy.proof.email_code": "Code by mail",
  "policy.proof.totp": "MFA",
  "policy.proof.passkey": "Passkey",
  "policy.next": "Preview",
  "policy.previewing": "Previewing…",
  "policy.preview.title": 'Change the policy of "{name}"?',
  "policy.preview.lead":
    "The change ends no key for good. It applies to what members do from then on, and MFA also to the keys that are there.",
  "policy.preview.none": "It concerns no key and no member that is there.",
  "policy.preview.same": "Nothing differs from the present policy.",
  "policy.preview.line": "{what} {names}",
  "policy.preview.names": "For example: {names}.",
  "policy.preview.all": "{names}.",
  "policy.confirm": "Change policy",
  "policy.busy": "Changing…",
  "policy.meanwhile": "Someone changed this policy meanwhile. Nothing was done; look at the preview again.",
  "policy.effect.members_with_more_keys": {
    one: "{count} member holds more than one key. The keys stay, and the member can issue another only once all are deleted.",
    other:
      "{count} members hold more than one key. The keys stay, and a member can issue another only once all of theirs are deleted.",
  },
  "policy.effect.keys_that_live_longer": {
    one: "{count} key lives longer than the new limit. It keeps its end.",
    other: "{count} keys live longer than the new limit. They keep their end.",
  },
  "policy.effect.keys_no_longer_shown": {
    one: "{count} viewable key can no longer be shown.",
    other: "{count} viewable keys can no longer be shown.",
  },
  "policy.effect.keys_that_follow": {
    one: "{count} key will end with its member’s membership.",
    other: "{count} keys will end with their members’ memberships.",
  },
  "policy.effect.keys_that_stay": {
    one: "{count} key will outlive its member’s membership.",
    other: "{count} keys will outlive their members’ memberships.",
  },
  "policy.effect.keys_without_member": {
    one: "{count} key has no member any more. It stays; owners may disable and delete it.",
    other: "{count} keys have no member any more. They stay; owners may disable and delete them.",
  },
  "policy.effect.members_without_factor": {
    one: "{count} owner or administrator must set up MFA before issuing a key.",
    other: "{count} owners and administrators must set up MFA before issuing a key.",
  },
  "policy.effect.members_without_proof": {
    one: "{count} member must set up MFA before some actions.",
    other: "{count} members must set up MFA before some actions.",
  },
  "policy.effect.keys_without_factor": {
    one: "{count} key is refused until its member turns MFA on.",
    other: "{count} keys are refused until their members turn MFA on.",
  },
  "policy.effect.keys_back_without_factor": {
    one: "{count} key works again, although its member has MFA off.",
    other: "{count} keys work again, although their members have MFA off.",
  },
  "result.policy": 'The policy of "{name}" is changed.',
  "error.default_life.longer_than_longest": "Choose a lifetime that is no longer than the longest one.",
  "error.operate.proof_needed": "Choose a proof: operating other accounts needs one.",
  "error.keys_follow_member.too_many_keys":
    "A member holds more than {max} keys, which cannot end together. Have some deleted first.",
};
