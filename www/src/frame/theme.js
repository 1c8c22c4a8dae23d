// Applies the theme: light, dark, or the system's. This browser remembers the choice.
const STORAGE_KEY = "claviger.theme";

/** @typedef {'system' | 'light' | 'dark'} Theme */

/** Returns the theme chosen in this browser. @returns {Theme} */
export function chosenTheme() {
  const theme = localStorage.getItem(STORAGE_KEY);
  return theme === "light" || theme === "dark" ? theme : "system";
}

/** Applies a theme to the page. */
export function applyTheme(theme = chosenTheme()) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Remembers and applies a theme. @param {Theme} theme */
export function chooseTheme(theme) {
  localStorage.setItem(STORAGE_KEY, theme);
  applyTheme(theme);
}
