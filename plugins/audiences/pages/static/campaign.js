/** The tab of a campaign on its DAG. */

import { Heading, Stack, h } from "./ui.js";

globalThis.Campaign = function Campaign({ dagId }) {
  return h(Stack, { p: 4 }, h(Heading, { as: "h1", size: "xl" }, dagId));
};
