// Light, dark, or as the system has it. The choice stays in this browser.
const STORAGE_KEY = "claviger.theme";

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** @type {Theme[]} */
export const THEMES = ["system", "light", "dark"];

/** @returns {Theme} */
export function chosenTheme() {
  const theme = localStorage.getItem(STORAGE_KEY);
  return THEMES.includes(theme) ? theme : "system";
}

export function applyTheme(theme = chosenTheme()) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** @param {Theme} theme */
export function chooseTheme(theme) {
  localStorage.setItem(STORAGE_KEY, theme);
  applyTheme(theme);
}
