/** One person over all campaigns. Whom somebody asks about goes in the body of a request, and stays out of addresses and logs. */

import { post, useAnswer } from "./api.js";
import { ago, counted, moment } from "./format.js";
import {
  Badge, Box, Button, Cell, Dialog, Flex, HStack, Heading, Input, NativeSelect, Notice, Panel, Portal, RouterLink, Rows, Spinner, Stack,
  State, Table, Text, VisuallyHidden, Words, h, useState,
} from "./ui.js";

const KINDS = { user: "User id", email: "E-mail address", phone: "Phone number" };
const ARMS = { target: "target", campaign: "control group", custom: "custom control group", system: "system control group" };

export function Person() {
  const [by, setBy] = useState("user");
  const [value, setValue] = useState("");
  const [state, setState] = useState({ asking: false, found: null, refused: null });
  const me = useAnswer("me");
  if (me.found && !me.found.looks_up) return h(NeedsRight);
  const ask = () => {
    if (!value.trim()) return Promise.resolve();
    setState((before) => ({ ...before, asking: true, refused: null }));
    return post("person", { by, value }).then(
      (found) => setState({ asking: false, found: { ...found, by }, refused: null }),
      (refused) => setState({ asking: false, found: null, refused }));
  };
  return h(Stack, { gap: 4, maxW: "1100px" },
    h(Flex, {
      as: "form", gap: 2, wrap: "wrap", role: "search", "aria-label": "Find a person", autoComplete: "off",
      onSubmit: (event) => {
        event.preventDefault();
        ask();
      },
    },
      h(NativeSelect.Root, { size: "sm", w: "170px" },
        h(NativeSelect.Field, { value: by, onChange: (event) => setBy(event.target.value), "aria-label": "Asked by" },
          Object.entries(KINDS).map(([kind, name]) => h("option", { key: kind, value: kind }, name))),
        h(NativeSelect.Indicator)),
      h(Input, {
        size: "sm", flex: 1, minW: "200px", maxW: "md", value, onChange: (event) => setValue(event.target.value), "aria-label": KINDS[by],
        autoComplete: "off", spellCheck: false, type: "text",
      }),
      h(Button, { size: "sm", type: "submit", disabled: state.asking || !value.trim() }, state.asking && h(Spinner, { size: "xs" }), "Find")),
    h(Text, { fontSize: "sm", color: "fg.muted" },
      "Addresses and numbers are hashed by the rules of an upload and compared with hashes. They are in no address, no log and no answer."),
    h(Stack, { gap: 4, "aria-live": "polite" },
      state.refused && h(Notice, { status: "error", title: state.refused.message }),
      state.found && h(Found, { found: state.found, administers: me.found?.administers, onErased: ask })));
}

const AS = { email: "an e-mail address", phone: "a phone number" };

const NeedsRight = () =>
  h(Text, { color: "fg.muted", fontSize: "sm" },
    "To look people up you need the right to change the DAG of a campaign, as Airflow's role user has it.");

function Found({ found, administers, onErased }) {
  return h(Stack, { gap: 4 },
    !found.people.length && h(Notice, { title: "Nobody is known by this, in the warehouse or on record." }),
    found.asked_by !== found.by && h(Notice, { title: `This is no user's id but ${AS[found.asked_by]}, and was looked up as such.` }),
    found.erased && h(Notice, { status: "warning", title: "Somebody who is known by this was erased, and is not uploaded any more." }),
    found.people.map((person) => h(OnePerson, { key: person.user, person, administers, onErased })),
    found.more.length > 0 && h(Text, { fontSize: "sm" }, `And ${counted(found.more.length, "other user")}: ${found.more.join(", ")}`));
}

function OnePerson({ person, administers, onErased }) {
  const campaigns = [...new Set([...person.arms, ...person.memberships].map((each) => each.campaign))].sort();
  return h(Panel, { title: `User ${person.user}`, aside: person.known ? "in the warehouse" : "not in the warehouse, on record only" },
    h(Stack, { gap: 4 },
      person.erasure && h(Erasure, { erasure: person.erasure }),
      campaigns.length
        ? h(Rows, {
            label: `Campaigns of user ${person.user}`,
            columns: [{ title: "Campaign" }, { title: "Now" }, { title: "Since" }, { title: "Group" }, { title: "Why" }],
          }, campaigns.map((campaign) => h(InCampaign, { key: campaign, campaign, person })))
        : h(Text, { fontSize: "sm", color: "fg.muted" }, "No campaign that you may see knows this user."),
      administers && h(Erase, { user: person.user, onErased })));
}

function InCampaign({ campaign, person }) {
  const memberships = person.memberships.filter((each) => each.campaign === campaign);
  const now = memberships.find((each) => each.until === null && each.present);
  const last = now ?? memberships.at(-1);
  const arm = person.arms.find((each) => each.campaign === campaign);
  return h(Table.Row, { verticalAlign: "top" },
    h(Cell, null, h(RouterLink, { to: `/dags/${encodeURIComponent(campaign)}/plugin/campaign` }, campaign)),
    h(Cell, null, h(State, { of: now ? "good" : "draft" }, now ? "in" : "out")),
    h(Cell, { whiteSpace: "nowrap" }, last
      ? h(Box, { title: moment(now ? last.since : last.until ?? last.since) },
          `${ago(now ? last.since : last.until ?? last.since)}, run ${now ? last.since_run : last.until_run ?? last.since_run}`)
      : "never was in"),
    h(Cell, null, arm ? ARMS[arm.arm] ?? arm.arm : "–"),
    h(Cell, { minW: "280px", whiteSpace: "normal" }, h(Why, { campaign, user: person.user })));
}

/** Asked one campaign at a time: with a cap all users are looked at. */
function Why({ campaign, user }) {
  const [state, setState] = useState({ asking: false, found: null, refused: null });
  const ask = () => {
    setState({ asking: true, found: null, refused: null });
    post("person/why", { campaign, user }).then(
      (found) => setState({ asking: false, found, refused: null }),
      (refused) => setState({ asking: false, found: null, refused }));
  };
  if (state.refused) return h(Text, { fontSize: "sm", color: "fg.error" }, state.refused.message);
  if (!state.found) {
    return h(Button, { size: "xs", variant: "outline", onClick: ask, disabled: state.asking, "aria-label": `Why in or out of ${campaign}` },
      state.asking && h(Spinner, { size: "xs" }), "Explain");
  }
  const { found } = state;
  return h(Stack, { gap: 1, fontSize: "sm" },
    h(Text, null, h(Badge, { me: 2 }, found.outcome.replaceAll("_", " ")), h(Words, { sentence: true }, found.because)),
    h(Stack, { as: "ul", gap: 0.5, ps: 1, listStyleType: "none", fontSize: "xs" },
      found.steps.map((step, index) =>
        h("li", { key: index, style: { marginInlineStart: `${step.depth}rem` } },
          step.passed ? "✓ " : "✗ ", h(VisuallyHidden, null, step.passed ? "holds: " : "does not hold: "), h(Words, null, step.text),
          step.value !== null && ` (${step.value})`))));
}

const Erasure = ({ erasure }) =>
  h(Notice, {
    status: erasure.done_at ? "success" : "warning",
    title: erasure.done_at ? `Erased ${moment(erasure.done_at)}, and nothing is left` : `Erasure ${erasure.erasure}, asked for ${moment(erasure.asked_at)}, is not complete`,
  }, erasure.still_to_do.map((task) => h(Text, { key: task }, h(Words, { sentence: true }, task))));

/** Asks twice: a button, then the id once more. */
function Erase({ user, onErased }) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [state, setState] = useState({ asking: false, done: null, refused: null });
  const erase = () => {
    setState({ asking: true, done: null, refused: null });
    post("person/erase", { user, again: typed }).then(
      (done) => setState({ asking: false, done, refused: null }),
      (refused) => setState({ asking: false, done: null, refused }));
  };
  const close = () => {
    setOpen(false);
    setTyped("");
    if (state.done) onErased();
    setState({ asking: false, done: null, refused: null });
  };
  return h(Box, null,
    h(Button, { size: "sm", variant: "outline", colorPalette: "red", onClick: () => setOpen(true) }, "Erase this person …"),
    h(Dialog.Root, { open, onOpenChange: (change) => !change.open && close(), role: "alertdialog", placement: "center" },
      h(Portal, null,
        h(Dialog.Backdrop),
        h(Dialog.Positioner, null,
          h(Dialog.Content, { "aria-label": "Erase a person" },
            h(Dialog.Header, null, h(Dialog.Title, null, `Erase user ${user}?`)),
            h(Dialog.Body, null, state.done ? h(Erased, { done: state.done }) : h(Stack, { gap: 3 },
              h(Text, null, "The person leaves every audience of every ad account and the ledger, for good, and is never uploaded again. ",
                "The warehouse is left as it is."),
              h(Text, { as: "label", fontSize: "sm", htmlFor: "erase-again" }, "Type the user's id once more:"),
              h(Input, { id: "erase-again", size: "sm", value: typed, autoComplete: "off", onChange: (event) => setTyped(event.target.value) }),
              state.refused && h(Notice, { status: "error", title: state.refused.message }))),
            h(Dialog.Footer, null, h(HStack, { gap: 2 },
              h(Button, { size: "sm", variant: "outline", onClick: close }, state.done ? "Close" : "Keep the person"),
              !state.done && h(Button, { size: "sm", colorPalette: "red", disabled: typed !== user || state.asking, onClick: erase },
                state.asking && h(Spinner, { size: "xs" }), "Erase for good"))))))));
}

const WORDS = { done: "Nothing is left.", incomplete: "Something is still to be done.", unknown: "Nobody has, or had, this id. It is remembered all the same." };

const Erased = ({ done }) =>
  h(Stack, { gap: 2, role: "status" },
    h(Heading, { as: "h3", size: "sm" }, WORDS[done.state]),
    done.accounts.map((account) => h(Text, { key: account.id, fontSize: "sm" },
      account.error ?? `Ad account ${account.id}: ${account.received} of ${account.rows} rows acknowledged`)),
    done.still_to_do.map((task) => h(Notice, { key: task, status: "warning", title: task })));
