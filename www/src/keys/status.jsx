// A key's status: one word, and an icon that differs by shape.
import { ActiveIcon, DisabledIcon, ExpiredIcon, WaitingIcon } from "../icons.jsx";
import { useLocale } from "../locale.jsx";

const ICONS = { active: ActiveIcon, disabled: DisabledIcon, expired: ExpiredIcon, not_yet_valid: WaitingIcon };

/** @param {{status: import('./key.js').Key['status']}} props */
export function Status({ status }) {
  const { say } = useLocale();
  const Icon = ICONS[status];
  return (
    <span class={`status ${status}`}>
      <Icon />
      {say(`status.${status}`)}
    </span>
  );
}
