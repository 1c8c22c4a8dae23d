// Shows the policy of an account.
import { FLAGS, lifeText, presetText } from "../client/policy.js";
import { useLocale } from "../i18n/locale.jsx";
import { Detail } from "./detail.jsx";

/** @param {{policy: import('../client/policy.js').Policy}} props */
export function PolicyFacts({ policy }) {
  const { say } = useLocale();
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
    </dl>
  );
}
