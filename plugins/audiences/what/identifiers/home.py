"""The country in whose light a phone number, a state or a postal code is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.campaign.countries import country_code, english_country_code
from audiences.what.identifiers.text import SHORT_PLACEHOLDERS, clean, is_placeholder

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

NOWHERE: Final = "zz"
"""A country that is stated and not understood; CLDR's code for a region that nobody knows, which is no country's."""


def stated_country(written: str | None) -> str | None:
    """What a cell says about the country: a code, a name in another language as it is, `NOWHERE`; None if nothing.

    Blanks and words such as `n/a` say nothing, `na` is Namibia.
    """
    text = clean(written or "")
    if not any(map(str.isalnum, text)) or is_placeholder(text, short_words=True):
        return None
    if text.lower() in SHORT_PLACEHOLDERS and not country_code(text):
        return None
    return english_country_code(text) or (text if country_code(text) else NOWHERE)


def home(context: Context) -> str | None:
    """The user's country as alpha-2 in lower case; the default country where none is stated; None if not understood."""
    return country_code(stated_country(context.country) or context.default_country or "")


def is_nowhere(context: Context) -> bool:
    """Whether a country is stated that nobody understands: the default country does not stand in for it."""
    return stated_country(context.country) == NOWHERE


def dialling_home(context: Context) -> str | None:
    """The country of a phone number without its code; more careful than `home`, for another country is another person.

    A name in another language than English has been looked up in all languages at once. It counts unless the default
    country contradicts it.
    """
    stated, default = stated_country(context.country), country_code(context.default_country or "")
    at_home = home(context)
    if stated and not english_country_code(stated) and default not in (None, at_home):
        return None
    return at_home
