"""Campaigns that share an audience, and which of them undo each other run after run.

`add` and `mirror` add whoever qualifies and is not in, at each of their runs, and take out their own members at most.
`remove` and `remove_matching` take out members whoever added them. So one of the former and one of the latter can send the
same people in and out for good. A live campaign that adds does so once per event, and undoes nothing.
"""

from __future__ import annotations

from typing import Literal

from audiences.campaign.model import Campaign

Quarrel = Literal["always", "perhaps"]


def quarrel(taker: Campaign, adder: Campaign) -> Quarrel | None:
    """Whether `taker` takes out of the audience whom `adder` adds again at its next run.

    `perhaps`: only users on whom the rules of the two disagree, which cannot be told from the files. None for all other
    pairs, among them those of which one is stopped.
    """
    if "stopped" in (taker.status, adder.status) or adder.qualification == "live":
        return None
    taking, adding = taker.what.audience.action, adder.what.audience.action
    if adding not in ("add", "mirror"):
        return None
    if taking == "remove_matching":
        return "perhaps" if taker.qualification == "live" else "always"
    if taking == "remove":
        return "always" if adding == "mirror" else "perhaps"
    return None


def in_words(taking: Campaign, adding: Campaign, *, taker: str, adder: str, audience: str) -> str:
    """A quarrel in one sentence that names both campaigns (`taker` and `adder`, as the reader knows them) and the way out."""
    found = quarrel(taking, adding) or "perhaps"
    takes, adds = taking.what.audience.action, adding.what.audience.action
    if found == "always":
        told = f"{taker} (`{takes}`) takes out of {audience} whom {adder} (`{adds}`) adds again at its next run"
    else:
        told = f"{taker} (`{takes}`) and {adder} (`{adds}`) both change {audience}"
    return f"{told}; {_REMEDIES[takes, found].format(taker=taker, adder=adder)}"


_REMEDIES: dict[tuple[str, Quarrel], str] = {
    (
        "remove_matching",
        "always",
    ): "leave these users out in `who` of {adder} (`exclude_segment`, `not`), and drop {taker}",
    ("remove_matching", "perhaps"): "{adder} adds them again unless its `who` leaves them out as well",
    (
        "remove",
        "always",
    ): "a mirror takes out by itself who no longer qualifies: put the rules into `who` of {adder}, and drop {taker}",
    (
        "remove",
        "perhaps",
    ): "who qualifies for {adder} and not for {taker} goes in and out: let `who` of {taker} find everybody "
    "whom {adder} adds, and hold nobody out there",
}
