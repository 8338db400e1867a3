/** Whether the installation as a whole is well. */

import { post, useAnswer } from "./api.js";
import { Standing } from "./live.js";
import { ago, counted } from "./format.js";
import {
  Answered, Badge, Box, Button, Cell, HStack, Heading, Notice, Panel, RouterLink, Rows, Spinner, Stack, Table, Text, Words, h,
  useState,
} from "./ui.js";

const MARKS = { ok: ["green", "ok"], warn: ["orange", "look"], fail: ["red", "wrong"] };

export function Health() {
  const answer = useAnswer("health", {}, { every: 30_000 });
  const me = useAnswer("me");
  return h(Answered, { answer }, (health) => h(Parts, { health, operates: me.found?.operates }));
}

function Parts({ health, operates }) {
  // That all is well is said of what the reader may see.
  const ofWhat = health.whole ? "" : " that you may see";
  const { live, in_doubt: inDoubt, without_file: withoutFile } = health;
  return h(Stack, { gap: 4 },
    h(Panel, { title: "Notices", aside: counted(health.notices.length, "notice") }, health.notices.length
      ? h(Notices, { notices: health.notices })
      : h(Quiet, null, `No notice${ofWhat} stands open, and all of them could be sent.`)),
    h(Panel, { title: "Airflow" }, operates ? h(Checks, { checks: health.airflow }) : h(NeedsRight)),
    h(Panel, { title: "Ad accounts" }, operates ? h(Accounts, { accounts: health.accounts }) : h(NeedsRight)),
    h(Panel, { title: "Warehouse" }, operates
      ? h(Asked, { path: "health/warehouse", label: "Compare the catalog with the warehouse",
          note: "Columns, types, keys, indexes, saved segments, rights of the login. Nothing is changed." })
      : h(NeedsRight)),
    h(Panel, { title: "Live campaigns", aside: counted(live.length, "campaign") }, live.length
      ? h(Stack, { gap: 5 }, live.map((each) =>
          h(Stack, { key: each.campaign, gap: 2 }, h(ToCampaign, { id: each.campaign }), h(Standing, { live: each }))))
      : h(Quiet, null, `Nobody watches for events of a campaign${ofWhat}.`)),
    h(Panel, { title: "Audiences in doubt", aside: counted(inDoubt.length, "audience") }, inDoubt.length
      ? h(InDoubt, { found: inDoubt })
      : h(Quiet, null, `Of every audience${ofWhat} it is known whom it holds.`)),
    h(Panel, { title: "Campaigns without a file", aside: counted(withoutFile.length, "audience") }, withoutFile.length
      ? h(WithoutFile, { found: withoutFile })
      : h(Quiet, null, health.whole ? "Every campaign that holds members has a file." : "Every campaign that you may see has a file.")));
}

const Quiet = ({ children }) => h(Text, { color: "fg.muted", fontSize: "sm" }, children);

const NeedsRight = () =>
  h(Text, { color: "fg.muted", fontSize: "sm" }, "To see this you need the right to read connections, as Airflow's role op has it.");

const ToCampaign = ({ id, ...look }) =>
  h(RouterLink, { to: `/dags/${encodeURIComponent(id)}/plugin/campaign`, fontWeight: "semibold", ...look }, id);

/** The ad accounts, each asked about in a request of its own: with many of them, one after the other takes its time. */
function Accounts({ accounts }) {
  const [answers, setAnswers] = useState({});
  const [asking, setAsking] = useState(null);
  const put = (name, found) => setAnswers((before) => ({ ...before, [name]: found }));
  const ask = async (names) => {
    for (const [index, name] of names.entries()) {
      setAsking({ name, index, of: names.length });
      put(name, null);
      await post(`health/accounts/${encodeURIComponent(name)}`, {}).then((checks) => put(name, { checks }), (refused) => put(name, { refused }));
    }
    setAsking(null);
  };
  if (!accounts.length) return h(Quiet, null, "The settings name no ad account.");
  return h(Stack, { gap: 4 },
    accounts.map((account) => h(Account, { key: account.name, account, answer: answers[account.name], asking, onAsk: ask })),
    h(HStack, { gap: 3, wrap: "wrap" },
      accounts.length > 1 && h(Button, { size: "sm", variant: "outline", disabled: Boolean(asking), onClick: () => ask(accounts.map(({ name }) => name)) },
        "Ask Facebook about all, one by one"),
      h(Text, { fontSize: "sm", color: "fg.muted", role: "status" }, asking
        ? `Asking about ${asking.name}, ${asking.index + 1} of ${asking.of} …`
        : "Asks about token, permissions, terms, limits and audiences. Nothing is changed.")));
}

const Account = ({ account, answer, asking, onAsk }) =>
  h(Box, { as: "section", "aria-label": `Ad account ${account.name}` },
    h(HStack, { gap: 3, wrap: "wrap", mb: 1 },
      h(Heading, { as: "h3", size: "sm" }, account.name),
      h(Text, { fontSize: "sm", color: "fg.muted" },
        [account.id, `connection ${account.connection}`,
          account.passed_at ? `preflight passed ${ago(account.passed_at)}` : "no preflight has passed yet"].join(" · ")),
      h(Button, { size: "xs", variant: "outline", disabled: Boolean(asking), "aria-label": `Ask Facebook about ${account.name}`, onClick: () => onAsk([account.name]) },
        asking?.name === account.name && h(Spinner, { size: "xs" }), "Ask Facebook now")),
    h(Checks, { checks: answer?.checks ?? account.checks }),
    answer?.refused && h(Notice, { status: "error", title: answer.refused.message }),
    account.warnings.map((warning) => h(Notice, { key: warning, status: "warning", title: warning })));

const Checks = ({ checks }) =>
  h(Stack, { as: "ul", gap: 1.5, listStyleType: "none" }, checks.map((check) => {
    const [colour, word] = MARKS[check.state];
    return h(HStack, { as: "li", key: `${check.name} ${check.found}`, gap: 3, align: "baseline", fontSize: "sm" },
      h(Badge, { colorPalette: colour, variant: "surface", size: "sm", w: "52px", justifyContent: "center", flexShrink: 0 }, check.known ? word : "?"),
      h(Box, { minW: 0, overflowWrap: "anywhere" },
        h(Text, null, h(Box, { as: "span", fontWeight: "medium" }, `${check.name}: `), h(Words, null, check.found)),
        check.remedy && h(Text, null, h(Words, null, check.remedy))));
  }));

/** A question that is put when somebody asks for it. */
function Asked({ path, label, note }) {
  const [state, setState] = useState({ asking: false, found: null, refused: null });
  const ask = () => {
    setState({ asking: true, found: null, refused: null });
    post(path, {}).then(
      (found) => setState({ asking: false, found, refused: null }),
      (refused) => setState({ asking: false, found: null, refused }));
  };
  return h(Stack, { gap: 3, align: "flex-start" },
    h(HStack, { gap: 3, wrap: "wrap" },
      h(Button, { size: "sm", variant: "outline", onClick: ask, disabled: state.asking, maxW: "100%", h: "auto", minH: 9, whiteSpace: "normal" }, state.asking && h(Spinner, { size: "xs" }), label),
      h(Text, { fontSize: "sm", color: "fg.muted" }, note)),
    h(Stack, { gap: 4, "aria-live": "polite", w: "100%" },
      state.refused && h(Notice, { status: "error", title: state.refused.message }),
      state.found && Object.entries(state.found).map(([of, checks]) =>
        h(Box, { key: of }, h(Heading, { as: "h3", size: "sm", mb: 1 }, of),
          checks.length ? h(Checks, { checks }) : h(Text, { fontSize: "sm", color: "fg.muted" }, "Nothing to look at.")))));
}

const SHOWN = 50;

/** What people are told of and what is not over; what could not be sent is first. */
const Notices = ({ notices }) =>
  h(Stack, { gap: 2 },
    notices.slice(0, SHOWN).map((each) =>
      h(Notice, { key: [each.about, each.subject, each.title, each.raised_at].join(" "), title: each.title,
        status: each.undelivered.length ? "error" : "warning" },
        h(Text, null, h(Words, { sentence: true }, each.reason)),
        h(Text, null, h(Words, { sentence: true }, each.remedy)),
        each.undelivered.map((why) =>
          h(Text, { key: why, fontWeight: "medium" }, h(Words, { sentence: true }, `Could not be sent ${why}. It is sent again`))),
        h(Text, null, `${each.told_at ? "Told" : "Not told yet"}; raised ${ago(each.raised_at)}. `,
          each.about === "campaign" && h(ToCampaign, { id: each.subject, color: "fg", textDecoration: "underline" })))),
    notices.length > SHOWN && h(Quiet, null, `And ${notices.length - SHOWN} more.`));

const InDoubt = ({ found }) =>
  h(Stack, { gap: 2 }, found.map((each) =>
    h(Notice, { key: each.audience, status: "warning", title: `${each.name ?? "Audience"} (${each.audience}): ${each.reason}`,
      remedy: each.remedy },
      each.campaigns.map((id) => h(Text, { key: id }, "Campaign: ", h(ToCampaign, { id }))))));

const WithoutFile = ({ found }) =>
  h(Rows, { label: "Campaigns without a file", columns: [{ title: "Campaign" }, { title: "Audience" }, { title: "Ad account" }] },
    found.map((each) =>
      h(Table.Row, { key: `${each.campaign} ${each.audience}` },
        h(Cell, null, h(ToCampaign, { id: each.campaign })), h(Cell, null, `${each.name} (${each.audience})`), h(Cell, null, each.ad_account))));
