// Names the issuer of a key: a member, another key by the issuance API, or the service password.
import { keyAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";

/** @param {{subject: import('./model.js').Key}} props */
export function Issuer({ subject: { issued_by, created_by } }) {
  const { say } = useLocale();
  if (issued_by?.kind === "key" && issued_by.id)
    return say("issuer.key", { name: <a href={keyAddress(issued_by.id)}>{issued_by.name}</a> });
  if (issued_by?.kind === "service") return <a href="#/connection">{say("issuer.service")}</a>;
  return say("issuer.member", { name: issued_by?.name ?? created_by });
}
