/** The page behind "Audiences" in the navigation: all campaigns, a person, the health of the installation. */

import { Heading, Stack, h } from "./ui.js";

globalThis.Audiences = function Audiences() {
  return h(Stack, { p: 4 }, h(Heading, { as: "h1", size: "xl" }, "Audiences"));
};
