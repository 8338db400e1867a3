/**
 * The few elements that all pages share, made of what Airflow's own screen is made of: React and Chakra, which it publishes as
 * globals. No build, no JSX: `h(type, properties, ...children)`.
 */

const { React, ChakraUI, ReactRouterDOM } = globalThis;

export const h = React.createElement;
export const { Fragment, useState, useMemo, useRef, useEffect } = React;
export const {
  Alert, Badge, Box, Button, Card, Code, DataList, Dialog, Flex, Grid, Heading, HStack, Input, Link, NativeSelect, Portal,
  SimpleGrid, Skeleton, Spinner, Stack, Table, Tabs, Text, VisuallyHidden, Wrap,
} = ChakraUI;

/** A link inside Airflow, followed without loading the page anew. */
export const RouterLink = ({ to, children, ...more }) =>
  h(Link, { asChild: true, color: "fg.info", ...more }, h(ReactRouterDOM.Link, { to }, children));

/** A link out, to Ads Manager for one. */
export const OutLink = ({ href, children, ...more }) =>
  h(Link, { href, target: "_blank", rel: "noopener noreferrer", color: "fg.info", ...more }, children, " ↗");

/** A part of a page under a heading of its own. */
export const Panel = ({ title, aside, children, ...more }) =>
  h(Box, { as: "section", "aria-label": title, borderWidth: 1, borderRadius: "md", p: { base: 3, md: 4 }, minW: 0, ...more },
    h(Flex, { justify: "space-between", align: "baseline", gap: 3, mb: 3, wrap: "wrap" },
      h(Heading, { as: "h2", size: "sm" }, title),
      aside && h(Text, { as: "div", fontSize: "sm", color: "fg.muted" }, aside)),
    children);

/** One number with its name. */
export const Figure = ({ name, value, note }) =>
  h(Box, { minW: 0 },
    h(Text, { fontSize: "xs", color: "fg.muted" }, name),
    h(Text, { fontSize: "xl", fontWeight: "semibold", fontVariantNumeric: "tabular-nums" }, value),
    note && h(Text, { fontSize: "xs", color: "fg.muted" }, note));

/** Facebook's own pages; an address that somebody else's text brings along stays text. */
const OF_FACEBOOK = /^https:\/\/(?:[a-z0-9-]+\.)*(?:facebook|meta)\.com(?:\/|$)/;
const NAMES_AND_ADDRESSES = /(`[^`\n]+`|https:\/\/[^\s<>"'`]+[^\s<>"'`.,;:)])/;

/** A text of the product's: `words` in backticks are names and commands; `sentence` makes it begin with a capital. */
export function Words({ children: text, sentence = false }) {
  const said = sentence && /^[a-z]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  return said.split(NAMES_AND_ADDRESSES).map((part, index) => {
    if (index % 2 === 0 || (!part.startsWith("`") && !OF_FACEBOOK.test(part))) return part;
    return part.startsWith("`")
      ? h(Code, { key: index, size: "sm", colorPalette: "gray", whiteSpace: "pre-wrap" }, part.slice(1, -1))
      : h(OutLink, { key: index, href: part, color: "inherit", textDecoration: "underline", display: "inline", overflowWrap: "anywhere" }, part);
  });
}

/** Something to read and, where `remedy` says so, to do. */
export const Notice = ({ status = "info", title, remedy, children }) =>
  h(Alert.Root, { status, size: "sm", alignItems: "flex-start" },
    h(Alert.Indicator),
    h(Alert.Content, { minW: 0 },
      title && h(Alert.Title, { overflowWrap: "anywhere" }, h(Words, { sentence: true }, title)),
      (remedy || children) &&
        h(Alert.Description, { overflowWrap: "anywhere", color: "fg" }, remedy && h(Words, null, remedy), children)));

/** What a page shows while it waits, and when it was refused; else `children` of what was found. */
export function Answered({ answer, children, waiting = "Loading" }) {
  const { found, refused, loading, again } = answer;
  if (refused && !found) {
    return h(Stack, { gap: 2, align: "flex-start" },
      h(Notice, { status: refused.status === 403 ? "warning" : "error", title: refused.message }),
      refused.status !== 403 && h(Button, { size: "sm", variant: "outline", onClick: again }, "Try again"));
  }
  if (!found) {
    return h(Stack, { role: "status", "aria-busy": true, gap: 3 },
      h(VisuallyHidden, null, waiting), h(Skeleton, { height: "60px" }), h(Skeleton, { height: "160px" }));
  }
  return h(Fragment, null,
    refused && h(Notice, { status: "warning", title: refused.message }),
    h(Box, { "aria-busy": loading, minW: 0 }, children(found)));
}

const PALETTES = {
  good: "green", success: "green", running: "cyan", waiting: "cyan", warning: "orange", stopped: "orange", failed: "red", problem: "red",
  died: "red", live: "purple", draft: "gray", ended: "gray",
};

/** A state in a word, with a colour that repeats the word. */
export const State = ({ of, children }) =>
  h(Badge, { colorPalette: PALETTES[of] ?? "gray", variant: "surface", size: "sm" }, children ?? of);

/** Something that is shown when asked for. */
export const Details = ({ title, open, children }) =>
  h(Box, { as: "details", open: open || undefined, minW: 0 },
    h(Box, { as: "summary", cursor: "pointer", fontSize: "sm", color: "fg.info", mb: 1 }, title), children);

/** A table that scrolls by itself on a narrow screen; `columns` are `{title, end}`, `end` for numbers. */
export const Rows = (table) =>
  h(Table.ScrollArea, { tabIndex: 0, role: "region", "aria-label": table.label }, h(PlainRows, table));

/** The same without scrolling. */
export const PlainRows = ({ label, columns, children }) =>
  h(Table.Root, { size: "sm", "aria-label": label },
    h(Table.Header, null,
      h(Table.Row, null, columns.map((column) =>
        h(Table.ColumnHeader, { key: column.title, textAlign: column.end ? "end" : "start", whiteSpace: "nowrap" },
          column.title)))),
    h(Table.Body, null, children));

/** A cell of such a table. */
export const Cell = ({ end, children, ...more }) =>
  h(Table.Cell, { textAlign: end ? "end" : "start", fontVariantNumeric: "tabular-nums", ...more }, children);
