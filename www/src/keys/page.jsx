// One key: facts, limits, and every act as a plain button.
import { useEffect, useState } from "preact/hooks";
import { useAnnounce } from "../announce.jsx";
import { mayChange, useConsole } from "../console.jsx";
import { CopyButton, selectContents } from "../copy-button.jsx";
import { BackIcon } from "../icons.jsx";
import { useLocale } from "../locale.jsx";
import { ProblemNotice } from "../problem.jsx";
import { LostPage, PageTitle } from "../shell.jsx";
import { Late, useTick } from "../wait.jsx";
import { Act } from "./act.jsx";
import { loadKey } from "./key.js";
import { Expiry, Past } from "./moments.jsx";
import { OutcomeNote, outcomeText } from "./outcome.jsx";
import { Status } from "./status.jsx";

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

  const again = () => setTurn(turn + 1);
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

/** @param {{subject: import("./key.js").Key, onKey: (key: object) => void, onUnsure: () => void}} props */
function Loaded({ subject, onKey, onUnsure }) {
  const locale = useLocale();
  const { say } = locale;
  const announce = useAnnounce();
  const { session } = useConsole();
  const [what, setWhat] = useState(null);
  const [outcome, setOutcome] = useState(null);
  const deleted = outcome?.act === "deleted";
  useTick(30_000);

  useEffect(() => {
    if (deleted) document.querySelector("h1").focus();
  }, [deleted]);

  const settle = (done) => {
    setWhat(null);
    setOutcome(done);
    announce(outcomeText(locale, done));
    onKey(done.key);
  };
  const open = (act) => {
    setOutcome(null);
    setWhat(act);
  };

  return (
    <>
      <Back />
      <div class="page-head">
        <PageTitle title={subject.name} />
        {mayChange(session) && !deleted && (
          <p class="row">
            <button type="button" onClick={() => open("edit")}>
              {say("act.edit")}
            </button>
            <button type="button" onClick={() => open(subject.enabled ? "disable" : "enable")}>
              {say(subject.enabled ? "act.disable" : "act.enable")}
            </button>
          </p>
        )}
      </div>
      {outcome && <OutcomeNote outcome={outcome} />}
      {!deleted && <Facts subject={subject} />}
      {mayChange(session) && !deleted && (
        <section class="apart" aria-labelledby="delete">
          <h2 id="delete">{say("delete.heading")}</h2>
          <p>{say("delete.lead")}</p>
          <button type="button" class="danger-quiet" onClick={() => open("delete")}>
            {say("act.delete")}
          </button>
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
  const { say, format } = useLocale();
  const [id, setId] = useState(null);
  const codes = (list, none) =>
    list.length ? (
      <ul class="codes">
        {list.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
    ) : (
      say(none)
    );
  const zone = <span class="by">{format.zone}</span>;
  return (
    <div class="facts">
      <section aria-labelledby="facts">
        <h2 id="facts">{say("key.facts")}</h2>
        <dl>
          <Fact term={say("column.status")}>
            <Status status={subject.status} />
          </Fact>
          <Fact term={say("key.id")}>
            <code ref={setId} translate={false}>
              {subject.access_key}
            </code>{" "}
            <CopyButton
              class="small"
              text={subject.access_key}
              label={say("copy.id")}
              select={() => selectContents(id)}
            />
          </Fact>
          <Fact term={say("column.created")}>
            <Past at={subject.created_at} exact />
            <span class="by">{subject.created_by}</span>
          </Fact>
          <Fact term={say("column.changed")}>
            <Past at={subject.changed_at} exact />
            <span class="by">{subject.changed_by}</span>
          </Fact>
        </dl>
      </section>
      <section aria-labelledby="limits">
        <h2 id="limits">{say("key.limits")}</h2>
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
          <Fact term={say("column.networks")}>{codes(subject.networks, "networks.anywhere")}</Fact>
          <Fact term={say("form.permissions")}>{codes(subject.permissions, "permissions.none")}</Fact>
        </dl>
      </section>
    </div>
  );
}

const Fact = ({ term, children }) => (
  <div>
    <dt>{term}</dt>
    <dd>{children}</dd>
  </div>
);
