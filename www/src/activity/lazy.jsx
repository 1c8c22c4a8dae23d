// Activity is looked at now and then; until then none of it is loaded.
import { lazy } from "../ui/deferred.jsx";

/** Takes `{query}`. */
export const ActivityPage = lazy(async () => (await import("./page.jsx")).ActivityPage, "loading.activity");

/** Takes `{subject}`. */
export const KeyActivity = lazy(async () => (await import("./history.jsx")).KeyActivity, "loading.activity");
