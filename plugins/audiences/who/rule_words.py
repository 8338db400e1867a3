"""Rules and conditions in plain words, as explanations and documentation show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audiences.campaign.operators import OPERATORS
from audiences.campaign.phrases import clock
from audiences.campaign.windows import Window
from audiences.campaign.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.properties import Condition, PropertyTree
    from audiences.campaign.rules import Did


def condition_words(name: str, condition: Condition) -> str:
    """`age is between 25 and 40`."""
    return " and ".join(
        f"{name} {OPERATORS[operator].words(value, _value)}" for operator, value in condition.operators().items()
    )


def tree_words(tree: PropertyTree) -> str:
    """A tree on one line, with parentheses where it nests."""
    parts = [condition_words(name, condition) for name, condition in tree.conditions.items()]
    parts += [_inside(below) for below in tree.all or ()]
    if tree.any:
        parts.append(f"({' or '.join(map(_inside, tree.any))})" if len(tree.any) > 1 else _inside(tree.any[0]))
    if tree.not_:
        parts.append(f"not ({tree_words(tree.not_)})")
    return " and ".join(parts)


def did_words(did: Did) -> str:
    """`Added To Cart, last 30 days, at least 2 times, where category is shoes`."""
    joint = " and " if did.all_of else " or "
    parts = [joint.join(did.events), str(did.within)]
    if did.time_of_day:
        parts.append("from {} to {}".format(*map(clock, did.time_of_day)))
    if did.day_of_week:
        parts.append(f"on {', '.join(did.day_of_week)}")
    parts.extend(_asked_words(did))
    if did.where:
        parts.append(f"where {tree_words(did.where)}")
    return ", ".join(parts)


def _asked_words(did: Did) -> Iterator[str]:
    if did.count:
        yield f"{did.count.words()} times"
    for name, aggregate in (("sum", did.sum), ("average", did.average)):
        if aggregate:
            yield f"{name} of {aggregate.of} {aggregate.words()}"
    if did.first_time:
        yield f"for the first time {did.first_time}"
    if did.last_time:
        yield f"for the last time {did.last_time}"
    if did.or_never:
        yield "or never"


def _value(value: Any) -> str:
    return str(value) if isinstance(value, Window) else shown(value)


def _inside(tree: PropertyTree) -> str:
    """A tree as a part of another one."""
    parts = len(tree.conditions) + len(tree.all or ()) + bool(tree.any) + bool(tree.not_)
    return f"({tree_words(tree)})" if parts > 1 else tree_words(tree)
