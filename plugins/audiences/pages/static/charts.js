/** Charts as SVG in the colours of Airflow's theme, so that light and dark are right by themselves. */

import { Box, Cell, Fragment, PlainRows, Table, VisuallyHidden, h, useEffect, useMemo, useRef, useState } from "./ui.js";
import { change, count, day } from "./format.js";

const LINE = "var(--chakra-colors-blue-solid)";
const AREA = "var(--chakra-colors-blue-muted)";
const ADDED = "var(--chakra-colors-green-solid)";
const REMOVED = "var(--chakra-colors-orange-solid)";
const RULE = "var(--chakra-colors-border)";
const TEXT = "var(--chakra-colors-fg-muted)";

/** The width that an element has, and a reference to give it. */
function useWidth() {
  const element = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return [element, width];
}

/** A path through points; a gap where a value is null. */
function path(values, x, y) {
  let drawing = false;
  return values
    .map((value, index) => {
      if (value === null) {
        drawing = false;
        return "";
      }
      const step = `${drawing ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      drawing = true;
      return step;
    })
    .join("");
}

/** The last weeks in a line as high as a word. `sizes` are `{day, size}`. */
export function Sparkline({ sizes, width = 110, height = 26 }) {
  if (sizes.length < 2) return null;
  const values = sizes.map(({ size }) => size);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (index) => 2 + (index * (width - 4)) / (values.length - 1);
  const y = (value) => (most === least ? height / 2 : height - 3 - ((value - least) * (height - 6)) / (most - least));
  const said = `Size from ${day(sizes[0].day)} to ${day(sizes.at(-1).day)}: ${count(values[0])} to ${count(values.at(-1))}`;
  return h("svg", { role: "img", "aria-label": said, width, height, style: { display: "block" } },
    h("title", null, said),
    h("path", { d: path(values, x, y), fill: "none", stroke: LINE, strokeWidth: 1.6, strokeLinejoin: "round" }),
    h("circle", { cx: x(values.length - 1), cy: y(values.at(-1)), r: 2.2, fill: LINE }));
}

/** A round number not below `most`, and the marks up to it. */
function scale(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const top = [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= most) ?? most;
  return { top: Math.max(top, 1), marks: [0, top / 2, top].filter((mark) => Number.isInteger(mark)) };
}

const [LEFT, TOP, SIZE_HEIGHT, GAP, CHANGE_HEIGHT, FOOT] = [56, 8, 150, 18, 74, 22];
const HEIGHT = TOP + SIZE_HEIGHT + GAP + CHANGE_HEIGHT + FOOT;

/** Size, and below it what came and went, day by day. `days` are `{day, size, runs, added, removed}`; `size` may be null. */
export function SizeChart({ days }) {
  const [element, width] = useWidth();
  const known = days.filter(({ size }) => size !== null);
  const said = known.length
    ? `Size by day, ${day(days[0].day)} to ${day(days.at(-1).day)}: ${count(known[0].size)} at first, ${count(known.at(-1).size)} now`
    : "No size is known yet";
  return h(Fragment, null,
    h(Box, { ref: element, minW: 0 }, width > 0 && h(Drawing, { days, width, said })),
    h(AsTable, { days }));
}

function Drawing({ days, width, said }) {
  const sizes = scale(Math.max(0, ...days.map(({ size }) => size ?? 0)));
  const changes = scale(Math.max(1, ...days.map(({ added, removed }) => Math.max(added, removed))));
  const slot = (width - LEFT - 4) / days.length;
  const x = (index) => LEFT + slot * (index + 0.5);
  const y = (size) => TOP + SIZE_HEIGHT * (1 - size / sizes.top);
  const middle = TOP + SIZE_HEIGHT + GAP + CHANGE_HEIGHT / 2;
  const tall = (users) => (users ? Math.max(1, (users / changes.top) * (CHANGE_HEIGHT / 2)) : 0);
  const first = days.findIndex(({ size }) => size !== null);
  const line = path(days.map(({ size }) => size), x, y);
  const every = Math.max(1, Math.ceil(days.length / Math.max(2, Math.floor((width - LEFT) / 90))));
  const bar = Math.max(1, Math.min(14, slot * 0.7));
  return h("svg", { role: "img", "aria-label": said, width, height: HEIGHT, style: { display: "block", fontSize: 11 } },
    sizes.marks.map((mark) => h(Mark, { key: mark, y: y(mark), width, text: count(mark) })),
    first >= 0 && h("path", {
      d: `${line}L${x(days.length - 1)} ${y(0)}L${x(first)} ${y(0)}Z`, fill: AREA, opacity: 0.5 }),
    h("path", { d: line, fill: "none", stroke: LINE, strokeWidth: 2, strokeLinejoin: "round" }),
    first >= 0 && first === days.length - 1 && h("circle", { cx: x(first), cy: y(days[first].size), r: 3, fill: LINE }),
    h(Mark, { y: middle, width, text: "0" }),
    h("text", { x: LEFT - 8, y: middle - CHANGE_HEIGHT / 2 + 9, textAnchor: "end", fill: TEXT }, `+${count(changes.top)}`),
    h("text", { x: LEFT - 8, y: middle + CHANGE_HEIGHT / 2, textAnchor: "end", fill: TEXT }, `−${count(changes.top)}`),
    days.map((each, index) =>
      h("g", { key: each.day },
        h("rect", { x: x(index) - bar / 2, y: middle - tall(each.added), width: bar, height: tall(each.added), fill: ADDED }),
        h("rect", { x: x(index) - bar / 2, y: middle, width: bar, height: tall(each.removed), fill: REMOVED }),
        h("rect", { x: x(index) - slot / 2, y: TOP, width: slot, height: HEIGHT - FOOT - TOP, fill: "transparent" },
          h("title", null, `${day(each.day)}: ${count(each.size)} in all, ${change(each.added)}, ${change(-each.removed)}`)),
        (days.length - 1 - index) % every === 0 &&
          h("text", { x: x(index), y: HEIGHT - 6, textAnchor: index > days.length - 2 ? "end" : "middle", fill: TEXT },
            day(each.day)))));
}

const Mark = ({ y, width, text }) =>
  h("g", null,
    h("line", { x1: LEFT, x2: width - 4, y1: y, y2: y, stroke: RULE }),
    h("text", { x: LEFT - 8, y: y + 4, textAnchor: "end", fill: TEXT }, text));

/** The same numbers for whoever does not see the picture. */
function AsTable({ days }) {
  const busy = useMemo(() => days.filter(({ runs, added, removed }) => runs || added || removed), [days]);
  return h(VisuallyHidden, null,
    h(PlainRows, {
      label: "Size by day", columns: [{ title: "Day" }, { title: "Size" }, { title: "Added" }, { title: "Removed" }],
    },
      busy.map((each) =>
        h(Table.Row, { key: each.day },
          h(Cell, null, day(each.day)), h(Cell, null, count(each.size)), h(Cell, null, count(each.added)),
          h(Cell, null, count(each.removed))))));
}

/** An estimate with its interval, beside the line of no difference. */
export function Interval({ low, high, value, said }) {
  const [element, width] = useWidth();
  const reach = Math.max(Math.abs(low), Math.abs(high), 1e-12) * 1.15;
  const x = (at) => 6 + ((at + reach) / (2 * reach)) * (width - 12);
  const colour = low > 0 ? ADDED : high < 0 ? REMOVED : TEXT;
  return h(Box, { ref: element, minW: 0 }, width > 0 &&
    h("svg", { role: "img", "aria-label": said, width, height: 44, style: { display: "block", fontSize: 11 } },
      h("line", { x1: x(0), x2: x(0), y1: 2, y2: 28, stroke: TEXT, strokeDasharray: "3 3" }),
      h("text", { x: x(0), y: 41, textAnchor: "middle", fill: TEXT }, "no difference"),
      h("line", { x1: x(low), x2: x(high), y1: 15, y2: 15, stroke: colour, strokeWidth: 4, strokeLinecap: "round" }),
      h("circle", { cx: x(value), cy: 15, r: 6, fill: colour })));
}
