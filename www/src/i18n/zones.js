// Lists the time zones under their present names. Browsers keep the names of their first data, such
// as Asia/Calcutta; the server accepts both.

/** Present names by earlier ones, as in the IANA database. @type {Record<string, string>} */
const RENAMED = {
  "Africa/Asmera": "Africa/Asmara",
  "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
  "America/Catamarca": "America/Argentina/Catamarca",
  "America/Coral_Harbour": "America/Atikokan",
  "America/Cordoba": "America/Argentina/Cordoba",
  "America/Fort_Wayne": "America/Indiana/Indianapolis",
  "America/Godthab": "America/Nuuk",
  "America/Indianapolis": "America/Indiana/Indianapolis",
  "America/Jujuy": "America/Argentina/Jujuy",
  "America/Louisville": "America/Kentucky/Louisville",
  "America/Mendoza": "America/Argentina/Mendoza",
  "Asia/Calcutta": "Asia/Kolkata",
  "Asia/Katmandu": "Asia/Kathmandu",
  "Asia/Rangoon": "Asia/Yangon",
  "Asia/Saigon": "Asia/Ho_Chi_Minh",
  "Atlantic/Faeroe": "Atlantic/Faroe",
  "Europe/Kiev": "Europe/Kyiv",
  "Pacific/Enderbury": "Pacific/Kanton",
  "Pacific/Ponape": "Pacific/Pohnpei",
  "Pacific/Truk": "Pacific/Chuuk",
};

/**
 * Returns the present name of a zone. A browser that does not know it keeps the earlier one.
 * @param {string} zone
 */
export function presentName(zone) {
  const name = RENAMED[zone];
  if (!name) return zone;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }) && name;
  } catch {
    return zone;
  }
}

/** The zones of this browser, and UTC, which its list leaves out. */
export const ZONES = [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone").map(presentName)])].sort((one, other) =>
  one < other ? -1 : 1,
);
