// Advises how to handle keys.
import { useLocale } from "../i18n/locale.jsx";
import { InfoIcon } from "../ui/icons.jsx";

/** Draws the advice where keys are issued and shown. */
export function Advice() {
  const { say } = useLocale();
  return (
    <p class="advice">
      <InfoIcon /> <span>{say("form.advice")}</span>
    </p>
  );
}
