/** What a goal came to: target against control with an interval, or in words why no number would be honest. */

import { Interval } from "./charts.js";
import { ago, change, count, counted, moment, percent } from "./format.js";
import { Cell, Details, Notice, Panel, Rows, SimpleGrid, Stack, Table, Text, Words, h } from "./ui.js";

const ARMS = { target: "targets", campaign: "control group", custom: "custom control group", system: "system control group" };
const amount = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

export function Goal({ goals }) {
  const newest = goals.find((goal) => goal.same_goal) ?? goals[0];
  if (!newest) return null;
  const older = goals.filter((goal) => goal !== newest);
  return h(Panel, { title: "Goal", aside: `as of ${moment(newest.as_of)}` },
    h(Stack, { gap: 4 },
      !newest.same_goal && h(Notice, { title: "The file asks something else now; this is what the earlier goal came to." }),
      h(Text, { fontWeight: "medium" }, told(newest) ? h(Words, { sentence: true }, newest.words) : "There is no figure yet that would be honest."),
      newest.report && h(Report, { report: newest.report }),
      older.length > 0 && h(Details, { title: `Earlier results: ${older.length}` }, h(Earlier, { goals: older }))));
}

/** Whether the words of a result say more than the notes below it. */
const told = ({ report }) => !report || report.comparisons.some((comparison) => comparison.conversions);

function Report({ report }) {
  const money = report.arms.some((arm) => arm.revenue !== null);
  return h(Stack, { gap: 4 },
    h(Rows, {
      label: "Arms of the goal",
      columns: [{ title: "Arm" }, { title: "Users", end: true }, { title: "Converters", end: true }, { title: "Rate", end: true },
        ...(money ? [{ title: "Revenue per user", end: true }] : []), { title: "May still convert", end: true }],
    },
      report.arms.map((arm) =>
        h(Table.Row, { key: arm.arm },
          h(Cell, null, ARMS[arm.arm]), h(Cell, { end: true }, count(arm.users)), h(Cell, { end: true }, count(arm.converters)),
          h(Cell, { end: true }, percent(arm.rate, 2)),
          money && h(Cell, { end: true }, arm.revenue_per_user === null ? "–" : amount.format(arm.revenue_per_user)),
          h(Cell, { end: true }, count(arm.open_windows))))),
    h(SimpleGrid, { columns: { base: 1, lg: 2 }, gap: 5 },
      report.comparisons.flatMap((comparison) => [
        comparison.conversions && h(Estimate, { key: `${comparison.control} conversions`, comparison, estimate: comparison.conversions,
          title: "Conversions", of: (value) => percent(value, 2), extra: "conversions" }),
        comparison.revenue && h(Estimate, { key: `${comparison.control} revenue`, comparison, estimate: comparison.revenue,
          title: "Revenue per user", of: (value) => amount.format(value), extra: "revenue" }),
      ])),
    [...report.notes, ...report.comparisons.flatMap((comparison) => comparison.words.map((said) => `${ARMS[comparison.control]}: ${said}`))]
      .map((said) => h(Text, { key: said, fontSize: "sm", color: "fg.muted" }, h(Words, { sentence: true }, said))));
}

function Estimate({ comparison, estimate, title, of, extra }) {
  const { low, high, difference, target, control, significant } = estimate;
  const boost = estimate.boost_percent === null ? "" : ` (${estimate.boost_percent > 0 ? "+" : "−"}${Math.abs(estimate.boost_percent).toFixed(1)} %)`;
  const said = `Difference ${of(difference)}, 95 % interval ${of(low)} to ${of(high)}`;
  return h(Stack, { gap: 1, as: "section", "aria-label": `${title} against ${ARMS[comparison.control]}` },
    h(Text, { fontSize: "sm", color: "fg.muted" }, `${title}, ${counted(comparison.targets, "target")} against ${count(comparison.controls)} in the ${ARMS[comparison.control]}`),
    h(Text, { fontSize: "lg", fontWeight: "semibold" }, `${of(target)} against ${of(control)}${boost}`),
    h(Interval, { low, high, value: difference, said }),
    h(Text, { fontSize: "sm" }, `${said}. ${significant ? "More than chance." : "It may be chance."} `,
      `${change(Math.round(estimate.incremental))} ${extra} that there would not have been, between `,
      `${change(Math.round(estimate.incremental_low))} and ${change(Math.round(estimate.incremental_high))}.`));
}

const Earlier = ({ goals }) =>
  h(Rows, { label: "Earlier results of the goal", columns: [{ title: "As of" }, { title: "Result" }] },
    goals.map((goal) =>
      h(Table.Row, { key: `${goal.as_of} ${goal.config_digest} ${goal.words}` },
        h(Cell, { whiteSpace: "nowrap", title: moment(goal.as_of) }, ago(goal.as_of)),
        h(Cell, { whiteSpace: "normal" }, h(Words, { sentence: true }, goal.words)))));
