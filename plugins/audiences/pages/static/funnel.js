/** The funnel of a run: who qualified, less those of each step, are the targeted, who are made up of the parts. */

import { count } from "./format.js";
import { Box, Flex, Notice, Stack, Text, h } from "./ui.js";

const PARTS = { added: "green.solid", kept: "blue.solid", failed: "red.solid" };

export function Funnel({ funnel }) {
  const most = Math.max(funnel.qualified, 1);
  return h(Stack, { gap: 1, as: "ol", listStyleType: "none", "aria-label": "Funnel" },
    h(Line, { sign: "", words: "qualified", users: funnel.qualified, bar: h(Bar, { kept: funnel.qualified, most }), strong: true }),
    funnel.steps.map((step) =>
      h(Line, {
        key: step.outcome, sign: "−", words: step.words, users: step.users, quiet: step.users === 0,
        bar: h(Bar, { kept: step.left, lost: step.users, most }), left: step.left,
      })),
    h(Line, { sign: "=", words: "targeted", users: funnel.targeted, bar: h(Parts, { funnel, most }), strong: true }),
    h("li", null, h(Sum, { funnel })),
    funnel.difference && h("li", null, h(Notice, { status: "error", title: `These counts do not add up: ${funnel.difference}` })),
    h(Text, { as: "li", fontSize: "sm", color: "fg.muted", mt: 1 },
      `Outside these: ${count(funnel.removed)} ${funnel.removed_words}.`,
      funnel.rekeyed > 0 && ` ${count(funnel.rekeyed)} of the kept have other identifiers than before.`));
}

const Line = ({ sign, words, users, bar, left, strong, quiet }) =>
  h(Flex, {
    as: "li", gap: { base: 1, sm: 3 }, align: "center", wrap: { base: "wrap", sm: "nowrap" }, fontSize: "sm",
    color: quiet ? "fg.muted" : "fg", fontWeight: strong ? "semibold" : "normal",
  },
    h(Text, { as: "span", w: { base: "100%", sm: "170px" }, flexShrink: 0 }, words),
    h(Text, { as: "span", w: "90px", flexShrink: 0, textAlign: "end", fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" },
      sign && `${sign} `, count(users)),
    h(Box, { flex: 1, minW: 0, "aria-hidden": true }, bar),
    h(Text, { as: "span", w: "80px", flexShrink: 0, textAlign: "end", color: "fg.muted", fontVariantNumeric: "tabular-nums" },
      left === undefined ? "" : `${count(left)} left`));

const Piece = ({ users, most, colour }) =>
  users > 0 && h(Box, { h: "14px", minW: "2px", bg: colour, style: { width: `${(100 * users) / most}%` } });

const Bar = ({ kept, lost = 0, most }) =>
  h(Flex, { borderRadius: "sm", overflow: "hidden", bg: "bg.muted" },
    h(Piece, { users: kept, most, colour: "blue.solid" }), h(Piece, { users: lost, most, colour: "orange.solid" }));

const Parts = ({ funnel, most }) =>
  h(Flex, { borderRadius: "sm", overflow: "hidden", bg: "bg.muted" },
    funnel.parts.map((part) =>
      h(Piece, { key: part.outcome, users: part.users, most, colour: PARTS[part.outcome] ?? "blue.solid" })));

/** `= 1,204 added + 310 kept + 0 failed`. */
const Sum = ({ funnel }) =>
  h(Flex, { wrap: "wrap", gap: 3, fontSize: "sm", ps: { base: 0, sm: "182px" } },
    funnel.parts.map((part, index) =>
      h(Flex, { key: part.outcome, align: "center", gap: 1.5, color: part.users ? "fg" : "fg.muted" },
        h("span", null, index ? "+" : "="),
        h(Box, { w: "10px", h: "10px", borderRadius: "full", bg: PARTS[part.outcome] ?? "blue.solid", "aria-hidden": true }),
        h("span", { style: { fontVariantNumeric: "tabular-nums" } }, `${count(part.users)} ${part.words}`))));
