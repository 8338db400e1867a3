"""The words of this package: what a rule may look at, what it may answer, the reasons for which a value is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from audiences.campaign.identifier_fields import DateOrder


class Reason(Enum):
    """Why a value cannot be sent; runs report counts by these words."""

    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    UNREADABLE = "unreadable"
    TOO_LONG = "too long"
    MAYBE_AN_EMAIL = "an id with an @, which may be an e-mail address"
    ALREADY_HASHED = "already hashed"
    ALREADY_MD5 = "already hashed as MD5"
    NOT_SHA256 = "not a SHA-256 hash"
    HASH_OF_NOTHING = "hash of nothing"
    NOT_AN_EMAIL = "not an e-mail address"
    NO_COUNTRY_CODE = "no country code"
    IMPOSSIBLE_NUMBER = "impossible number"
    UNASSIGNED_NUMBER = "unassigned number"
    MORE_THAN_ONE_NUMBER = "more than one number"
    TWO_READINGS = "two readings, for want of a plus"
    NO_LATIN_LETTER = "no Latin letter"
    NOT_A_US_STATE = "not a US state"
    NOT_A_POSTAL_CODE = "not a postal code"
    UNKNOWN_COUNTRY = "unknown country"
    NOT_A_DATE = "not a date of birth"
    UNKNOWN_GENDER = "neither male nor female"
    NOT_A_DEVICE_ID = "not a device id"


RuleResult = str | Reason
"""What a rule answers: the normalised text, or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a rule knows besides the value.

    `today` bounds dates of birth. `country` is the user's; `default_country` stands in for it where it says nothing, not
    where it cannot be understood; both as people write countries. `date_order` decides dates that can be read in two
    ways (None: month first; `year_first`: they cannot be read). With `strict_valid` a phone number must be assigned, else
    a possible length is enough. `vanity` reads letters in a phone number as digits. `fold_diacritics` writes names
    without accents, as cities and states always are. The last four, and `pre_hashed`, are keys of the catalog's entry.
    """

    today: date
    pre_hashed: bool = False
    country: str | None = None
    default_country: str | None = None
    date_order: DateOrder | None = None
    strict_valid: bool = False
    vanity: bool = False
    fold_diacritics: bool = False


@dataclass(frozen=True, slots=True)
class Normalised:
    """A value as Facebook should receive it: `sha256` in lower-case hex (None for keys sent as they are).

    Exactly one of `normalised` and `reason` is set.
    """

    normalised: str | None
    sha256: str | None
    reason: str | None
