"""Rules and saved segments as one boolean over joined queries, each condition scanned once however often it is used.

A condition is a CTE with every user at most once. A query over the users joins it by LEFT JOIN and asks whether it found
a partner: Postgres makes that an inner or anti join where the rule must hold or must not, keeps a hash join under `any`
and `not` where a large IN falls back to a loop, and no null can get in the way.

A user must have done something, or must not have, and that is all: then the events need not be grouped by user first. The
CTE has them as they are, and EXISTS becomes a semi or anti join, which Postgres does with all its workers: of a million
users the first comes out in a third of the time.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from audiences.query.column_types import UNKNOWN, ColumnTypes
from audiences.query.conditions import Moment
from audiences.query.cte_names import common, once
from audiences.query.events import doers, occurrences
from audiences.query.listed_ids import KeyType, listed_ids
from audiences.query.sources import users_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from audiences.campaign.rules import Did, Rules
    from audiences.campaign.spec import CampaignSpec, SavedSegment
    from audiences.query.text_columns import Value

_LONGEST_SLUG = 30  # keeps a CTE's name below the 63 bytes at which Postgres cuts


class Conditions:
    """The conditions of one statement as CTEs, each made when it is first asked for.

    `users` limits it to these ids; `types` says what is known of columns.
    """

    def __init__(
        self, spec: CampaignSpec, at: datetime, users: Sequence[str] | None = None, types: ColumnTypes = UNKNOWN
    ) -> None:
        self.spec = spec
        self.types = types
        self.moment = Moment(at, spec.zone)
        self._users = users
        self._uses = _uses(spec)
        self._ctes: dict[str, sa.CTE] = {}
        self._negated: dict[str, bool] = {}

    @cached_property
    def only(self) -> sa.Select[Any] | None:
        """The keys of the users to whom the statement is limited."""
        if self._users is None:
            return None
        table = users_table(self.spec.catalog)
        key = table.c[self.spec.catalog.users.key]
        wanted = sa.select(key.label("user_id")).where(sa.cast(key, sa.Text) == sa.any_(_texts(self._users)))
        return sa.select(common(wanted, "only").c.user_id)

    @cached_property
    def key_type(self) -> KeyType:
        """How ids that come from outside of the warehouse's own columns are compared with the key."""
        return KeyType(self.spec.catalog)

    def event(self, did: Did) -> tuple[sa.CTE, bool]:
        """The users for whom a rule over events holds; with True, those for whom it does not."""
        identity = _identity(did)
        if identity not in self._ctes:
            found = doers(did, self.spec.catalog, self.moment, self.only, self.types.events)
            self._ctes[identity] = self._cte(found.query, "did", did.events[0])
            self._negated[identity] = found.negated
        return self._ctes[identity], self._negated[identity]

    def occurrences(self, did: Did) -> sa.CTE | None:
        """The users of the events, each as often as there are events, where that is enough and no other rule asks for them."""
        if self._uses[_identity(did)] > 1:
            return None
        found = occurrences(did, self.spec.catalog, self.moment, self.only, self.types.events)
        if found is None:
            return None
        return self._ctes.setdefault(_identity(did), self._cte(found, "did", did.events[0]))

    def written_in_place(self, name: str) -> Rules | None:
        """The rules of a saved segment that is used only once, so that its users need no query of their own."""
        return self.spec.segments[name].rules if self._uses[_identity(name)] == 1 else None

    def segment(self, name: str) -> sa.CTE:
        """The users of a saved segment: their keys, or where it is not made of rules, ids as `key_type` compares them."""
        identity = _identity(name)
        if identity not in self._ctes:
            saved = self.spec.segments[name]
            # A list is short, and each of its ids takes its time; other queries Postgres may spread over its workers.
            make = once if saved.users is not None else common
            self._ctes[identity] = self._cte(self._segment(saved), "segment", name, make)
        return self._ctes[identity]

    def _segment(self, segment: SavedSegment) -> sa.Select[Any]:
        if segment.rules is not None:
            people = People(self)
            return people.select(people.key.label("user_id"), where=people.truth(segment.rules, required=True))
        if segment.sql is not None:
            given = _as_written(segment.sql)
            return sa.select(self.key_type.selected(given.c.user_id).label("user_id")).distinct()
        given = listed_ids(segment.users or ())
        return sa.select(self.key_type.listed(given.c.user_id).label("user_id")).distinct()

    def _cte(
        self, query: sa.Select[Any], kind: str, name: str, make: Callable[[sa.Select[Any], str], sa.CTE] = common
    ) -> sa.CTE:
        slug = re.sub("[^a-z0-9]+", "_", name.lower())[:_LONGEST_SLUG].strip("_")
        return make(query, f"{kind}_{len(self._ctes) + 1}_{slug}".rstrip("_"))


class People:
    """A query over the users: the conditions that it has joined so far."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self.table = users_table(conditions.spec.catalog, conditions.types.users)
        self.key: Value = self.table.c[conditions.spec.catalog.users.key]
        self._joins: dict[sa.CTE, Value] = {}

    @property
    def user_id(self) -> Value:
        """The key as text."""
        return sa.cast(self.key, sa.Text)

    @property
    def user_id_or_number(self) -> Value:
        """The key as a number of 64 bits where it is known to be a whole one, else as text."""
        whole = isinstance(self.key.type, sa.BigInteger)
        return sa.cast(self.key, sa.BigInteger) if whole else self.user_id

    def truth(self, rules: Rules, *, required: bool = False) -> Value:
        """Whether the rules hold for a user, true or false; what they need is joined. No rule at all holds.

        `required`: nobody for whom they do not hold is in the answer.
        """
        parts = [self.truth(below, required=required) for below in rules.all or ()]
        if rules.any:
            parts.append(sa.or_(*(self.truth(below) for below in rules.any)))
        if rules.not_ is not None:
            parts.append(sa.not_(self.truth(rules.not_)))
        if rules.did:
            parts.append(self.did(rules.did, required=required))
        if rules.did_not:
            parts.append(sa.not_(self.did(rules.did_not.positive(), required=required)))
        parts.extend(self.segment(name, required=required) for name in rules.segment or ())
        parts.extend(sa.not_(self.segment(name)) for name in rules.exclude_segment or ())
        return sa.and_(sa.true(), *parts)

    def did(self, did: Did, *, required: bool = False) -> Value:
        """Whether a rule over events holds for a user; `required`: it must for the user to be in the answer, or must not."""
        if required and (events := self._conditions.occurrences(did)) is not None:
            return sa.exists().where(events.c.user_id == self.key)
        cte, negated = self._conditions.event(did)
        found = self.joined(cte, self.key)
        return found.is_(None) if negated else found.is_not(None)

    def segment(self, name: str, *, required: bool = False) -> Value:
        """Whether a user is in a saved segment."""
        if rules := self._conditions.written_in_place(name):
            return self.truth(rules, required=required)
        cte = self._conditions.segment(name)
        of_rules = self._conditions.spec.segments[name].rules is not None
        key = self.key if of_rules else self._conditions.key_type.key(self.key)
        return self.joined(cte, key).is_not(None)

    def joined(self, cte: sa.CTE, key: Value) -> Value:
        """Join a query by its `user_id`, which is null then for users whom it does not hold."""
        self._joins[cte] = cte.c.user_id == key
        return cte.c.user_id

    def select(self, *columns: Any, where: Value) -> sa.Select[Any]:
        """The query, one row per user who passes `where`."""
        source: sa.FromClause = self.table
        for cte, condition in self._joins.items():
            source = source.outerjoin(cte, condition)
        query = sa.select(*columns).select_from(source).where(self.key.is_not(None), where)
        only = self._conditions.only
        return query if only is None else query.where(self.key.in_(only))


def _identity(condition: Did | str) -> str:
    """The same for equal rules over events, and for a saved segment of that name."""
    return f"segment {condition}" if isinstance(condition, str) else condition.model_dump_json()


def _uses(spec: CampaignSpec) -> Counter[str]:
    """How often each rule over events and saved segment is asked for, in the campaign and in the segments it uses.

    Each of those is read once.
    """
    uses: Counter[str] = Counter()

    def read(rules: Rules) -> None:
        events = (rules.did, rules.did_not and rules.did_not.positive())
        uses.update(_identity(did) for did in events if did)
        for name in (*(rules.segment or ()), *(rules.exclude_segment or ())):
            uses[_identity(name)] += 1
            saved = spec.segments[name].rules
            if saved is not None and uses[_identity(name)] == 1:
                read(saved)
        for below in rules.below():
            read(below)

    read(spec.campaign.who)
    return uses


def _texts(values: Sequence[str]) -> Value:
    return sa.cast(sa.literal(list(values), ARRAY(sa.Text)), ARRAY(sa.Text))


def _as_written(query: str) -> sa.FromClause:
    """A query from a file, as it stands, between parentheses.

    The line breaks keep a comment at its end from swallowing what follows. `text` takes `:name` for a parameter; behind
    a backslash it stays what it is.
    """
    return sa.text(f"\n{query}\n".replace(":", r"\:")).columns(sa.column("user_id")).subquery("given")
