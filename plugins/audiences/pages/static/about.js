/** What a campaign is: who, what, when and goal in words, beside its file and what changed since it last ran. */

import { counted } from "./format.js";
import { Box, Code, Grid, Heading, Notice, Panel, Stack, Text, h } from "./ui.js";

export function About({ page }) {
  const { file, sections, segments } = page;
  return h(Panel, { title: "Who, what, when", aside: file?.name },
    h(Grid, { templateColumns: { base: "minmax(0, 1fr)", xl: "repeat(2, minmax(0, 1fr))" }, gap: 5 },
      h(Stack, { gap: 4, minW: 0 },
        file?.problems.map((problem) =>
          h(Notice, { key: `${problem.line} ${problem.key} ${problem.message}`, status: "error",
            title: `${problem.file}${problem.line ? `:${problem.line}:${problem.column}` : ""}: ${problem.message}` })),
        sections.map((section) => h(Listed, { key: section.title, title: section.title, lines: section.lines })),
        segments.map((segment) => h(Segment, { key: segment.name, segment }))),
      h(Stack, { gap: 4, minW: 0 },
        file?.difference && h(Difference, { difference: file.difference }),
        file?.text
          ? h(Lines, { title: "The file as it is", text: file.text })
          : h(Text, { color: "fg.muted" }, withoutText(file)))));
}

function withoutText(file) {
  if (!file) return "The campaign has no file any more.";
  return file.text === null ? "The file cannot be read." : "The file is empty.";
}

const Listed = ({ title, lines }) =>
  h(Box, null,
    h(Heading, { as: "h3", size: "sm", mb: 1 }, title),
    h(Stack, { as: "ul", gap: 0.5, fontSize: "sm", listStyleType: "disc" },
      lines.map((line, index) =>
        h("li", { key: index, style: { marginInlineStart: `${1.2 + 1.2 * line.depth}rem`, overflowWrap: "anywhere" } },
          h(Markdown, null, line.text)))));

function Segment({ segment }) {
  const title = `Saved segment ${segment.name}`;
  if (segment.lines.length) return h(Listed, { title, lines: segment.lines });
  if (segment.sql) return h(Lines, { title, text: segment.sql });
  return h(Box, null, h(Heading, { as: "h3", size: "sm", mb: 1 }, title),
    h(Text, { fontSize: "sm" }, `A list of ${counted(segment.users ?? 0, "id")}.`));
}

/**
 * The Markdown that the product writes: code spans, and emphasis. Names and values of a file stand in code spans alone, whose
 * fence may be longer than one backtick.
 */
function Markdown({ children: text }) {
  return text.split(/(`+)(.+?)\1(?!`)/).map((part, index) => {
    if (index % 3 === 1) return null; // the fence
    if (index % 3 === 2) return h(Code, { key: index, size: "sm", whiteSpace: "pre-wrap" }, part.trim());
    return part.split(/\*\*(.+?)\*\*/).map((piece, number) =>
      number % 2 ? h("strong", { key: `${index} ${number}` }, piece) : piece.replace(/\\([\\`*_{}[\]()#+\-.!<>|&~])/g, "$1"));
  });
}

/** A text in lines, which scrolls by itself. */
const Lines = ({ title, text }) =>
  h(Box, { minW: 0 },
    h(Heading, { as: "h3", size: "sm", mb: 1 }, title),
    h(Box, {
      as: "pre", tabIndex: 0, role: "region", "aria-label": title, fontSize: "xs", p: 3, borderRadius: "md", bg: "bg.muted",
      overflow: "auto", maxH: "480px",
    }, text));

const COLOURS = { "+": "green.fg", "-": "red.fg", "@": "fg.muted" };

function Difference({ difference }) {
  const title = `Changed since run ${difference.run}`;
  if (!difference.lines.length) {
    return h(Notice, { title,
      remedy: "The file says the same as then; a segment, the catalog or the settings that it refers to have changed." });
  }
  return h(Box, { minW: 0 },
    h(Heading, { as: "h3", size: "sm", mb: 1 }, title),
    h(Box, {
      as: "pre", tabIndex: 0, role: "region", "aria-label": title, fontSize: "xs", p: 3, borderRadius: "md", bg: "bg.muted", overflow: "auto",
    }, difference.lines.map((line, index) =>
      h(Text, { key: index, as: "span", display: "block", color: COLOURS[line[0]] ?? "fg", fontSize: "xs" }, line || " "))));
}
