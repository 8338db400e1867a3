"""Erasures: what is remembered of them, and what may still bring a person back; `trails.py` takes the person out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from psycopg.types.json import Jsonb

from audiences.ledger import approvals, snapshots
from audiences.ledger.chunk_states import OF_UNKNOWN_FATE
from audiences.ledger.replace_sessions import SessionState
from audiences.ledger.runs import UNDER_WAY, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger


def known(ledger: Ledger) -> tuple[bytes, frozenset[bytes]]:
    """The salt of this ledger, and the hashes of everybody who was erased."""
    found = ledger.rows(
        _Erased, "select s.salt, e.digest from audiences.erasure_salt s left join audiences.erased e on true"
    )
    return found[0].salt if found else b"", frozenset(row.digest for row in found if row.digest is not None)


@dataclass(frozen=True, slots=True)
class _Erased:
    salt: bytes
    digest: bytes | None


def begin(ledger: Ledger, *, at: datetime, digests: Iterable[bytes]) -> int:
    """Put an erasure on record, or go on with the one of the same person that is not done, and give its number.

    From here on no new upload holds the person. A hash that is known already stays with its earlier erasure.
    """
    listed = list(digests)
    with ledger.sql.transaction():
        snapshots.forget(ledger)
        number = ledger.value(
            int,
            "select min(e.id) from audiences.erasure e join audiences.erased d on d.erasure_id = e.id"
            " where d.digest = any(%(digests)s) and e.done_at is null",
            {"digests": listed},
        )
        if number is None:
            number = ledger.number("insert into audiences.erasure (asked_at) values (%(at)s) returning id", {"at": at})
        with ledger.sql.cursor() as cursor:
            cursor.executemany(
                "insert into audiences.erased (digest, erasure_id) values (%s, %s) on conflict do nothing",
                [(digest, number) for digest in listed],
            )
    return number


def of_the_same(ledger: Ledger, digests: Iterable[bytes]) -> frozenset[bytes]:
    """These hashes, and all that were remembered together with one of them."""
    listed = list(digests)
    found = ledger.values(
        bytes,
        "select digest from audiences.erased where erasure_id in"
        " (select erasure_id from audiences.erased where digest = any(%(digests)s))",
        {"digests": listed},
    )
    return frozenset({*listed, *found})


def found_before(ledger: Ledger, digest: bytes) -> bool:
    """Whether an erasure that this hash belongs to had rows of the person, at Facebook or in the ledger."""
    return ledger.holds(
        "select exists (select 1 from audiences.erasure e join audiences.erased d on d.erasure_id = e.id"
        " where d.digest = %(digest)s and (jsonb_path_exists(e.requests, '$[*].rows ? (@ > 0)')"
        " or jsonb_path_exists(e.removed, '$.* ? (@ > 0)')))",
        {"digest": digest},
    )


@dataclass(frozen=True, slots=True)
class ErasureStanding:
    """An erasure: when it was asked for and done, None while something is `still_to_do`, in sentences."""

    id: int
    asked_at: datetime
    done_at: datetime | None
    still_to_do: tuple[str, ...]


def standing_of(ledger: Ledger, digest: bytes) -> ErasureStanding | None:
    """The last erasure that this hash belongs to."""
    return ledger.row(
        ErasureStanding,
        "select e.id, e.asked_at, e.done_at, e.still_to_do from audiences.erasure e"
        " join audiences.erased d on d.erasure_id = e.id where d.digest = %(digest)s order by e.id desc limit 1",
        {"digest": digest},
    )


@dataclass(frozen=True, slots=True)
class ErasureAccount:
    """An ad account in which the ledger knows audiences, and the `connections` by which it was once reached."""

    id: str
    connections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that left something by which a person may still come back.

    `session`: a replace which Facebook may still adopt; `rows`: staged rows for a request whose fate is unknown; `running`: the
    run has not ended.
    """

    run: int
    campaign: str
    what: Literal["session", "rows", "running"]


@dataclass(frozen=True, slots=True)
class ErasureSoFar:
    """What erasing has done so far: requests by ad account, as documents with `id` and `rows`, and rows removed by table."""

    requests: tuple[dict[str, object], ...]
    removed: dict[str, int]


def accounts(ledger: Ledger) -> list[ErasureAccount]:
    """Ad accounts in which the ledger knows audiences."""
    return ledger.rows(
        ErasureAccount,
        "select a.ad_account as id, array(select p.connection from audiences.preflight p where p.ad_account = a.ad_account"
        " order by p.passed_at desc) as connections from (select distinct ad_account from audiences.audience) a order by 1",
    )


def forget(ledger: Ledger, digests: Iterable[bytes]) -> int:
    """Forget every erasure that one of the hashes belongs to: these people may be uploaded again. How many hashes."""
    return ledger.sql.execute(
        "delete from audiences.erased where erasure_id in"
        " (select erasure_id from audiences.erased where digest = any(%s))",
        (list(digests),),
    ).rowcount


def end(
    ledger: Ledger,
    erasure: int,
    *,
    at: datetime | None,
    requests: Sequence[Mapping[str, object]],
    removed: Mapping[str, int],
    still_to_do: Sequence[str],
) -> None:
    """Record the proof of the erasure; `at` is None as long as something is still to be done.

    What an earlier try has done stays on record: its rows are counted in, and its requests stand where this one had none to send.
    """
    earlier = _done(ledger, erasure)
    told = {each["id"]: each for each in earlier.requests} | {
        each["id"]: each
        for each in requests
        if each["rows"] or each["id"] not in {one["id"] for one in earlier.requests}
    }
    rows = {table: earlier.removed.get(table, 0) + removed.get(table, 0) for table in {**earlier.removed, **removed}}
    ledger.sql.execute(
        "update audiences.erasure set done_at = %s, requests = %s, removed = %s, still_to_do = %s where id = %s",
        (at, Jsonb(list(told.values())), Jsonb(rows), list(still_to_do), erasure),
    )


def unfinished(ledger: Ledger, *, window: float, closed: Sequence[str]) -> list[Unfinished]:
    """Runs that left something by which a person may still come back.

    Facebook may adopt a replace until `window` seconds after it began; a run that began a day ago has ended without a word,
    unless it waits for an answer of people. In the ad accounts `closed` nothing can be finished, and nobody comes back.
    """
    return ledger.rows(
        Unfinished,
        "select distinct r.id as run, c.name as campaign, found.what from ("  # noqa: S608  # a constant is put in
        " select run_id, 'session' as what from audiences.upload_session"
        " where state = %(begun)s or (state = %(broken)s and opened_at > now() - %(window)s * interval '1 second')"
        f" union all select run_id, 'rows' from audiences.chunk c where {OF_UNKNOWN_FATE}"
        f" union all select r.id, 'running' from audiences.run r where {UNDER_WAY}"
        ") found join audiences.run r on r.id = found.run_id join audiences.campaign c on c.id = r.campaign_id"
        " left join audiences.audience a on a.id = r.audience_id where a.ad_account <> all(%(closed)s) is not false"
        " order by r.id",
        {
            "window": window,
            "closed": [*closed],
            "begun": SessionState.OPEN,
            "broken": SessionState.BROKEN,
            "running": RunState.RUNNING,
            "open": approvals.OPEN,
        },
    )


def _done(ledger: Ledger, erasure: int) -> ErasureSoFar:
    found = ledger.row(
        ErasureSoFar, "select requests, removed from audiences.erasure where id = %(id)s", {"id": erasure}
    )
    return found or ErasureSoFar((), {})
