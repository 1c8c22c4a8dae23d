// Confirms that several keys are disabled. Each goes by its own request; what was done stays done.
import { useSession } from "../../client/session.jsx";
import { sayWithin } from "../../i18n/bound.js";
import { useLocale } from "../../i18n/locale.jsx";
import { Confirmation } from "../../ui/confirmation.jsx";
import { ProblemNotice, isUncertain } from "../../ui/problem.jsx";
import { useDisabling } from "../deletion/dialog.jsx";
import { AtStake, issuedBy } from "../at-stake.jsx";
import { KeyList } from "../deletion/parts.jsx";

/**
 * @param {object} props
 * @param {import('../model.js').Key[]} props.keys
 * @param {(result: import('../model.js').KeyResult) => void} props.onDone
 * @param {() => void} props.onStale called if the page may show what is no longer so
 * @param {() => void} props.onCancel
 */
export function BulkDisabling({ keys, onDone, onStale, onCancel }) {
  const { say } = useLocale();
  const { session } = useSession();
  const disabling = useDisabling(keys, onDone);
  const count = disabling.left;
  const enabled = keys.filter((key) => key.enabled);
  const leave = () => {
    if (disabling.busy) return;
    if (disabling.some || isUncertain(disabling.problem)) onStale();
    onCancel();
  };
  return (
    <Confirmation
      title={say("disable-many.title", { count })}
      body={sayWithin(say, "disable-many.body", session.account, { count })}
      confirm={disabling.busy ? say("disable.busy") : say("disable-many.confirm", { count })}
      onConfirm={disabling.run}
      onCancel={leave}
    >
      <KeyList keys={enabled} />
      {enabled
        .filter(({ issuable }) => issuable)
        .map((key) => (
          <AtStake key={key.id} path={issuedBy(key)} name={key.name} />
        ))}
      <ProblemNotice problem={disabling.problem} />
    </Confirmation>
  );
}
