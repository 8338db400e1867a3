"""Erasure: a person leaves every audience of every ad account and the ledger, is not uploaded again, and there is proof.

A person is a user id and everybody's rows with one of that user's e-mail addresses, phone numbers or other identifiers of which
one is enough: the same address under another id would be the same person uploaded. First the person is remembered, as salted
hashes, so that from here on nobody uploads them; then Facebook; the ledger last, since it may be the only place that still
knows what to tell Facebook. Every step can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.campaign.settings import AdAccount
from audiences.errors import AudiencesError
from audiences.facebook import audience_members as facebook_members
from audiences.facebook.contract import MAX_ROWS, REPLACE_WINDOW_SECONDS
from audiences.ledger import erasures, known_audiences, member_history, rejected_rows, texts, trails
from audiences.ledger.known_audiences import AudienceTakenError
from audiences.ledger.trails import Trail
from audiences.logs import logger
from audiences.pipeline.audience import in_doubt
from audiences.pipeline.person.called import as_the_key_says, ensure_id
from audiences.pipeline.person.erasure_report import AudienceRows, ErasedFrom, Erasure
from audiences.pipeline.person.files_naming import files_naming
from audiences.pipeline.upkeep.tidy import staged_elsewhere, tidy
from audiences.query.key_spelling import key_spelling, spelling_of
from audiences.query.render import render
from audiences.what.encode import Encoder
from audiences.what.erased import Erased, rows_in_common, strong_cells
from audiences.what.payload import payload
from audiences.what.traces import LIKELY, Traces
from audiences.who.person import person

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.campaign.catalog import Catalog
    from audiences.facebook.audience_members import Receipt
    from audiences.ledger.database import Ledger
    from audiences.ledger.erasures import Unfinished
    from audiences.pipeline.person.erasure_resources import ErasureResources

WAIT_SECONDS = 60.0
_log = logger(__name__)


def erase(resources: ErasureResources, user: str, at: datetime) -> Erasure:
    """Erase the user. Where something is still to be done, the result says what, and doing it again completes it.

    Raises AudienceTakenError while a campaign is changing an audience; the person is remembered then already. Raises
    AddressAsIdError for an e-mail address or a phone number, which is nobody's id.
    """
    ledger, user = resources.ledger, _as_the_key_says(resources, user)
    person = _person(resources, user, at)
    number = erasures.begin(ledger, at=at, digests=person.digests)
    _ensure_quiet(resources)
    trail = _trail(ledger, user, person)
    audiences = trails.audiences_with(ledger, trail)
    everything = sorted({*trail.rows, *person.cells})
    accounts = [
        *(_erase_from_any(resources, account, everything) for account in _accounts(resources)),
        *_closed(resources),
    ]
    blocked = [f"ad account {one.id}: {one.error.removesuffix('.')}. Then erase again" for one in accounts if one.error]
    window, closed = REPLACE_WINDOW_SECONDS + WAIT_SECONDS, resources.settings.closed_ad_accounts
    blocked += [_told(found) for found in erasures.unfinished(ledger, window=window, closed=closed)]
    removed, cleaned = dict[str, int](), dict[str, int]()
    if not blocked:
        removed = trails.remove(ledger, trail)
        cleaned = texts.clean(ledger, user, LIKELY, person.traces.cleaned)
        tidy(ledger, resources.settings.staging, ended_before=at)
    still_to_do = [*blocked, *_files(resources, person.traces), *([] if blocked else _staged(resources))]
    left = {**trails.left(ledger, trail), **texts.naming(ledger, user, LIKELY, person.traces.cleaned)}
    done = not still_to_do and not any(left.values())
    erasures.end(
        ledger,
        number,
        at=at if done else None,
        requests=[one.model_dump(mode="json") for one in accounts],
        removed={**removed, **cleaned},
        still_to_do=still_to_do,
    )
    return Erasure(
        user=user,
        erasure=number,
        state="incomplete" if not done else "done" if person.known else "unknown",
        audiences=tuple(AudienceRows(id=one.id, name=one.name, rows=one.rows) for one in audiences),
        accounts=tuple(accounts),
        ledger=removed,
        texts=cleaned,
        left=left,
        other_users=len(trail.others),
        remembered=len(person.digests),
        still_to_do=tuple(still_to_do),
    )


def lift(resources: ErasureResources, user: str, at: datetime) -> int:
    """Forget the erasure of the user, or of whoever had an identifier that is the user's now; how many hashes there were."""
    return erasures.forget(resources.ledger, _person(resources, _as_the_key_says(resources, user), at).digests)


@dataclass(frozen=True, slots=True)
class _Person:
    """Who is erased: their `own` packed rows, the `cells` that name them, the hashes to remember, how texts are searched.

    `known`: the warehouse or the ledger has the user, or had before an earlier erasure.
    """

    own: frozenset[bytes]
    cells: frozenset[bytes]
    digests: frozenset[bytes]
    traces: Traces
    known: bool


def _as_the_key_says(resources: ErasureResources, user: str) -> str:
    ensure_id(user)
    with resources.warehouse() as warehouse:
        return as_the_key_says(warehouse, resources.catalog, user)


def _person(resources: ErasureResources, user: str, at: datetime) -> _Person:
    """The person by the warehouse and by what the ledger has of the user."""
    ledger = resources.ledger
    there, found = _in_warehouse(resources, user, at)
    own = frozenset({*found, *member_history.rows_of(ledger, user)})
    cells = frozenset(cell for row in own for cell in strong_cells(row))
    erased = Erased(*erasures.known(ledger))
    of_user = erased.digest_of_user(user)
    digests = frozenset({of_user, *(digest for cell in cells for digest in erased.digests_of_row(cell))})
    recorded = any(trails.left(ledger, Trail(user)).values())
    known = there or bool(own) or recorded or erasures.found_before(ledger, of_user)
    with resources.warehouse() as warehouse:
        spelling = spelling_of(warehouse.table(render(key_spelling(resources.catalog))).to_pylist())
    # A key may write one value in several ways, 7.00 for 7; texts are compared by a spelling of our own.
    by_spelling = {erased.digest_of_user(spelling.of(user))}
    traces = Traces(
        Erased(erased.salt, erasures.of_the_same(ledger, digests) | by_spelling),
        of_ids=_properties_of_ids(resources.catalog),
        today=at.date(),
        default_country=resources.catalog.default_country,
        spelling=spelling,
    )
    return _Person(own, cells, digests, traces, known)


def _trail(ledger: Ledger, user: str, person: _Person) -> Trail:
    """Whoever else has, or had, a row with one of the person's cells, looked for in the whole of the ledger.

    Once, and when nobody uploads the person any more: from here on no such row comes.
    """
    held = member_history.with_bytes(ledger, person.cells)
    shared = set(rows_in_common([row.identifiers for row in held], person.cells))
    refused = rows_in_common(rejected_rows.with_bytes(ledger, person.cells), person.cells)
    others = {row.user_id for row in held if row.identifiers in shared} - {user}
    return Trail(user, tuple(sorted({*person.own, *shared, *refused})), tuple(sorted(others)))


def _properties_of_ids(catalog: Catalog) -> frozenset[str]:
    """Properties that are the users' key under another name: campaigns may name a person by them."""
    return frozenset(name for name, each in catalog.users.properties.items() if each.column == catalog.users.key)


def _in_warehouse(resources: ErasureResources, user: str, at: datetime) -> tuple[bool, list[bytes]]:
    """Whether the warehouse has the user, and the packed rows."""
    query, columns = person(resources.catalog, user)
    encoder = Encoder(tuple(columns.identifiers), columns, resources.catalog, today=at.date())
    with resources.warehouse() as warehouse:
        batches = [encoder.encode(batch) for batch in warehouse.stream(render(query)) if batch.num_rows]
    return bool(batches), [
        row for batch in batches for row in batch.column("identifiers").to_pylist() if row is not None
    ]


def _accounts(resources: ErasureResources) -> list[list[AdAccount]]:
    """Those of the settings, and those in which the ledger knows audiences though the settings name them no more.

    Each in the ways that it may be reached. Of the latter these are the connections that once did and those of the settings:
    a system user's token is often good for several accounts.
    """
    named = {account.id: account for account in resources.settings.ad_accounts.values()}
    theirs = [account.connection for account in named.values()]
    former = [
        [AdAccount(id=found.id, connection=one) for one in dict.fromkeys([*found.connections, *theirs])]
        for found in erasures.accounts(resources.ledger)
        if found.id not in {*named, *resources.settings.closed_ad_accounts}
    ]
    return [*([account] for account in named.values()), *former]


def _closed(resources: ErasureResources) -> list[ErasedFrom]:
    """Ad accounts in which the ledger knows audiences, and which nobody can reach any more, as the settings say."""
    known = {found.id for found in erasures.accounts(resources.ledger)}
    return [
        ErasedFrom(id=closed, rows=0, requests=0, received=0, invalid=0, closed=True)
        for closed in resources.settings.closed_ad_accounts
        if closed in known
    ]


def _files(resources: ErasureResources, traces: Traces) -> list[str]:
    remedy = (
        "take them out there and commit, then erase again; git, and Airflow's own database with earlier versions of the DAG, "
        "keep what they had (docs/personal-data.md)"
    )
    return [
        f"{name} cannot be read ({unreadable}) and may name the person: let it be read, then erase again"
        if unreadable
        else f"{name} names the person: {remedy}"
        for name, unreadable in (files_naming(resources.root, traces) if resources.root else ())
    ]


def _staged(resources: ErasureResources) -> list[str]:
    """Staged rows that cannot be cleared from here; they hold hashes, and maybe the person's."""
    return [
        f"run {left.run} of `{left.campaign}` left staged rows in `{left.staging}`, which cannot be cleared from here: erase "
        f"again where that folder is seen; if it is lost for good, say so first: `audiences ledger staging-gone {left.run}`"
        for left in staged_elsewhere(resources.ledger, resources.settings.staging)
    ]


def _ensure_quiet(resources: ErasureResources) -> None:
    """A run under way may have planned the person before they were remembered."""
    for busy in known_audiences.busy(resources.ledger):
        what = (
            f"the person is remembered and not uploaded by any new run; audience {busy.facebook_id} is being changed by "
            f"campaign `{busy.campaign}`, and the erasure goes on after that"
        )
        raise AudienceTakenError(what=what, seconds=WAIT_SECONDS, facebook_id=busy.facebook_id)


def _erase_from_any(resources: ErasureResources, ways: list[AdAccount], everything: Sequence[bytes]) -> ErasedFrom:
    """By the first way that leads there; where none does, what stands in the way of the first."""
    tried: list[ErasedFrom] = []
    for account in ways:
        tried.append(_erase_from(resources, account, everything))
        if tried[-1].error is None:
            return tried[-1]
    if ways[0] in resources.settings.ad_accounts.values():
        return tried[0]
    names = " or ".join(f"`{account.connection}`" for account in ways)
    error = (
        f"include/settings.yml does not name it any more, and the connection {names} does not lead there: {tried[0].error} "
        "Name it under `ad_accounts` again, with a connection whose token may manage it; "
        "if it is closed for good, name it under `closed_ad_accounts`"
    )
    return tried[0].model_copy(update={"error": error})


def _erase_from(resources: ErasureResources, account: AdAccount, everything: Sequence[bytes]) -> ErasedFrom:
    """Tell an ad account to drop these rows from all its audiences, among them cells, for whoever it knows by one alone."""
    receipts: list[Receipt] = []
    error = None
    try:
        if everything:
            graph = resources.graph_session(account, by_any_connection=True)
            with in_doubt.changing_all(resources.ledger, graph):
                for first in range(0, len(everything), MAX_ROWS):
                    ready = payload(pa.array(everything[first : first + MAX_ROWS], pa.binary()), ())
                    cells_of = facebook_members.JsonRows(ready.rows, ready.count)
                    receipts.append(facebook_members.remove_from_all(graph, ready.schema, cells_of))
    except AudiencesError as refusal:
        _log.warning("ad account %s: %s", account.id, refusal)
        error = str(refusal)
    return ErasedFrom(
        id=account.id,
        rows=len(everything),
        requests=len(receipts),
        received=sum(receipt.received for receipt in receipts),
        invalid=sum(receipt.invalid for receipt in receipts),
        error=error,
    )


def _told(found: Unfinished) -> str:
    if found.what == "running":
        return f"run {found.run} of `{found.campaign}` has not ended: erase again when it has"
    left = "an unfinished replace, which Facebook may still adopt" if found.what == "session" else "rows of a request"
    return f"run {found.run} of `{found.campaign}` left {left}: run the campaign once more, then erase again"
