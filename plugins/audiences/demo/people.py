"""The sample shop's customers, with the mess of real ones: missing, doubled, mistyped and half-filled values."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from audiences.demo import phones
from audiences.demo.shopper_countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Strings = np.ndarray[Any, np.dtype[np.object_]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]

_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org")
_GARBAGE_EMAILS = ("n/a", "none", "test", "@example.com", "mara@", "a b@example.com", "mara@@example.com", "")
_TIERS = ("Bronze", "Silver", "Gold", "Platinum")
_TIER_SHARES = (0.50, 0.27, 0.15, 0.08)
_TIER_VALUES = np.array([60.0, 180.0, 450.0, 1200.0])
_APP_VERSIONS = ("3.2.1", "3.9.0", "3.9.4", "3.10.0", "3.10.2", "4.0.0", "4.1.0-beta")
_INTERESTS = ("shoes", "bags", "outdoor", "kids", "beauty", "home", "sport")
_DEVICES = tuple(
    json.dumps({"os": os, "os_version": version, "make": make, "model": model})
    for os, make, models, versions in (
        ("Android", "Samsung", ("Galaxy S24", "Galaxy A15"), ("13", "14", "15")),
        ("Android", "Google", ("Pixel 8", "Pixel 9 Pro"), ("14", "15")),
        ("Android", "Xiaomi", ("Redmi 13",), ("12", "13")),
        ("iOS", "Apple", ("iPhone 13", "iPhone 15", "iPhone 16 Pro"), ("16.7", "17.10", "18.1")),
    )
    for model in models
    for version in versions
)
_OLDEST_CUSTOMER_DAYS = 1100


def users(random: np.random.Generator, *, as_of: datetime, count: int) -> pa.Table:
    """`count` customers as the columns of `shop.users`, in its order; JSON and arrays as Postgres writes them."""
    home = random.choice(len(COUNTRIES), size=count, p=[country.share for country in COUNTRIES])
    female = random.random(count) < 0.5
    first, last = _names(random, home=home, female=female)
    tier = random.choice(len(_TIERS), size=count, p=_TIER_SHARES)
    on_web_only = random.random(count) < 0.12
    signed_up_days = 1 + (_OLDEST_CUSTOMER_DAYS * random.random(count) ** 1.4).astype(np.int64)
    columns = {
        "id": np.arange(1, count + 1),
        "email": _emails(random, first=first, last=last),
        "phone": _phones(random, home=home),
        "country": _sparse(random, _country_names(random, home=home), missing=0.02),
        "city": _sparse(random, _of_country(random, home=home, pools=[c.cities for c in COUNTRIES]), missing=0.05),
        "first_name": _sparse(random, first, missing=0.02),
        "last_name": _sparse(random, last, missing=0.03),
        "date_of_birth": _births(random, as_of=as_of, count=count),
        "gender": _genders(random, female=female),
        "customer_type": _pick(_TIERS, tier),
        "unsubscribed_email": random.random(count) < 0.12,
        "unsubscribed_sms": random.random(count) < 0.09,
        "opted_out": random.random(count) < 0.025,
        "app_version": _blanked(_pick(_APP_VERSIONS, random.integers(len(_APP_VERSIONS), size=count)), on_web_only),
        "device": _blanked(_pick(_DEVICES, random.integers(len(_DEVICES), size=count)), on_web_only),
        "interests": _interests(random, count=count),
        "lifetime_value": np.round(_TIER_VALUES[tier] * random.lognormal(0.0, 0.6, size=count), 2),
        "signed_up_at": _before(as_of, days=signed_up_days, random=random),
    }
    return pa.table(
        {name: column if isinstance(column, pa.Array) else pa.array(column) for name, column in columns.items()}
    )


def _pick(pool: Sequence[str], index: Numbers) -> Strings:
    return np.array(pool, dtype=object)[index]


def _blanked(values: Strings, where: np.ndarray[Any, np.dtype[np.bool_]]) -> Strings:
    values[where] = None
    return values


def _sparse(random: np.random.Generator, values: Strings, *, missing: float) -> Strings:
    return _blanked(values.copy(), random.random(len(values)) < missing)


def _of_country(random: np.random.Generator, *, home: Numbers, pools: Sequence[Sequence[str]]) -> Strings:
    """For each customer a value of the pool of their country."""
    values = np.empty(len(home), dtype=object)
    for index, pool in enumerate(pools):
        here = np.flatnonzero(home == index)
        values[here] = _pick(pool, random.integers(len(pool), size=len(here)))
    return values


def _names(
    random: np.random.Generator, *, home: Numbers, female: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[Strings, Strings]:
    women = _of_country(random, home=home, pools=[country.female for country in COUNTRIES])
    men = _of_country(random, home=home, pools=[country.male for country in COUNTRIES])
    last = _of_country(random, home=home, pools=[country.last for country in COUNTRIES])
    return np.where(female, women, men), last


def _country_names(random: np.random.Generator, *, home: Numbers) -> Strings:
    """ISO codes mostly, English names often, now and then in other letters."""
    style = random.choice(4, size=len(home), p=(0.60, 0.34, 0.04, 0.02))
    spellings = [(c.code, c.name, c.code.lower(), c.name.upper()) for c in COUNTRIES]
    return np.array(spellings, dtype=object)[home, style]


def _emails(random: np.random.Generator, *, first: Strings, last: Strings) -> Strings:
    count = len(first)
    plain = {name: _letters(name) for name in {*first, *last}}
    domains = _pick(_DOMAINS, random.integers(len(_DOMAINS), size=count))
    style = random.integers(3, size=count).tolist()
    joined = (("", "."), ("", "_"), ("+shop", "."))
    emails = np.empty(count, dtype=object)
    emails[:] = [
        f"{plain[given]}{joined[way][1]}{plain[family]}{number}{joined[way][0]}@{domain}"
        for number, (given, family, way, domain) in enumerate(zip(first, last, style, domains, strict=True), start=1)
    ]
    _share(random, emails, part=0.01)
    _rewrite(random, emails, part=0.05, how=str.upper)
    _rewrite(random, emails, part=0.06, how=str.title)
    _rewrite(random, emails, part=0.03, how=lambda email: f" {email} ")
    _replace(random, emails, part=0.015, pool=_GARBAGE_EMAILS)
    return _sparse(random, emails, missing=0.06)


def _letters(name: str) -> str:
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", name).lower() if letter.isascii() and letter.isalpha()
    )


def _phones(random: np.random.Generator, *, home: Numbers) -> Strings:
    numbers = np.empty(len(home), dtype=object)
    for index, country in enumerate(COUNTRIES):
        here = np.flatnonzero(home == index)
        numbers[here] = phones.RANGES[country.code].draw(random, count=len(here))
    _share(random, numbers, part=0.01)
    _rewrite(random, numbers, part=0.02, how=lambda phone: f"  {phone}")
    _replace(random, numbers, part=0.02, pool=phones.GARBAGE)
    return _sparse(random, numbers, missing=0.13)


def _share(random: np.random.Generator, values: Strings, *, part: float) -> None:
    """Give some customers the value of another: a household, or one person with two accounts."""
    chosen = np.flatnonzero(random.random(len(values)) < part)
    values[chosen] = values[random.integers(len(values), size=len(chosen))]


def _rewrite(random: np.random.Generator, values: Strings, *, part: float, how: Any) -> None:
    for index in np.flatnonzero(random.random(len(values)) < part):
        values[index] = how(values[index])


def _replace(random: np.random.Generator, values: Strings, *, part: float, pool: Sequence[str]) -> None:
    chosen = np.flatnonzero(random.random(len(values)) < part)
    values[chosen] = _pick(pool, random.integers(len(pool), size=len(chosen)))


def _births(random: np.random.Generator, *, as_of: datetime, count: int) -> pa.Array:
    years = np.clip(random.normal(37.0, 13.0, size=count), 16.0, 90.0)
    today = np.datetime64(as_of.date(), "D")
    days = today - (years * 365.25).astype(np.int64).astype("timedelta64[D]")
    return pa.array(days, type=pa.date32(), mask=random.random(count) < 0.08)


def _genders(random: np.random.Generator, *, female: np.ndarray[Any, np.dtype[np.bool_]]) -> Strings:
    said = np.where(female, "female", "male").astype(object)
    said[random.random(len(female)) < 0.015] = "other"
    return _sparse(random, said, missing=0.06)


def _interests(random: np.random.Generator, *, count: int) -> Strings:
    """Up to three interests each, as a Postgres array."""
    pool = [()] + [(a,) for a in _INTERESTS] + [(a, b) for a in _INTERESTS for b in _INTERESTS if a < b]
    written = ["{" + ",".join(some) + "}" for some in pool]
    return _sparse(random, _pick(written, random.integers(len(written), size=count)), missing=0.10)


def _before(as_of: datetime, *, days: Numbers, random: np.random.Generator) -> pa.Array:
    seconds = days * 86_400 + random.integers(86_400, size=len(days))
    return pa.array(int(as_of.timestamp()) - seconds).cast(pa.timestamp("s", tz="UTC"))
