"""Whether the catalog and the settings are sound in themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.campaign import SETTINGS
from audiences.campaign.checks.finding import Finding, Findings
from audiences.campaign.checks.property_conditions import Declared, compared_as
from audiences.campaign.checks.run_times import zone_findings
from audiences.campaign.checks.value_types import country_mistake, mistake
from audiences.campaign.identifiers import CONTACTS, FIELDS
from audiences.campaign.reserved import PREFIX, is_reserved
from audiences.campaign.settings import Settings
from audiences.campaign.wording import did_you_mean, dotted, shown
from audiences.errors import Problem

_JOINTS = ("all", "any", "not")


def catalog_findings(catalog: Catalog) -> Findings:
    """Check a warehouse catalog."""
    mapped = catalog.users.identifiers()
    if not mapped.keys() & set(CONTACTS):
        message = f"maps neither {' nor '.join(map(shown, CONTACTS))}; Facebook could recognise nobody"
        yield Finding(("users",), "unmapped-identifier", message, key=True)
    raw = {name: source for name, source in mapped.items() if not source.pre_hashed and FIELDS[name].names_a_person}
    if name := next((name for name, source in raw.items() if source.column == catalog.users.key), None):
        message = (
            f"{shown(catalog.users.key)} is also the users' `{name}`, and the key is stored in the ledger as it is; name the "
            "column of a generated id, or map a view that has one or a hash (sha256) of it as the key"
        )
        yield Finding(("users", "key"), "personal-key", message)
    for part, relation in (("users", catalog.users), ("events", catalog.events)):
        if relation and is_reserved(relation.relation.removeprefix('"')):
            message = (
                f"begins with `{PREFIX}`, as the names do that a run's own statement makes; map a view of another name"
            )
            yield Finding((part, "relation"), "not-allowed", f"{shown(relation.relation)} {message}")
    birth = mapped.get("date_of_birth")
    if birth is not None and birth.pre_hashed:
        message = "Facebook takes year, month and day as three hashes; one hash of the whole date is none of them"
        yield Finding(("users", "date_of_birth", "pre_hashed"), "not-allowed", message)
    yield from (found.under("users", "properties") for found in _property_findings(catalog.users.properties))
    if catalog.events is not None:
        yield from (found.under("events", "properties") for found in _property_findings(catalog.events.properties))
    if catalog.default_country and (message := country_mistake(catalog.default_country)):
        yield Finding(("default_country",), "unknown-country", message)
    yield from (found.under("timezone") for found in zone_findings(catalog.timezone))


def settings_findings(settings: Settings) -> Findings:
    """Check the project's settings."""
    if settings.timezone is not None:
        yield from (found.under("timezone") for found in zone_findings(settings.timezone))


def brand_warnings(settings: Settings, folders: Iterable[str]) -> Iterator[Problem]:
    """Brands of the settings without a folder in `campaigns/`: what is said of them is for nobody."""
    there = list(folders)
    for brand in settings.brands:
        if brand not in there:
            message = f"there is no folder {shown(f'campaigns/{brand}')}{did_you_mean(brand, there)}"
            yield Problem(SETTINGS, 0, 0, dotted(("brands", brand)), "unknown-brand", message)


def _property_findings(properties: Mapping[str, Declared]) -> Findings:
    for name, declared in properties.items():
        if name in _JOINTS:
            message = f"no property can be called {shown(name)}, which joins conditions; choose another name"
            yield Finding((name,), "not-allowed", message, key=True)
        if declared.values == ():
            yield Finding((name, "values"), "wrong-length", "must not be empty")
        for index, value in enumerate(declared.values or ()):
            if message := mistake(compared_as(declared), value):
                yield Finding((name, "values", index), "wrong-value-type", message)
