// How to handle a key well.
import { useLocale } from "../i18n/locale.jsx";
import { InfoIcon } from "../ui/icons.jsx";

/** Advice where keys are issued and shown. */
export function Advice() {
  const { say } = useLocale();
  return (
    <p class="advice">
      <InfoIcon /> <span>{say("form.advice")}</span>
    </p>
  );
}
