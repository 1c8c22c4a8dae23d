// Draws the choices of a time zone and of a language.
import { LANGUAGES } from "../i18n/locale.jsx";
import { ZONES } from "../i18n/zones.js";

const REGIONS = Map.groupBy(ZONES, (zone) => (zone.includes("/") ? zone.split("/")[0] : "UTC"));

/**
 * @typedef {import('../i18n/locale.jsx').Language} Language
 * @typedef {import('./fields.jsx').ControlAttributes} ControlAttributes
 */

/**
 * Draws the time zones by region. The browser's own zone may be one that the list lacks.
 * Further attributes go to the control.
 * @param {ControlAttributes & {value: string, onChange: (zone: string) => void}} props
 */
export function ZoneSelect({ value, onChange, ...control }) {
  return (
    <select {...control} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {!ZONES.includes(value) && <option>{value}</option>}
      {[...REGIONS].map(([region, zones]) => (
        <optgroup key={region} label={region}>
          {zones.map((zone) => (
            <option key={zone} value={zone}>
              {zone.replaceAll("_", " ")}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}

/**
 * Draws each language by its own name. Further attributes go to the control.
 * @param {ControlAttributes & {value: Language, onChange: (language: Language) => void}} props
 */
export function LanguageSelect({ value, onChange, ...control }) {
  return (
    <select
      {...control}
      value={value}
      onChange={(event) => onChange(/** @type {Language} */ (event.currentTarget.value))}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <option key={code} value={code} lang={code}>
          {name}
        </option>
      ))}
    </select>
  );
}
