"""What the table of identifiers says of each, and what makes a table contradict itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ColumnKind = Literal["text", "whole number", "decimal", "date", "uuid"]
DateOrder = Literal["day_first", "month_first", "year_first"]
_MOST_KEYS: Final = 62
"""The numbers of a row's keys are the bits of one signed number of 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An identifier of a user. What a new entry leaves out stands for the careful side.

    `keys` are the columns of a request that it fills, each with the number by which ledgers store it: numbers also give the
    order of the keys, are never used again, and never changed. `columns` are the kinds of columns that can hold it.
    `identifying`: a value alone is enough to find the person, so a row with it is worth sending, the users' key may not be
    such a column, and an erasure looks for it everywhere. `contact`: a campaign needs one of these, and each that the catalog
    maps brings the property `has_…`. `own_id`: the id that the shop itself gave; it may have any form, a hash too, and may
    be the users' key.

    `private`: wherever people look at values, one of this is masked, and `audiences catalog init` offers it to no
    campaign as a property. `common`: so many people share a value that the catalog's commands may list the values.

    `by_country`: its rule depends on the user's country. `repeats`: few distinct values in many rows, so that each is hashed
    once, and not even the beginning of a hash is shown. `short_words`: `na`, `nan` and `nil` may be somebody's true value.

    `read_as` says by which further keys of its catalog entry people can say how its values are to be read.

    `usual_names` are how columns that hold it are often called, the likeliest first, in small letters and digits only.
    `aliases` are other names by which `audiences normalise` knows it.
    """

    name: str
    keys: Mapping[str, int]
    means: str
    columns: tuple[ColumnKind, ...]
    identifying: bool
    hashed: bool = True
    contact: bool = False
    own_id: bool = False
    private: bool = True
    common: bool = False
    by_country: bool = False
    repeats: bool = False
    short_words: bool = False
    read_as: Literal["plain", "phone", "name", "date"] = "plain"
    usual_names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def names_a_person(self) -> bool:
        """Whether a raw value says who it is to anybody, which an id of the shop's own does not."""
        return self.identifying and not self.own_id


def table(fields: Iterable[Field]) -> dict[str, Field]:
    """The fields by name, in the order of their numbers; raises ValueError for a table that contradicts itself."""
    listed = sorted(fields, key=lambda field: min(field.keys.values()))
    names = Counter(name for field in listed for name in (field.name, *field.aliases))
    if twice := [name for name, count in names.items() if count > 1]:
        message = f"identifiers: {', '.join(twice)} is in the table more than once"
        raise ValueError(message)
    numbers: dict[int, str] = {}
    hashed: dict[str, bool] = {}
    for field in listed:
        if field.common and (field.private or field.identifying):
            message = f"identifier `{field.name}` is `common`, so it can be neither `private` nor `identifying`"
            raise ValueError(message)
        for key, number in field.keys.items():
            if not 1 <= number <= _MOST_KEYS or numbers.setdefault(number, key) != key:
                free = next(each for each in range(1, _MOST_KEYS + 1) if each not in numbers)
                message = (
                    f"identifier `{field.name}`: {key} cannot have the number {number}; give it one of its own, {free}"
                )
                raise ValueError(message)
            if hashed.setdefault(key, field.hashed) != field.hashed:
                message = f"identifier `{field.name}`: {key} is hashed in one entry of the table and not in another"
                raise ValueError(message)
    if twice := [key for key, count in Counter(numbers.values()).items() if count > 1]:
        message = f"identifiers: {', '.join(twice)} has more than one number"
        raise ValueError(message)
    return {field.name: field for field in listed}
