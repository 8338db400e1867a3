"""The terms under which it is the same user as before: for which campaigns it is remembered, and all that must not change."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audiences import campaign
from audiences.campaign.identifiers import FIELDS
from audiences.ledger import erasures
from audiences.query import fingerprint
from audiences.query.columns import columns_of
from audiences.what import encode, identifiers, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef
    from audiences.pipeline.scope import Scope

_BIRTH: Final = "DOBY"
_LIBRARIES: Final = ("duckdb", "pyarrow", "phonenumbers", "pycountry", "babel")
"""What reads an identifier besides our own code: the latter two know the names of countries, and of their regions."""
_FORMAT: Final = 3
"""To be counted up when what a snapshot has changes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The `digest` of all that decides what becomes of an identifier, and the ledger's `secret` for fingerprints."""

    digest: bytes
    secret: bytes


def terms_of(resources: CampaignResources, run: RunRef, scope: Scope) -> Terms | None:
    """The terms for a run; None for one that has to look at everybody, and of which nothing is remembered.

    That is a run in which membership hangs on more than who the user is: a cap, a time that is up, an answer of people; or one
    that sends the whole set.
    """
    spec = resources.spec
    target = spec.campaign
    plain = (
        scope.everybody
        and run.run > 0
        and target.qualification != "live"
        and target.what.audience.action in ("mirror", "add")
        and not (target.who.target_cap or target.what.keep_for or target.approval)
        and not (run.full_refresh or run.in_doubt)
    )
    if not plain:
        return None
    salt, erased = erasures.known(resources.ledger)
    users = spec.catalog.users
    read = columns_of(spec).identifiers
    by_day = any(_BIRTH in FIELDS[name].keys for name in read)
    stated = {
        "audience": run.audience,
        "action": target.what.audience.action,
        "identifiers": list(target.what.identifiers),
        "sources": {name: source.model_dump(mode="json") for name in read if (source := users.identifier(name))},
        "relation": users.relation,
        "key": users.key,
        "default_country": spec.catalog.default_country,
        "control": spec.control_terms(run.salt),
        # Off the list, a member may be held out: by an assignment from before they were on it.
        "never_hold_out": sorted(map(str, target.who.never_hold_out)),
        "today": run.at.astimezone(spec.zone).date().isoformat() if by_day else None,
        "erased": hashlib.sha256(b"".join(sorted(erased))).hexdigest(),
        "made_by": _normaliser(),
    }
    text = json.dumps(stated, sort_keys=True, default=str).encode()
    return Terms(hashlib.sha256(text).digest(), hashlib.sha256(b"secret of fingerprints" + salt).digest())


@cache
def _normaliser() -> str:
    """Another one for every other way of reading an identifier: our own code, and the libraries that it leaves that to."""
    digest = hashlib.sha256()
    for file in sorted(_code()):
        digest.update(file.read_bytes())
    versions = (_FORMAT, unicodedata.unidata_version, *map(version, _LIBRARIES))
    return f"{digest.hexdigest()} {versions}"


def _code() -> Iterator[Path]:
    yield from Path(identifiers.__file__).parent.glob("*.py")
    yield from Path(campaign.__file__).parent.glob("count*.py")
    yield from Path(campaign.__file__).parent.glob("identifier*.py")
    yield from (Path(str(module.__file__)) for module in (rows, encode, fingerprint))
