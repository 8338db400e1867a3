"""Who has an e-mail address or a phone number: asked by people who have nothing else of the person they are to answer.

The address is hashed by the rules of an upload and compared with hashes, those of the warehouse's users and those on record
in the ledger. It is in no query, so that no server writes it into its log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

from audiences.campaign.identifiers import FIELDS
from audiences.errors import FixConfigError
from audiences.ledger import erasures, member_history
from audiences.query.render import render
from audiences.what.erased import Erased, rows_in_common
from audiences.what.identifiers.column import encode_column
from audiences.what.identifiers.outcome import Context, Reason
from audiences.what.rows import pack
from audiences.who.person import everybody

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.catalog import Catalog
    from audiences.pipeline.resources import Resources

Address = Literal["email", "phone"]
"""The identifiers by which people are looked for, by the names of a campaign file."""


@dataclass(eq=False)
class UnreadableAddressError(FixConfigError):
    """What was given can be nobody's address; it is not in the text."""

    kind: str
    reason: str

    def __str__(self) -> str:
        advice = "; write it with + and the country code" if self.reason == Reason.NO_COUNTRY_CODE.value else ""
        return f"what was given as {self.kind} is not sent to Facebook for anybody: {self.reason}{advice}"


@dataclass(frozen=True, slots=True)
class Holders:
    """The ids of those who have the address: in the warehouse now, or on record only. `erased`: so has somebody erased."""

    users: tuple[str, ...]
    on_record: tuple[str, ...]
    erased: bool


def holders(resources: Resources, catalog: Catalog, kind: Address, address: str, at: datetime) -> Holders:
    """Look for the address, as a run would read it, in the whole warehouse and the whole ledger.

    A phone number without country code is read in the catalog's default country, and for each user in theirs. Raises
    UnreadableAddressError, and what the warehouse raises.
    """
    context = Context(today=at.date(), default_country=catalog.default_country)
    asked = encode_column(kind, pa.array([address], pa.string()), context)
    digests = asked.values.drop_null()
    users, found = _in_warehouse(resources, catalog, kind, address, context, digests)
    digests = pa.concat_arrays([digests, found]).unique()
    if not len(digests):
        raise UnreadableAddressError(kind=kind, reason=next(iter(asked.rejected), Reason.EMPTY.value))
    (key,) = FIELDS[kind].keys
    cells = frozenset(pack({key: digests}).to_pylist())
    recorded = {
        row.user_id
        for row in member_history.with_bytes(resources.ledger, cells)
        if rows_in_common([bytes(row.identifiers)], cells)
    }
    erased = Erased(*erasures.known(resources.ledger))
    return Holders(
        users=users,
        on_record=tuple(sorted(recorded.difference(users))),
        erased=any(digest in erased.digests for cell in cells for digest in erased.digests_of_row(cell)),
    )


def _in_warehouse(
    resources: Resources, catalog: Catalog, kind: Address, address: str, context: Context, digests: pa.Array
) -> tuple[tuple[str, ...], pa.Array]:
    """The users who have the address, and the hashes that it has for them."""
    source = catalog.users.identifier(kind)
    users: set[str] = set()
    hashes = [pa.array([], digests.type)]
    if source is None:
        return (), hashes[0]
    query, columns = everybody(catalog, kind)
    country = columns.identifiers.get("country")
    with resources.warehouse() as warehouse:
        for batch in warehouse.stream(render(query)):
            countries = batch.column(country) if country else None
            theirs = encode_column(
                kind, batch.column(columns.identifiers[kind]), replace(context, **source.reading()), countries
            ).values
            as_theirs = encode_column(kind, pa.repeat(address, len(batch)), context, countries).values
            same = pc.or_(pc.fill_null(pc.equal(theirs, as_theirs), False), pc.is_in(theirs, value_set=digests))
            users.update(batch.column(columns.user_id).filter(same).to_pylist())
            hashes.append(theirs.filter(same))
    return tuple(sorted(users)), pa.concat_arrays(hashes)
