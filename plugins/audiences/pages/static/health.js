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
  const operates = me.found?.operates;
  return h(Answered, { answer }, (health) =>
    h(Stack, { gap: 4 },
      h(Panel, { title: "Ad accounts" }, operates
        ? h(Stack, { gap: 4 }, health.accounts.map((account) => h(Account, { key: account.id, account })),
            h(Asked, { path: "health/accounts", label: "Ask Facebook now",
              note: "Token, permissions, terms, limits, audiences. Nothing is changed." }))
        : h(NeedsRight)),
      h(Panel, { title: "Warehouse" }, operates
        ? h(Asked, { path: "health/warehouse", label: "Compare the catalog with the warehouse",
            note: "Columns, types, keys, indexes, saved segments, rights of the login. Nothing is changed." })
        : h(NeedsRight)),
      h(Panel, { title: "Live campaigns", aside: counted(health.live.length, "campaign") }, health.live.length
        ? h(Stack, { gap: 5 }, health.live.map((live) =>
            h(Stack, { key: live.campaign, gap: 2 }, h(ToCampaign, { id: live.campaign }), h(Standing, { live }))))
        : h(Text, { color: "fg.muted", fontSize: "sm" }, "Nobody watches for events.")),
      h(Panel, { title: "Audiences in doubt", aside: counted(health.in_doubt.length, "audience") }, health.in_doubt.length
        ? h(InDoubt, { found: health.in_doubt })
        : h(Text, { color: "fg.muted", fontSize: "sm" }, "Of every audience it is known whom it holds.")),
      h(Panel, { title: "Campaigns without a file", aside: counted(health.without_file.length, "audience") }, health.without_file.length
        ? h(WithoutFile, { found: health.without_file })
        : h(Text, { color: "fg.muted", fontSize: "sm" }, "Every campaign that holds members has a file."))));
}

const NeedsRight = () =>
  h(Text, { color: "fg.muted", fontSize: "sm" }, "To see this you need the right to read connections, as Airflow's role op has it.");

const ToCampaign = ({ id }) => h(RouterLink, { to: `/dags/${encodeURIComponent(id)}/plugin/campaign`, fontWeight: "semibold" }, id);

const Account = ({ account }) =>
  h(Box, null,
    h(HStack, { gap: 3, wrap: "wrap", mb: 1 },
      h(Heading, { as: "h3", size: "sm" }, account.name),
      h(Text, { fontSize: "sm", color: "fg.muted" },
        [account.id, `connection ${account.connection}`,
          account.passed_at ? `preflight passed ${ago(account.passed_at)}` : "no preflight has passed yet"].join(" · "))),
    h(Checks, { checks: account.checks }),
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
      h(Button, { size: "sm", variant: "outline", onClick: ask, disabled: state.asking }, state.asking && h(Spinner, { size: "xs" }), label),
      h(Text, { fontSize: "sm", color: "fg.muted" }, note)),
    h(Stack, { gap: 4, "aria-live": "polite", w: "100%" },
      state.refused && h(Notice, { status: "error", title: state.refused.message }),
      state.found && Object.entries(state.found).map(([of, checks]) =>
        h(Box, { key: of }, h(Heading, { as: "h3", size: "sm", mb: 1 }, of),
          checks.length ? h(Checks, { checks }) : h(Text, { fontSize: "sm", color: "fg.muted" }, "Nothing to look at.")))));
}

const InDoubt = ({ found }) =>
  h(Stack, { gap: 2 }, found.map((each) =>
    h(Notice, { key: each.audience, status: "warning", title: `${each.name ?? "Audience"} (${each.audience}): ${each.reason}`,
      remedy: "The next run of a campaign that made its audience sends the whole set, which ends the doubt." },
      each.campaign && h(Text, null, "Campaign: ", h(ToCampaign, { id: each.campaign })))));

const WithoutFile = ({ found }) =>
  h(Rows, { label: "Campaigns without a file", columns: [{ title: "Campaign" }, { title: "Audience" }, { title: "Ad account" }] },
    found.map((each) =>
      h(Table.Row, { key: `${each.campaign} ${each.audience}` },
        h(Cell, null, h(ToCampaign, { id: each.campaign })), h(Cell, null, `${each.name} (${each.audience})`), h(Cell, null, each.ad_account))));
