/** The runs of a campaign, and one of them in full: its funnel, its requests, what went wrong and what to do. */

import { useAnswer } from "./api.js";
import { Funnel } from "./funnel.js";
import { ago, count, counted, duration, moment } from "./format.js";
import { Pages } from "./list.js";
import {
  Answered, Badge, Button, Cell, Details, HStack, Notice, Panel, RouterLink, Rows, Stack, State, Table, Text, Words, Wrap, h,
  useState,
} from "./ui.js";

const PAGE = 10;
/** How Airflow names its runs; those of the command line have no page there. */
const AIRFLOWS = /^(manual|scheduled|backfill|asset_triggered|live)__/;

/** History on one side, the run that was chosen on the other. */
export function Runs({ campaign }) {
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState(null);
  const answer = useAnswer(`campaigns/${encodeURIComponent(campaign)}/runs`, { offset, limit: PAGE }, { every: 30_000 });
  const newest = answer.found?.offset === 0 ? answer.found.runs.find((run) => run.trouble || run.outcomes.qualified !== undefined) : null;
  const run = chosen ?? (newest ?? answer.found?.runs[0])?.run;
  return h(Panel, { title: "Runs", aside: answer.found && counted(answer.found.total, "run") },
    h(Answered, { answer }, (found) =>
      found.total === 0
        ? h(Text, { color: "fg.muted" }, "This campaign has not run yet.")
        : h(Stack, { gap: 5 },
            run && h(Run, { key: run, campaign, run }),
            h(History, { runs: found.runs, chosen: run, onChoose: setChosen }),
            h(Pages, { ...found, shown: found.runs.length, onPage: setOffset }))));
}

const History = ({ runs, chosen, onChoose }) =>
  h(Rows, {
    label: "Run history",
    columns: [{ title: "Run" }, { title: "Started" }, { title: "State" }, { title: "Added", end: true }, { title: "Removed", end: true },
      { title: "Size", end: true }, { title: "What came of it" }],
  },
    runs.map((run) =>
      h(Table.Row, { key: run.run, bg: run.run === chosen ? "bg.muted" : undefined },
        h(Cell, null,
          h(Button, {
            size: "xs", variant: run.run === chosen ? "solid" : "outline", "aria-pressed": run.run === chosen,
            "aria-label": `Show run ${run.run}`, onClick: () => onChoose(run.run),
          }, run.run)),
        h(Cell, { whiteSpace: "nowrap", title: moment(run.started_at) }, ago(run.started_at)),
        h(Cell, null, h(State, { of: run.phase })),
        h(Cell, { end: true }, count(run.added)),
        h(Cell, { end: true }, count(run.removed)),
        h(Cell, { end: true }, count(run.size)),
        h(Cell, { minW: "260px" }, h(Text, { lineClamp: 2, title: run.words }, run.words)))));

function Run({ campaign, run }) {
  const [offset, setOffset] = useState(0);
  const answer = useAnswer(`campaigns/${encodeURIComponent(campaign)}/runs/${run}`, { offset, limit: 20 }, { every: 30_000 });
  return h(Answered, { answer, waiting: `Loading run ${run}` }, (found) =>
    h(Stack, { gap: 4, borderWidth: 1, borderRadius: "md", p: { base: 3, md: 4 }, as: "article", "aria-label": `Run ${run}` },
      h(Head, { run: found.run }),
      found.run.trouble &&
        h(Notice, { status: "error", title: found.run.trouble.reason, remedy: found.run.trouble.remedy },
          found.would && h(Text, null, found.would.words)),
      found.run.warnings.map((warning) => h(Notice, { key: warning, status: "warning", title: warning })),
      found.funnel ? h(Funnel, { funnel: found.funnel }) : h(Text, { color: "fg.muted" }, found.uncounted),
      found.batch && h(Batch, { batch: found.batch }),
      found.rejected.length > 0 && h(Rejected, { rejected: found.rejected }),
      found.ad_sets.filter((each) => each.trouble).map((each) =>
        h(Notice, { key: each.id, status: "warning", title: `Ad set ${each.id}: ${each.trouble.reason}`, remedy: each.trouble.remedy })),
      h(Requests, { requests: found.requests, onPage: setOffset })));
}

function Head({ run }) {
  const lasted = run.ended_at && (new Date(run.ended_at) - new Date(run.started_at)) / 1_000;
  return h(Stack, { gap: 1 },
    h(HStack, { gap: 3, wrap: "wrap" },
      h(Text, { as: "h3", fontWeight: "semibold" }, `Run ${run.run}`),
      h(State, { of: run.phase }),
      h(Text, { fontSize: "sm", color: "fg.muted" },
        [moment(run.started_at), lasted && `took ${duration(lasted)}`, run.as_of && `looked as of ${moment(run.as_of)}`]
          .filter(Boolean).join(" · ")),
      AIRFLOWS.test(run.external_id) &&
        h(RouterLink, {
          to: `/dags/${encodeURIComponent(run.dag)}/runs/${encodeURIComponent(run.external_id.replace(/^(live__.*)__\d+$/, "$1"))}`, fontSize: "sm",
        }, "tasks and logs")),
    !run.trouble && h(Text, { fontSize: "sm" }, h(Words, { sentence: true }, run.words)));
}

/** What the batch of a live run held: how many events of how many users, from when to when, and what became of them. */
const Batch = ({ batch }) =>
  h(Stack, { gap: 1, fontSize: "sm", as: "section", "aria-label": "What the batch held" },
    h(Text, null, h(Text, { as: "span", fontWeight: "semibold" }, `Batch ${batch.id}: `),
      `${counted(batch.events, "event")} of ${counted(batch.users, "user")}, ${moment(batch.first_event)} to ${moment(batch.last_event)}, `,
      `acted upon ${duration(Math.max(0, batch.lag_seconds))} after the last was due`, batch.tries > 1 && `, at try ${batch.tries}`, "."),
    h(Wrap, { gap: 2 }, Object.entries(batch.decided).map(([state, events]) =>
      h(Badge, { key: state, variant: "outline" }, `${count(events)} ${state.replaceAll("_", " ")}`))));

const Rejected = ({ rejected }) =>
  h(Details, { title: `Values that could not be used: ${count(rejected.reduce((sum, each) => sum + each.values, 0))}` },
    h(Stack, { as: "ul", gap: 0, ps: 4, fontSize: "sm", listStyleType: "disc" },
      rejected.map((each) =>
        h("li", { key: `${each.identifier} ${each.reason}` }, `${each.identifier}: ${count(each.values)} × ${each.reason}`))));

function Requests({ requests, onPage }) {
  if (!requests.total) return h(Text, { fontSize: "sm", color: "fg.muted" }, requests.none);
  const wrong = requests.requests.some((each) => each.trouble || each.in_doubt || each.state !== "acknowledged");
  return h(Stack, { gap: 2 },
    h(Text, { as: "h4", fontSize: "sm", fontWeight: "semibold" }, counted(requests.total, "request")),
    h(Stack, { as: "ul", gap: 0, fontSize: "sm", ps: 4, listStyleType: "disc" },
      requests.by_state.map((each) =>
        h("li", { key: `${each.action} ${each.state}` },
          `${counted(each.requests, "request")} to ${each.action} ${counted(each.rows, "row")}: ${each.words}`))),
    requests.requests.filter((each) => each.trouble).map((each) =>
      h(Notice, { key: each.number, status: "error", title: `Request ${each.number}: ${each.trouble.reason}`, remedy: each.trouble.remedy })),
    h(Details, { title: "Each request", open: wrong },
      h(Rows, {
        label: "Requests",
        columns: [{ title: "No.", end: true }, { title: "Action" }, { title: "Rows", end: true }, { title: "Received", end: true },
          { title: "Invalid", end: true }, { title: "Tries", end: true }, { title: "Sent" }, { title: "What became of it" }],
      },
        requests.requests.map((each) =>
          h(Table.Row, { key: each.number },
            h(Cell, { end: true }, each.number), h(Cell, null, each.action), h(Cell, { end: true }, count(each.rows)),
            h(Cell, { end: true }, count(each.received)), h(Cell, { end: true }, count(each.invalid)),
            h(Cell, { end: true }, each.tries), h(Cell, { whiteSpace: "nowrap" }, moment(each.sent_at)),
            h(Cell, { minW: "260px", whiteSpace: "normal" }, each.words, each.in_doubt && " It may have been carried out all the same.")))),
      h(Pages, { ...requests, shown: requests.requests.length, onPage })));
}
