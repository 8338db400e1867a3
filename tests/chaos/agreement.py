"""Facebook's set, the ledger's and the rules', compared member by member."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.chaos import oracle
from tests.chaos.campaigns import ALL, SHARED, SUPPRESSED, Plan

if TYPE_CHECKING:
    from tests.chaos.oracle import Row, Verdict
    from tests.chaos.place import Place

Memberships = dict[str, dict[int, set[tuple[tuple[str, str], ...]]]]
"""By campaign and user the rows that the campaign keeps in its audience."""


@dataclass
class Agreement:
    """`added` is whom a campaign that only adds has added so far; `suppressed` the rows of an audience that buyers had
    filled, of which `taken_out` are gone; `bad` the cells that Facebook was made to refuse."""

    place: Place
    added: dict[int, set[Row]] = field(default_factory=dict)
    suppressed: set[Row] = field(default_factory=set)
    taken_out: set[Row] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)

    def prepare_audiences(self) -> None:
        """The audiences that the campaigns are given: one empty, one full of buyers of whom some will match."""
        users = oracle.look(self.place.dsn("warehouse"))
        rows = {row for user in users if user.id % 3 and (row := user.row("EMAIL", "PHONE"))}
        self.suppressed = rows
        family = {"schema": ["EMAIL", "PHONE"], "family": "FILE_IMPORTED.MULTI_HASHES"}
        common = {"account": "act_1001", **family}
        self.place.admin.put_audience(id=SHARED, name="Shared", **common)
        self.place.admin.put_audience(id=SUPPRESSED, name="Suppress", members=[dict(row) for row in rows], **common)

    def compare(self, seen: list[dict[str, Verdict]], summaries: dict[str, dict[str, Any]], *, restless: bool) -> None:
        memberships, final, quarantined = self.memberships(), seen[-1], self.quarantined()
        fed = self.fed()
        audience_of = {plan.name: audience for audience, plans in fed.items() for plan in plans}
        for plan in ALL:
            back = quarantined.get(audience_of.get(plan.name, ""), set())
            if not (restless and plan.rules.cap):
                self._compare_outcomes(final[plan.name], summaries[plan.name], back)
            self._compare_members(plan, memberships.get(plan.name, {}), seen, back, restless=restless)
        for audience, plans in fed.items():
            at_facebook = self.at_facebook(audience)
            held = [rows for plan in plans for rows in memberships.get(plan.name, {}).values()]
            on_record: set[Row] = set().union(*held)
            assert at_facebook == on_record, _difference("Facebook", at_facebook, "the ledger", on_record)
            for plan in plans:
                assert summaries[plan.name]["state"] == "success"
        self._compare_suppressed(seen, restless=restless)

    def _compare_outcomes(self, verdict: Verdict, summary: dict[str, Any], back: set[Row]) -> None:
        found = summary["outcomes"]
        expected = {
            name: verdict.outcomes[name] for name in found if name not in ("added", "kept", "failed", "removed")
        }
        assert {name: found[name] for name in expected} == expected, summary["campaign"]
        assert found["failed"] <= sum(row in back for row in verdict.wanted.values())
        assert found["added"] + found["kept"] + found["failed"] == found["targeted"]

    def _compare_members(
        self,
        plan: Plan,
        held: dict[int, set[Row]],
        seen: list[dict[str, Verdict]],
        back: set[Row],
        *,
        restless: bool,
    ) -> None:
        """The ledger against the rules, user by user; who has a row of those kept `back` may be in or not."""
        final = seen[-1][plan.name]
        refused = {user for user, row in final.wanted.items() if row in back}
        if plan.action == "remove_matching":
            return
        if plan.rules.cap:
            self._compare_capped(held, [verdict[plan.name] for verdict in seen], back, restless=restless)
            return
        expected = {user: {row} for user, row in final.wanted.items()}
        if plan.action == "add":
            tried = [verdict[plan.name].wanted for verdict in seen]
            for user, rows in held.items():
                possible = self.added.get(user, set()) | {wanted[user] for wanted in tried if user in wanted}
                assert rows <= possible, f"{plan.name} holds user {user} with identifiers that were never theirs"
            # Taken out with old identifiers, and then no longer wanted before the new ones were sent.
            on_the_way = {
                user for wanted in tried for user, row in wanted.items() if {row} != self.added.get(user, {row})
            }
            # Not uploaded anew with a whole set.
            opted_out = {user for verdict in seen for user in verdict[plan.name].opted_out}
            lost = self.added.keys() - held.keys() - refused - opted_out - (on_the_way if restless else set())
            assert not lost, f"{plan.name} lost {len(lost)} users, {sorted(lost)[:5]}"
            kept = {user: rows for user, rows in held.items() if user in self.added or restless}
            expected = {**kept, **expected}
            self.added = held
        wrong = {user for user in held.keys() | expected.keys() if held.get(user) != expected.get(user)}
        wrong -= {user for user in refused if not held.get(user)}
        assert not wrong, f"{plan.name}: the ledger and the rules differ about {len(wrong)} users, {sorted(wrong)[:5]}"

    def _compare_capped(
        self, held: dict[int, set[Row]], verdicts: list[Verdict], back: set[Row], *, restless: bool
    ) -> None:
        """As many as the cap allows, chosen by the rules from the members of some moment: members go before newcomers.

        A run that was cut off may have made members of newcomers, or no members of those whose identifiers changed.
        """
        final, targeted = verdicts[-1], verdicts[-1].outcomes["targeted"]
        assert targeted - len(back) <= len(held) <= targeted
        chosen = {(user, row) for verdict in verdicts for user, row in verdict.wanted.items()}
        assert restless or {(user, row) for user, rows in held.items() for row in rows} <= chosen
        assert all(held[user] == {row} for user, row in final.wanted.items() if user in held)
        assert held.keys().isdisjoint(final.unfit)

    def _compare_suppressed(self, seen: list[dict[str, Verdict]], *, restless: bool) -> None:
        """Of the rows that were there, those of matching users are gone, and only those."""
        gone = self.suppressed - self.at_facebook(SUPPRESSED)
        final = set(seen[-1]["suppress"].wanted.values())
        possible = {row for verdict in seen for row in verdict["suppress"].wanted.values()}
        must, may = self.taken_out | (final & self.suppressed), self.taken_out | (possible & self.suppressed)
        assert must <= gone <= may, _difference("removed", gone, "to be removed", must)
        assert restless or gone == must
        self.taken_out = gone

    def memberships(self) -> Memberships:
        """By campaign, whom the ledger says it keeps in its audience, with their rows: several while a removal is refused."""
        rows = self.place.ledger(
            "select c.name, m.user_id, m.identifiers from audiences.member m"
            " join audiences.campaign c on c.id = m.campaign_id where m.removed_run is null and m.present"
        )
        found: Memberships = {}
        for campaign, user, identifiers in rows:
            of_user = found.setdefault(campaign, {}).setdefault(int(user), set())
            row = oracle.unpacked(identifiers)
            assert row not in of_user, f"user {user} is twice in {campaign}"
            of_user.add(row)
        return found

    def quarantined(self) -> dict[str, set[Row]]:
        """By audience, the rows that Facebook refused one by one: they were made to be refused."""
        found: dict[str, set[Row]] = {}
        for audience, identifiers in self.place.ledger(
            "select a.facebook_id, r.identifiers from audiences.refused_row r join audiences.audience a on a.id = r.audience_id"
        ):
            row = oracle.unpacked(identifiers)
            assert self.bad.intersection(cell for _, cell in row), "a good row is kept back"
            found.setdefault(audience, set()).add(row)
        return found

    def fed(self) -> dict[str, list[Plan]]:
        """The audiences that are filled by us, by Facebook's id, with their campaigns; new ones once they exist."""
        created = dict(
            self.place.ledger(
                "select c.name, a.facebook_id from audiences.audience a join audiences.campaign c on c.id = a.created_for"
            )
        )
        fed: dict[str, list[Plan]] = {}
        for plan in ALL:
            audience = plan.audience or created.get(plan.name)
            if audience and plan.action != "remove_matching":
                fed.setdefault(audience, []).append(plan)
        return fed

    def on_record(self, audience: str) -> set[Row]:
        """The rows that the campaigns of an audience keep in it, as the ledger says."""
        memberships = self.memberships()
        held = [memberships.get(plan.name, {}) for plan in self.fed()[audience]]
        return {row for of_plan in held for rows in of_plan.values() for row in rows}

    def at_facebook(self, audience: str) -> set[Row]:
        return {tuple(sorted(row.items())) for row in self.place.admin.members(audience)}


def _difference(one_name: str, one: set[Any], other_name: str, other: set[Any]) -> str:
    only_one, only_other = one - other, other - one
    some = [str(item)[:100] for item in (*sorted(only_one)[:2], *sorted(only_other)[:2])]
    return f"only {one_name}: {len(only_one)}, only {other_name}: {len(only_other)}, for example {some}"
