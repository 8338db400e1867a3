"""Erasure: a person leaves every audience of every ad account and the ledger, is not uploaded again, and there is proof.

A person is a user id and everybody's rows with one of that user's e-mail addresses, phone numbers or other identifiers of which
one is enough: the same address under another id would be the same person uploaded. First the person is remembered, as salted
hashes, so that from here on nobody uploads them; then Facebook; the ledger last, since it may be the only place that still
knows what to tell Facebook. Every step can be repeated.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiences.errors import AudiencesError
from audiences.facebook import members as facebook_members
from audiences.facebook.contract import MAX_ROWS, REPLACE_WINDOW_SECONDS
from audiences.ledger import erasures
from audiences.ledger.audiences import AudienceTakenError
from audiences.pipeline.references import AudienceRows, ErasedFrom, Erasure
from audiences.pipeline.tidy import tidy
from audiences.what.encode import Encoder
from audiences.what.erased import Erased, rows_in_common, strong_cells
from audiences.what.wire import wire
from audiences.who.person import person
from audiences.who.render import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.campaign.settings import AdAccount
    from audiences.facebook.members import Receipt
    from audiences.pipeline.erasing import ErasingDoors

WAIT_SECONDS = 60.0
_log = logging.getLogger(__name__)


def erase(doors: ErasingDoors, user: str, at: datetime) -> Erasure:
    """Erase the user. Where something is still to be done, the result says what, and doing it again completes it.

    Raises AudienceTakenError while a campaign is changing an audience; the person is remembered then already.
    """
    ledger = doors.ledger
    rows, cells = _rows(doors, user, at)
    digests = _digests(doors, user, cells)
    number = erasures.begin(ledger, at=at, digests=digests)
    _ensure_quiet(doors)
    audiences, others = erasures.audiences_with(ledger, user, rows), erasures.others_with(ledger, user, rows)
    accounts = [_erase_from(doors, account, rows, cells) for account in doors.settings.ad_accounts.values()]
    still_to_do = [f"ad account {one.id}: {one.error}. Then erase again" for one in accounts if one.error]
    still_to_do += [_told(found) for found in erasures.unfinished(ledger, window=REPLACE_WINDOW_SECONDS + WAIT_SECONDS)]
    removed: dict[str, int] = {}
    if not still_to_do:
        removed = erasures.remove(ledger, user, rows)
        tidy(ledger, doors.settings.staging, ended_before=at)
    left = erasures.left(ledger, user, rows)
    done = not still_to_do and not any(left.values())
    erasures.end(
        ledger,
        number,
        at=at if done else None,
        requests=[one.model_dump(mode="json") for one in accounts],
        removed=removed,
        still_to_do=still_to_do,
    )
    return Erasure(
        user=user,
        erasure=number,
        state="done" if done else "incomplete",
        audiences=tuple(AudienceRows(id=one.id, name=one.name, rows=one.rows) for one in audiences),
        accounts=tuple(accounts),
        ledger=removed,
        left=left,
        other_users=others,
        remembered=len(digests),
        still_to_do=tuple(still_to_do),
    )


def lift(doors: ErasingDoors, user: str, at: datetime) -> int:
    """Forget the erasure of the user, or of whoever had an identifier that is the user's now; how many hashes there were."""
    _, cells = _rows(doors, user, at)
    return erasures.forget(doors.ledger, _digests(doors, user, cells))


def _digests(doors: ErasingDoors, user: str, cells: frozenset[bytes]) -> set[bytes]:
    erased = Erased(*erasures.known(doors.ledger))
    return {erased.digest_of_user(user), *(digest for cell in cells for digest in erased.digests_of_row(cell))}


def _rows(doors: ErasingDoors, user: str, at: datetime) -> tuple[list[bytes], frozenset[bytes]]:
    """Packed rows of the person, from the warehouse and the whole of the ledger, and the cells that name them."""
    own = {*_in_warehouse(doors, user, at), *erasures.rows_of(doors.ledger, user)}
    cells = frozenset(cell for row in own for cell in strong_cells(row))
    shared = rows_in_common(erasures.rows_with(doors.ledger, cells), cells) if cells else []
    return sorted({*own, *shared}), cells


def _in_warehouse(doors: ErasingDoors, user: str, at: datetime) -> list[bytes]:
    query, columns = person(doors.catalog, user)
    encoder = Encoder(tuple(columns.identifiers), columns, doors.catalog, today=at.date())
    with doors.warehouse() as warehouse:
        batches = [encoder.encode(batch) for batch in warehouse.stream(render(query)) if batch.num_rows]
    return [row for batch in batches for row in batch.column("identifiers").to_pylist() if row is not None]


def _ensure_quiet(doors: ErasingDoors) -> None:
    """A run under way may have planned the person before they were remembered."""
    for busy in erasures.under_way(doors.ledger):
        what = (
            f"the person is remembered and not uploaded by any new run; audience {busy.facebook_id} is being changed by "
            f"campaign `{busy.campaign}`, and the erasure goes on after that"
        )
        raise AudienceTakenError(what=what, seconds=WAIT_SECONDS, facebook_id=busy.facebook_id)


def _erase_from(doors: ErasingDoors, account: AdAccount, rows: Sequence[bytes], cells: frozenset[bytes]) -> ErasedFrom:
    """Tell an ad account to drop these rows from all its audiences, and whoever it knows by one of the cells alone."""
    everything = sorted({*rows, *cells})
    receipts: list[Receipt] = []
    error = None
    try:
        graph = doors.facebook(account)
        for first in range(0, len(everything), MAX_ROWS):
            ready = wire(pa.array(everything[first : first + MAX_ROWS], pa.binary()), ())
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


def _told(found: Any) -> str:
    if found.what == "running":
        return f"run {found.run} of `{found.campaign}` has not ended: erase again when it has"
    left = "an unfinished replace, which Facebook may still adopt" if found.what == "session" else "rows of a request"
    return f"run {found.run} of `{found.campaign}` left {left}: run the campaign once more, then erase again"
