// Shows the latest activity of one key or API user, on its page.
import { activityAddress } from "../client/route.js";
import { useLocale } from "../i18n/locale.jsx";
import { Loading } from "../ui/loading.jsx";
import { RetryNotice } from "../ui/problem.jsx";
import { Entries } from "./entries.jsx";
import { useActivity } from "./list.js";

const SHOWN = 10;

/** @typedef {{subject: {id: string, revision: number}}} Props */

/** @param {Props} props */
export const KeyActivity = (props) => <LatestActivity {...props} all="activity.all-of-key" />;

/** @param {Props} props */
export const UserActivity = (props) => <LatestActivity {...props} all="activity.all-of-user" />;

/** @param {Props & {all: string}} props `all` is the key of the link's text */
function LatestActivity({ subject, all }) {
  const { say } = useLocale();
  const { entries, next, asked, problem, again } = useActivity(
    { key: subject.id, limit: String(SHOWN) },
    subject.revision,
  );
  return (
    <section class="key-activity" aria-labelledby="key-activity">
      <div class="section-head">
        <h2 id="key-activity">{say("activity.title")}</h2>
        {next && <a href={activityAddress({ key: subject.id })}>{say(all)}</a>}
      </div>
      {!asked && <Loading message="loading.activity" />}
      <RetryNotice problem={problem} as="activity_not_loaded" still onRetry={again} />
      {asked && !problem && entries.length === 0 && <p class="hint">{say("activity.none")}</p>}
      {entries.length > 0 && <Entries entries={entries} ofKey />}
    </section>
  );
}
