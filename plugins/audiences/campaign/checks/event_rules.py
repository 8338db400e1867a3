"""Whether rules over events fit the catalog: event names, event properties, what is counted and added up."""

from __future__ import annotations

from collections.abc import Mapping

from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.finding import Finding, Findings, unknown
from audiences.campaign.checks.property_conditions import compared_as, tree_findings
from audiences.campaign.properties import PropertyTree
from audiences.campaign.rules import Aggregate, Comparison, Did, DidNot, Rules
from audiences.campaign.wording import shown

CATALOG = "include/warehouse.yml"
BLOCKED = "blocked"  # the code of what is right in itself and waits for the correction of another file


def rule_findings(rules: Rules, catalog: Catalog, segments: Mapping[str, str]) -> Findings:
    """Check rules and all rules below them.

    `segments`: the names of the saved segments, each with the reason why it cannot be used, empty if it can.
    """
    for key in ("segment", "exclude_segment"):
        for index, name in enumerate(getattr(rules, key) or ()):
            if name not in segments:
                none = "there is none yet in include/segments/"
                yield Finding((key, index), "unknown-segment", unknown("segment", name, segments, none=none))
            elif segments[name]:
                yield Finding((key, index), BLOCKED, f"segment {shown(name)} cannot be used: {segments[name]}")
    if rules.did:
        yield from (found.under("did") for found in _did_findings(rules.did, catalog))
    if rules.did_not:
        yield from (found.under("did_not") for found in _event_findings(rules.did_not, catalog))
    for joint in ("all", "any"):
        for index, below in enumerate(getattr(rules, joint) or ()):
            yield from (found.under(joint, index) for found in rule_findings(below, catalog, segments))
    if rules.not_:
        yield from (found.under("not") for found in rule_findings(rules.not_, catalog, segments))


def event_findings(name: str, where: PropertyTree | None, catalog: Catalog) -> Findings:
    """Check one `event` and its `where`."""
    yield from _name_findings(("event",), name, catalog)
    yield from where_findings(where, catalog)


def where_findings(where: PropertyTree | None, catalog: Catalog) -> Findings:
    """Check conditions on the properties of an event."""
    if where is not None and catalog.events is not None:
        none = f"{CATALOG} lists no properties of events"
        found = tree_findings(where, catalog.events.properties, "event property", none)
        yield from (each.under("where") for each in found)


def numeric_findings(name: str, catalog: Catalog) -> Findings:
    """Check that a property of events exists and can be added up."""
    known = catalog.events.properties if catalog.events else {}
    numeric = [each for each, declared in known.items() if compared_as(declared) in ("integer", "number")]
    if catalog.events is not None and name not in known:
        none = f"{CATALOG} lists no properties of events that are numbers"
        yield Finding((), "unknown-property", unknown("event property", name, numeric, none=none))
    elif name in known and name not in numeric:
        yield Finding((), "wrong-value-type", f"{shown(name)} is no number in {CATALOG} and cannot be added up")


def _name_findings(path: tuple[str | int, ...], name: str, catalog: Catalog) -> Findings:
    if catalog.events is None:
        yield Finding(path, "no-events", f"{CATALOG} has no `events`, so nothing is known of {shown(name)}")
    elif catalog.events.names is not None and name not in catalog.events.names:
        yield Finding(path, "unknown-event", unknown("event", name, catalog.events.names))


def _event_findings(rule: Did | DidNot, catalog: Catalog) -> Findings:
    if rule.event is not None:
        yield from _name_findings(("event",), rule.event, catalog)
    for key in ("any_of", "all_of"):
        for index, name in enumerate(getattr(rule, key) or ()):
            yield from _name_findings((key, index), name, catalog)
    yield from where_findings(rule.where, catalog)


def _did_findings(did: Did, catalog: Catalog) -> Findings:
    yield from _event_findings(did, catalog)
    if did.count:
        yield from (found.under("count") for found in _count_findings(did.count, or_never=did.or_never))
    for key in ("sum", "average"):
        aggregate: Aggregate | None = getattr(did, key)
        if aggregate is not None:
            yield from (found.under(key, "of") for found in numeric_findings(aggregate.of, catalog))
            yield from (found.under(key) for found in _order_findings(aggregate))


def _count_findings(count: Comparison, *, or_never: bool) -> Findings:
    key, value = count.operator()
    numbers = value if isinstance(value, tuple) else (value,)
    if any(number < 0 or number != int(number) for number in numbers):
        yield Finding((key,), "wrong-value-type", f"events are counted in whole numbers from 0; found {shown(value)}")
        return
    most = numbers[-1] - (key == "less_than")
    if key in ("at_most", "less_than", "equals", "between") and most < 1 and not or_never:
        message = "matches nobody, since a count begins at 1; use `did_not`, or add `or_never: true`"
        yield Finding((key,), "matches-nobody", message)
    yield from _order_findings(count)


def _order_findings(comparison: Comparison) -> Findings:
    key, value = comparison.operator()
    if isinstance(value, tuple) and value[0] > value[1]:
        yield Finding((key,), "wrong-order", f"starts after it ends: {shown(value[0])} > {shown(value[1])}")
