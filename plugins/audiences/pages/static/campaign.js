/** The tab of a campaign on its DAG; on a DAG that is no campaign, a page that says so. */

import { About } from "./about.js";
import { useAnswer } from "./api.js";
import { SizeChart } from "./charts.js";
import { ago, count, counted, momentInZone } from "./format.js";
import { Goal } from "./goal.js";
import { estimate, statusOf } from "./list.js";
import { Standing } from "./live.js";
import { Runs } from "./runs.js";
import {
  Answered, Box, Button, Figure, HStack, Notice, OutLink, Panel, RouterLink, SimpleGrid, Stack, State, Text, Wrap, h, useState,
} from "./ui.js";

// Airflow takes the global of the app's name.
globalThis.Campaign = function Campaign({ dagId }) {
  const answer = useAnswer(`campaigns/${encodeURIComponent(dagId)}`, {}, { every: 30_000 });
  return h(Box, { id: "audiences-page", p: { base: 1, md: 2 } },
    answer.refused?.status === 404
      ? h(NoCampaign, { dag: dagId })
      : h(Answered, { answer }, (page) => h(Parts, { key: dagId, page })));
};

const NoCampaign = ({ dag }) =>
  h(Notice, { title: `The DAG \`${dag}\` is no campaign, so there is nothing to tell here.` },
    "A campaign is a file under campaigns/, and its DAG has the file's name. ",
    h(RouterLink, { to: "/plugin/audiences", color: "inherit", textDecoration: "underline" }, "See all campaigns."));

const OF_A_RUN = new Set(["failed", "stopped", "refused", "unanswered", "died"]);

const Parts = ({ page }) =>
  h(Stack, { gap: 4 },
    // What is wrong with a run stands with the run.
    page.campaign.troubles.filter((trouble) => !OF_A_RUN.has(trouble.kind)).map((trouble) =>
      h(Notice, { key: trouble.kind, status: "error", title: trouble.reason, remedy: trouble.remedy })),
    h(Head, { page }),
    page.campaign.kind === "live" && h(Live, { campaign: page.campaign.id }),
    h(Size, { campaign: page.campaign.id }),
    h(Runs, { campaign: page.campaign.id }),
    h(Goal, { goals: page.goals }),
    h(About, { page }));

function Head({ page }) {
  const { campaign, links, next_sends: next } = page;
  const { audience } = campaign;
  return h(Stack, { gap: 4, borderWidth: 1, borderRadius: "md", p: { base: 3, md: 4 } },
    h(SimpleGrid, { columns: { base: 2, lg: 4 }, gap: 4 },
      h(Figure, { name: "Status", value: h(HStack, { gap: 2 }, campaign.status, campaign.kind === "live" && h(State, { of: "live" })),
        note: campaign.over ?? campaign.schedule }),
      h(Figure, {
        name: campaign.next_send ? "Sends next" : "Sends", value: campaign.next_send ? ago(campaign.next_send) : campaign.sends ?? "nothing more",
        note: next.slice(0, 3).map(momentInZone).join(" · ") }),
      h(Figure, { name: "Size now", value: count(campaign.size), note: "rows that it holds by our doing" }),
      h(Figure, {
        name: "At Facebook", value: audience?.id ? estimate(audience) : "not created yet",
        note: audience && [statusOf(audience), audience.checked_at && `as of ${ago(audience.checked_at)}`].filter(Boolean).join(" · ") })),
    links && h(Wrap, { gap: 4, fontSize: "sm" },
      links.audience && h(OutLink, { href: links.audience }, links.sandbox ? "Audience in the sandbox" : "Audience in Ads Manager"),
      Object.entries(links.ad_sets).map(([id, href]) => h(OutLink, { key: id, href }, `Ad set ${id}`))));
}

/** How far behind its events a live campaign is. */
function Live({ campaign }) {
  const answer = useAnswer("health", {}, { every: 10_000 });
  return h(Panel, { title: "Live" },
    h(Answered, { answer }, (health) => {
      const live = health.live.find((each) => each.campaign === campaign);
      return live ? h(Standing, { live }) : h(Text, { color: "fg.muted" }, "Nobody watches for its events yet.");
    }));
}

const SPANS = [30, 90, 365];

function Size({ campaign }) {
  const [days, setDays] = useState(SPANS[0]);
  const answer = useAnswer(`campaigns/${encodeURIComponent(campaign)}/sizes`, { days });
  const choice = h(HStack, { gap: 1, role: "group", "aria-label": "Span" }, SPANS.map((span) =>
    h(Button, {
      key: span, size: "xs", variant: span === days ? "solid" : "outline", "aria-pressed": span === days,
      onClick: () => setDays(span),
    }, counted(span, "day"))));
  return h(Panel, { title: "Size, and who came and went", aside: choice },
    h(Answered, { answer }, (found) =>
      found.days.length ? h(SizeChart, { days: found.days }) : h(Text, { color: "fg.muted" }, "Nothing is on record yet.")));
}
