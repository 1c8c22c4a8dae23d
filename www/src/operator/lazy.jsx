// The operator's pages are for few people; the others load none of it.
import { lazy } from "../ui/deferred.jsx";

/** Takes `{cursor}`. */
export const AccountsPage = lazy(async () => (await import("./accounts.jsx")).AccountsPage, "loading.console");

/** Takes `{id}`. */
export const AccountPage = lazy(async () => (await import("./account.jsx")).AccountPage, "loading.console");
