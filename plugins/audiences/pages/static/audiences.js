/** The page behind "Audiences" in the navigation: all campaigns, a person, the health of the installation. */

import { Health } from "./health.js";
import { Campaigns } from "./list.js";
import { Person } from "./person.js";
import { Flex, Heading, Link, Stack, h } from "./ui.js";

const { useLocation, Link: To } = globalThis.ReactRouterDOM;
const HERE = "/plugin/audiences";
const PARTS = [
  { path: "", title: "Campaigns", part: Campaigns },
  { path: "person", title: "A person", part: Person },
  { path: "health", title: "Health", part: Health },
];

// Airflow takes the global of the app's name.
globalThis.Audiences = function Audiences() {
  const [, path = ""] = useLocation().pathname.match(/\/plugin\/audiences\/?([^/]*)/) ?? [];
  const current = PARTS.find((part) => part.path === path) ?? PARTS[0];
  return h(Stack, { id: "audiences-page", p: { base: 2, md: 4 }, gap: 4, maxW: "1600px" },
    h(Flex, { gap: { base: 3, md: 6 }, align: "baseline", wrap: "wrap" },
      h(Heading, { as: "h1", size: "xl" }, "Audiences"),
      h(Flex, { as: "nav", "aria-label": "Parts of Audiences", gap: 4 },
        PARTS.map(({ path: target, title }) =>
          h(Link, {
            key: title, asChild: true, fontWeight: "medium", pb: 1, borderBottomWidth: 2, borderRadius: 0,
            borderColor: target === current.path ? "blue.solid" : "transparent",
            color: target === current.path ? "fg" : "fg.muted",
          }, h(To, { to: target ? `${HERE}/${target}` : HERE, "aria-current": target === current.path ? "page" : undefined }, title))))),
    h(current.part));
};
