/** How far behind its events a live campaign is, and what its open batch holds. */

import { ago, count, counted, duration, moment } from "./format.js";
import { Figure, Notice, SimpleGrid, Stack, h } from "./ui.js";

export const Standing = ({ live }) =>
  h(Stack, { gap: 3 },
    live.error && h(Notice, { status: "error", title: `The last look for its events failed: ${live.error}` }),
    live.batch_error && h(Notice, { status: "error", title: `The open batch failed: ${live.batch_error}` }),
    h(SimpleGrid, { columns: { base: 2, lg: 4 }, gap: 4 },
      h(Figure, { name: "Lag", value: duration(live.lag_seconds), note: "what is due has waited so long" }),
      h(Figure, { name: "Warehouse read to", value: ago(live.read_to), note: moment(live.read_to) }),
      h(Figure, { name: "Events that wait", value: count(live.waiting), note: "not due yet, or in no batch yet" }),
      h(Figure, {
        name: "Open batch", value: live.batch === null ? "none" : counted(live.batch_events, "event"),
        note: live.batch === null ? undefined : `${counted(live.batch_users, "user")}, tried ${counted(live.batch_tries, "time")}` })));
