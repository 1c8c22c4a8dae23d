// One key: facts, limits, what it may issue, what was done with it, and every act as a plain button.
import { useEffect, useState } from "preact/hooks";
import { KeyActivity } from "../activity/lazy.jsx";
import { useAnnounce } from "../ui/announcer.jsx";
import { mayChange, mayDecide, useConsole } from "../client/session.jsx";
import { Copyable } from "../ui/copy.jsx";
import { Fact } from "../ui/detail.jsx";
import { BackIcon } from "../ui/icons.jsx";
import { useLocale } from "../i18n/locale.jsx";
import { ProblemNotice } from "../ui/problem.jsx";
import { LostPage, PageTitle } from "../frame/shell.jsx";
import { Late, useTick } from "../ui/loading.jsx";
import { Act, actsOn } from "../key/actions/dialog.jsx";
import { Ceiling, Codes } from "../key/limits.jsx";
import { Issuer } from "../key/issuer.jsx";
import { loadKey } from "../key/model.js";
import { Expiry, LastUse, Past } from "../key/times.jsx";
import { OutcomeNote, outcomeText } from "../ui/result.jsx";
import { ShowButton } from "../key/viewer.jsx";
import { Status } from "../key/status.jsx";

/** @param {{id: string}} props from the address bar */
export function KeyPage({ id }) {
  const { say } = useLocale();
  const { request } = useConsole();
  const [key, setKey] = useState(null);
  const [problem, setProblem] = useState(null);
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    let left = false;
    setProblem(null);
    loadKey(request, id).then((answer) => {
      if (left) return;
      if (answer.ok) setKey(answer.data);
      else setProblem(answer.problem);
    });
    return () => {
      left = true;
    };
  }, [request, id, turn]);

  const again = () => setTurn((before) => before + 1);
  if (problem?.code === "not_found") return <LostPage />;
  if (key) return <Loaded subject={key} onKey={setKey} onUnsure={again} />;
  if (!problem) return <Late what="loading.key" />;
  return (
    <>
      <Back />
      <PageTitle title={say("key.title")} />
      <ProblemNotice problem={problem} as="key_not_loaded">
        <button type="button" onClick={again}>
          {say("retry")}
        </button>
      </ProblemNotice>
    </>
  );
}

/** @param {{subject: import("../key/model.js").Key, onKey: (key: object) => void, onUnsure: () => void}} props */
function Loaded({ subject, onKey, onUnsure }) {
  const locale = useLocale();
  const { say, format } = locale;
  const announce = useAnnounce();
  const { session } = useConsole();
  const [what, setWhat] = useState(null);
  const [outcome, setOutcome] = useState(null);
  const isDeleted = subject.status === "deleted";
  const acts = mayChange(session) ? actsOn(subject) : [];
  useTick(30_000);

  const settle = (done) => {
    setWhat(null);
    setOutcome(done);
    announce(outcomeText(locale, done));
    // What is deleted is told by its identifiers alone.
    if (done.act === "deleted") onUnsure();
    else onKey(done.keys[0]);
  };
  /** The button that led to a deletion is gone with it. */
  useEffect(() => {
    if (outcome?.act === "deleted") document.querySelector("h1").focus();
  }, [outcome]);
  const open = (act) => () => {
    setOutcome(null);
    setWhat(act);
  };

  return (
    <>
      <Back />
      <div class="page-head">
        <PageTitle title={subject.name} />
        <p class="row">
          {acts
            .filter((act) => act !== "delete")
            .map((act, place) => (
              // By its place: what takes an act's place, as activating does that of disabling, has its focus, too.
              <button key={place} type="button" onClick={open(act)}>
                {say(`act.${act}`)}
              </button>
            ))}
        </p>
      </div>
      {outcome && <OutcomeNote outcome={outcome} />}
      {isDeleted && !outcome && (
        <p class="notice">
          {say("key.deleted", {
            at: format.dateTime(subject.deleted_at),
            until: format.day(new Date(subject.restorable_until)),
          })}
        </p>
      )}
      <Facts subject={subject} />
      <KeyActivity subject={subject} />
      {mayChange(session) && !isDeleted && (
        <section class="apart" aria-labelledby="delete">
          <h2 id="delete">{say("delete.heading")}</h2>
          <p>{say(subject.protected ? (mayDecide(session) ? "protected.lift" : "protected.ask") : "delete.lead")}</p>
          {acts.includes("delete") && (
            <button type="button" class="danger-quiet" onClick={open("delete")}>
              {say("act.delete")}
            </button>
          )}
        </section>
      )}
      <Act
        what={what}
        subject={subject}
        onDone={settle}
        onChanged={onKey}
        onUnsure={onUnsure}
        onCancel={() => setWhat(null)}
      />
    </>
  );
}

function Back() {
  const { say } = useLocale();
  return (
    <p class="back">
      <a href="#/keys">
        <BackIcon /> {say("keys.title")}
      </a>
    </p>
  );
}

function Facts({ subject }) {
  const { say } = useLocale();
  return (
    <div class="facts">
      <section aria-labelledby="facts">
        <h2 id="facts">{say("key.facts")}</h2>
        <Identity subject={subject} />
      </section>
      <section aria-labelledby="limits">
        <h2 id="limits">{say("key.limits")}</h2>
        <Limits subject={subject} />
      </section>
      {subject.issuable && (
        <section class="across" aria-labelledby="key-issuable">
          <h2 id="key-issuable">{say("ceiling.title")}</h2>
          <p class="hint">{say("ceiling.lead")}</p>
          <Ceiling ceiling={subject.issuable} />
        </section>
      )}
    </div>
  );
}

function Identity({ subject }) {
  const { say } = useLocale();
  const { session } = useConsole();
  const showable = subject.viewable && subject.status !== "deleted" && mayChange(session);
  return (
    <dl>
      <Fact term={say("column.status")}>
        <Status subject={subject} />
      </Fact>
      <Fact term={say("key.id")}>
        <Copyable text={subject.access_key} label={say("copy.id")} />
      </Fact>
      {subject.viewable && (
        <Fact term={say("reveal.key")}>
          {say("key.viewable")} {showable && <ShowButton subject={subject} />}
        </Fact>
      )}
      {subject.protected && <Fact term={say("key.protected")}>{say("key.protected.yes")}</Fact>}
      <Fact term={say("column.used")}>
        <LastUse subject={subject} exact />
        {subject.uses_24h > 0 && <span class="by">{say("use.day", { count: subject.uses_24h })}</span>}
      </Fact>
      <Fact term={say("column.issued")}>
        <Past at={subject.created_at} exact />
        <span class="by">
          <Issuer subject={subject} />
        </span>
      </Fact>
      <Fact term={say("column.changed")}>
        <Past at={subject.changed_at} exact />
        <span class="by">{say("issuer.member", { name: subject.changed_by })}</span>
      </Fact>
    </dl>
  );
}

function Limits({ subject }) {
  const { say, format } = useLocale();
  const zone = <span class="by">{format.zone}</span>;
  return (
    <dl>
      {subject.not_before && (
        <Fact term={say("key.not-before")}>
          <time dateTime={subject.not_before}>{format.dateTime(subject.not_before)}</time>
          {zone}
        </Fact>
      )}
      <Fact term={say("column.expires")}>
        <Expiry at={subject.expires_at} />
        {subject.expires_at && zone}
      </Fact>
      <Fact term={say("column.networks")}>
        <Codes list={subject.networks} none="networks.anywhere" />
      </Fact>
      <Fact term={say("form.permissions")}>
        <Codes list={subject.permissions} none="permissions.none" />
      </Fact>
    </dl>
  );
}
