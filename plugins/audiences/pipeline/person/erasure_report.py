"""What an erasure did, and where, as `audiences erase` says it. All of it is JSON."""

from __future__ import annotations

from typing import Literal

from audiences.pipeline.results import Reference


class ErasedFrom(Reference):
    """What an ad account acknowledged of an erasure: it drops the people that `rows` rows describe from all its audiences."""

    id: str
    rows: int
    requests: int
    received: int
    invalid: int
    error: str | None = None
    closed: bool = False
    """The settings say that the account is closed for good: nothing was sent there."""


class AudienceRows(Reference):
    """An audience in which a person was, by how many different rows over time."""

    id: str
    name: str
    rows: int


class Erasure(Reference):
    """An erasure, as `audiences erase --json` prints it: what was done, and that nothing is left.

    `audiences` lists where the ledger knew the person; Facebook removes them from others of the accounts too. `ledger` counts
    rows removed by table, `left` what a look afterwards found. `other_users` are other ids that shared an identifier with the
    person; their rows in audiences went as well. `texts` counts values in which the person was named, a run's configuration
    say, and is no more. `remembered` hashes keep the person from being uploaded again. `unknown`: neither the warehouse nor
    the ledger has, or had, a user of this id; the id is remembered all the same.
    """

    user: str
    erasure: int
    state: Literal["done", "incomplete", "unknown"]
    audiences: tuple[AudienceRows, ...]
    accounts: tuple[ErasedFrom, ...]
    ledger: dict[str, int]
    texts: dict[str, int]
    left: dict[str, int]
    other_users: int
    remembered: int
    still_to_do: tuple[str, ...]
