/** All campaigns, those with problems first. */

import { useAnswer } from "./api.js";
import { Sparkline } from "./charts.js";
import { ago, count, counted, moment, momentInZone } from "./format.js";
import {
  Answered, Badge, Box, Button, Flex, Grid, HStack, Input, Notice, RouterLink, Stack, State, Text, VisuallyHidden, Wrap,
  h, useEffect, useState,
} from "./ui.js";

const PAGE = 25;
const COLUMNS = "minmax(0, 2.3fr) minmax(0, 1.7fr) minmax(0, 2.6fr) minmax(0, 1.1fr) minmax(0, 1.5fr)";
const TITLES = ["Campaign", "Schedule", "Last run", "Size now", "At Facebook"];
const KINDS = {
  broken_file: "broken file", in_doubt: "in doubt", failed: "failed", died: "died", stopped: "stopped",
  refused: "approval refused", unanswered: "nobody answered",
  not_read: "not watched", overdue: "overdue", no_file: "no file",
};

const OF_A_RUN = new Set(["failed", "stopped", "refused", "unanswered", "died"]);

export function Campaigns() {
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [offset, setOffset] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSearch(typed.trim());
      setOffset(0);
    }, 250);
    return () => clearTimeout(timer);
  }, [typed]);
  const answer = useAnswer("campaigns", { search, offset, limit: PAGE }, { every: 30_000 });
  return h(Stack, { gap: 4 },
    h(Input, {
      type: "search", value: typed, onChange: (event) => setTyped(event.target.value), maxW: "md", size: "sm",
      placeholder: "Search by id, name, tag, owner or audience", "aria-label": "Search campaigns",
    }),
    h(Answered, { answer }, (found) => h(Found, { found, search, onPage: setOffset })));
}

function Found({ found, search, onPage }) {
  const { campaigns, total, offset, with_troubles: troubles } = found;
  if (!total) {
    return h(Notice, {
      title: search ? `No campaign has “${search}” in its id, name, brand, tags, owner or audience.` : "There is no campaign yet.",
      remedy: search ? undefined : "Commit a file under campaigns/: its name becomes the campaign's id, and its DAG's.",
    });
  }
  return h(Stack, { gap: 3 },
    h(Wrap, { "aria-live": "polite", align: "center" },
      h(Text, { fontSize: "sm", color: "fg.muted" }, counted(total, "campaign")),
      Object.entries(troubles).map(([kind, number]) =>
        h(Badge, { key: kind, colorPalette: "red", variant: "surface" }, `${number} ${KINDS[kind] ?? kind}`))),
    h(Grid, {
      templateColumns: COLUMNS, gap: 4, px: 4, display: { base: "none", lg: "grid" }, fontSize: "xs", color: "fg.muted",
      fontWeight: "medium", "aria-hidden": true, borderStartWidth: 4, borderEndWidth: 1, borderColor: "transparent",
    }, TITLES.map((title) => h("span", { key: title }, title))),
    h(Stack, { as: "ul", gap: 2, listStyleType: "none", "aria-label": "Campaigns" },
      campaigns.map((campaign) => h(Campaign, { key: campaign.id, campaign }))),
    h(Pages, { ...found, shown: campaigns.length, onPage }));
}

function Campaign({ campaign }) {
  const [worst, ...more] = campaign.troubles.map((trouble) => spoken(trouble, campaign.last_run));
  return h(Box, {
    as: "li", borderWidth: 1, borderRadius: "md", p: { base: 3, lg: 4 }, borderStartWidth: 4,
    borderStartColor: worst ? "red.solid" : "border",
  },
    h(Grid, { templateColumns: { base: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))", lg: COLUMNS }, gap: { base: 2, lg: 4 } },
      h(Naming, { campaign }),
      h(Part, { title: TITLES[1] },
        h(Text, null, campaign.schedule ?? "not known"),
        h(Text, { color: "fg.muted", fontSize: "sm" }, upcoming(campaign))),
      h(Part, { title: TITLES[2] }, h(LastRun, { run: campaign.last_run })),
      h(Part, { title: TITLES[3] },
        h(Text, { fontSize: "lg", fontWeight: "semibold", fontVariantNumeric: "tabular-nums" }, count(campaign.size)),
        h(Sparkline, { sizes: campaign.sizes })),
      h(Part, { title: TITLES[4] }, h(AtFacebook, { audience: campaign.audience }))),
    worst && h(Box, { mt: 3 },
      h(Notice, { status: "error", title: worst.reason, remedy: worst.remedy },
        more.length > 0 && h(Text, { mt: 1 }, `And ${counted(more.length, "other problem")}: see the campaign.`))));
}

/** Of a run that went wrong, what its own record says. */
const spoken = (trouble, run) =>
  OF_A_RUN.has(trouble.kind) && run?.trouble ? { ...trouble, ...run.trouble } : trouble;

const Naming = ({ campaign }) =>
  h(Stack, { gap: 1, minW: 0 },
    h(RouterLink, { to: `/dags/${encodeURIComponent(campaign.id)}/plugin/campaign`, fontWeight: "semibold", overflowWrap: "anywhere" },
      campaign.name),
    h(Text, { fontSize: "xs", color: "fg.muted", overflowWrap: "anywhere" },
      [campaign.id, campaign.owner].filter(Boolean).join(" · ")),
    h(Wrap, { gap: 1 },
      h(State, { of: campaign.status === "published" ? "good" : campaign.status === "stopped" ? "ended" : campaign.status }, campaign.status),
      campaign.kind === "live" && h(State, { of: "live" }),
      campaign.tags.map((tag) => h(Badge, { key: tag, variant: "outline", size: "sm" }, tag))));

/** A cell, whose title shows where there are no columns. */
const Part = ({ title, children }) =>
  h(Box, { minW: 0, fontSize: "sm", overflowWrap: "anywhere" },
    h(Text, { fontSize: "xs", color: "fg.muted", display: { base: "block", lg: "none" } }, title), children);

function upcoming({ over, next_send: next, sends }) {
  if (over) return over;
  return next ? `sends next ${ago(next)}, ${momentInZone(next)}` : `sends ${sends}`;
}

function LastRun({ run }) {
  if (!run) return h(Text, { color: "fg.muted" }, "has not run yet");
  return h(Stack, { gap: 1 },
    h(HStack, { gap: 2 }, h(State, { of: run.phase }),
      h(Text, { as: "span", color: "fg.muted", title: moment(run.started_at) }, ago(run.ended_at ?? run.started_at))),
    !run.trouble && h(Text, { lineClamp: 3, title: run.words }, run.words));
}

function AtFacebook({ audience }) {
  if (!audience?.id) return h(Text, { color: "fg.muted" }, audience ? "not created yet" : "not known");
  if (audience.deleted_at) return h(Text, { color: "fg.error" }, `deleted at Facebook, found so ${ago(audience.deleted_at)}`);
  return h(Stack, { gap: 1 },
    h(Text, null, estimate(audience)),
    h(Text, { color: "fg.muted", fontSize: "xs" }, statusOf(audience)),
    audience.checked_at && h(Text, { color: "fg.muted", fontSize: "xs" }, `as of ${ago(audience.checked_at)}`));
}

/** Facebook's words on an audience, without those that say that all is as usual. */
export const statusOf = ({ operation, delivery }) =>
  [operation?.toLowerCase() === "normal" ? null : operation, delivery].filter(Boolean).join(" · ");

/** How many people Facebook says it has matched. */
export function estimate({ size_lower: low, size_upper: high }) {
  if (low === null && high === null) return "no estimate yet";
  if (low === high || high === null) return `about ${count(low)} matched`;
  return low === null || low < 0 ? `fewer than ${count(high)} matched` : `${count(low)} to ${count(high)} matched`;
}

/** Steps through a longer list. */
export function Pages({ total, offset, limit, shown, onPage }) {
  if (total <= limit) return null;
  return h(Flex, { as: "nav", "aria-label": "Pages", align: "center", gap: 3 },
    h(Button, { size: "sm", variant: "outline", disabled: offset === 0, onClick: () => onPage(Math.max(0, offset - limit)) }, "Previous"),
    h(Text, { fontSize: "sm", color: "fg.muted" }, `${count(offset + 1)} to ${count(offset + shown)} of ${count(total)}`),
    h(Button, { size: "sm", variant: "outline", disabled: offset + shown >= total, onClick: () => onPage(offset + limit) }, "Next"));
}
