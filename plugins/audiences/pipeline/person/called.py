"""Ids that people write, in a file or on the command line, as the warehouse writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import FixConfigError
from audiences.query.conditions import text_of
from audiences.query.key import PATTERN
from audiences.query.listed_ids import users_called, users_listed
from audiences.query.render import render

if TYPE_CHECKING:
    from audiences.campaign.catalog import Catalog
    from audiences.pipeline.person.holders import Address
    from audiences.pipeline.resources import CampaignResources
    from audiences.warehouse.reader import Warehouse


@dataclass(eq=False)
class AddressAsIdError(FixConfigError):
    """An e-mail address or a phone number was given as a user's id; it is not in the text."""

    kind: str

    def __str__(self) -> str:
        what = "an e-mail address" if self.kind == "email" else "a phone number"
        return (
            f"what was given as a user's id is {what}, which no id may be; `audiences explain CAMPAIGN --{self.kind} -` "
            "asks for it, and says whose it is"
        )


def address_in(user: str) -> Address | None:
    """What kind of address was written where an id belongs; None for what may be an id."""
    if not re.search(PATTERN, user):
        return None
    return "email" if "@" in user else "phone"


def ensure_id(user: str) -> None:
    """Raise AddressAsIdError for an address: an answer says the id again, and addresses stay out of answers."""
    if kind := address_in(user):
        raise AddressAsIdError(kind=kind)


def as_the_key_says(warehouse: Warehouse, catalog: Catalog, user: str) -> str:
    """The id as the warehouse writes it; as given where its type has several texts for a value, and it names nobody alone."""
    found = warehouse.table(render(users_called(catalog, user))).column("user_id").to_pylist()
    # No id for a text that is none of the key's, such as one with a null character.
    return str(found[0]) if len(found) == 1 and found[0] is not None else user


def never_held_out(resources: CampaignResources) -> list[str]:
    """The users under `never_hold_out`, as the warehouse writes their ids."""
    listed = [text_of(user) for user in resources.spec.campaign.who.never_hold_out]
    if not listed:
        return []
    with resources.warehouse() as warehouse:
        return [
            *map(
                str, warehouse.table(render(users_listed(resources.spec.catalog, listed))).column("user_id").to_pylist()
            )
        ]
