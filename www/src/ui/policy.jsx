// Shows the policy of an account.
import { CLASSES, FLAGS, lifeText, presetText, proofsOf } from "../client/policy.js";
import { useLocale } from "../i18n/locale.jsx";
import { Detail } from "./detail.jsx";

/** @param {{policy: import('../client/policy.js').Policy}} props */
export function PolicyFacts({ policy }) {
  const { say, lang } = useLocale();
  const demands = proofsOf(policy);
  const lines = CLASSES.filter((name) => demands[name] !== "password").map((name) =>
    say("policy.proofs.line", { action: say(`policy.proofs.${name}`), proof: say(`policy.proof.${demands[name]}`) }),
  );
  const others = say(lines.length ? "policy.proofs.others" : "policy.proof.password");
  const proofs = new Intl.ListFormat(lang, { type: "unit" }).format([...lines, others]);
  return (
    <dl class="facts-list policy">
      <Detail term={say("policy.preset")}>{presetText(say, policy)}</Detail>
      <Detail term={say("policy.keys_per_member")}>{say(`policy.keys_per_member.${policy.keys_per_member}`)}</Detail>
      <Detail term={say("policy.longest_life")}>{lifeText(say, "longest_life", policy.longest_life)}</Detail>
      <Detail term={say("policy.default_life")}>{lifeText(say, "default_life", policy.default_life)}</Detail>
      {FLAGS.map((flag) => (
        <Detail key={flag} term={say(`policy.${flag}`)}>
          {say(policy[flag] ? "yes" : "no")}
        </Detail>
      ))}
      <Detail term={say("policy.proofs")}>{proofs}</Detail>
    </dl>
  );
}
