// The operator's pages are for few people; the others load none of it.
import { lazy } from "../lazy.jsx";

/** Takes `{cursor}`. */
export const AccountsPage = lazy(async () => (await import("./accounts-page.jsx")).AccountsPage, "loading.console");

/** Takes `{id}`. */
export const AccountPage = lazy(async () => (await import("./account-page.jsx")).AccountPage, "loading.console");
