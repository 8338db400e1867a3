"""The one table of identifiers: the name in a campaign file, Facebook's keys, whether they are hashed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """An identifier of a user.

    `keys` are the columns of a request that it fills. `by_country`: its rule depends on the user's country.
    `repeats`: few distinct values in many rows. `short_words`: `na`, `nan` and `nil` may be somebody's true value.
    """

    name: str
    keys: tuple[str, ...]
    hashed: bool = True
    by_country: bool = False
    repeats: bool = False
    short_words: bool = False


_ALL: Final = (
    Field("email", ("EMAIL",)),
    Field("phone", ("PHONE",), by_country=True),
    Field("external_id", ("EXTERN_ID",), hashed=False),
    Field("madid", ("MADID",), hashed=False),
    Field("first_name", ("FN",), repeats=True, short_words=True),
    Field("first_initial", ("FI",), repeats=True, short_words=True),
    Field("last_name", ("LN",), repeats=True, short_words=True),
    Field("city", ("CT",), repeats=True, short_words=True),
    Field("region", ("ST",), by_country=True, repeats=True, short_words=True),
    Field("zip", ("ZIP",), by_country=True, repeats=True),
    Field("country", ("COUNTRY",), repeats=True, short_words=True),
    Field("date_of_birth", ("DOBY", "DOBM", "DOBD"), repeats=True),
    Field("doby", ("DOBY",), repeats=True),
    Field("dobm", ("DOBM",), repeats=True),
    Field("dobd", ("DOBD",), repeats=True),
    Field("gender", ("GEN",), repeats=True),
)

FIELDS: Final[dict[str, Field]] = {field.name: field for field in _ALL}
FIELDS["state"] = FIELDS["region"]
FIELDS["dob"] = FIELDS["date_of_birth"]
