"""One person over all campaigns: in which audiences and since when, in which arm of each campaign, whether erased.

Asked by user id, e-mail address or phone number. Addresses are normalised and hashed in this process, by the rules of an upload;
they are in no query, no answer and no log.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING, Final, Literal

from audiences.ledger import assignments, erasures, known_audiences, member_history
from audiences.pipeline import explain as explaining
from audiences.pipeline.person.called import address_in, as_the_key_says, ensure_id
from audiences.pipeline.person.holders import holders
from audiences.pipeline.resources import CampaignResources
from audiences.query.render import render
from audiences.reporting.shape import Shown
from audiences.what.erased import Erased
from audiences.who.person import is_there

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.spec import CampaignSpec
    from audiences.connections import Connection
    from audiences.ledger.assignments import AssignmentAnywhere
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import AudienceRecord
    from audiences.ledger.member_history import MembershipAnywhere
    from audiences.pipeline.person.explained_user import Explanation
    from audiences.pipeline.resources import Resources
    from audiences.reporting.project_files import ProjectFiles

MOST_SHOWN: Final = 20
"""Of those who share an address; the address of an office, say."""
AskedBy = Literal["user", "email", "phone"]


class MembershipShown(Shown):
    """A membership in an audience (Facebook's id) by the doing of a campaign, since a run, and until another one if it has ended.

    Not `present`: the campaign had the user taken out (`remove_matching`).
    """

    audience: str
    name: str
    ad_account: str
    campaign: str
    present: bool
    since_run: int
    since: datetime
    until_run: int | None
    until: datetime | None


class ArmShown(Shown):
    """The arm of a campaign to which the user was assigned, once and for all: `target` or a control group."""

    campaign: str
    arm: str
    run: int
    assigned_at: datetime


_FOR_ADMINS = "something is still to be done; an admin sees what"


class ErasureShown(Shown):
    """An erasure of the user: done, or asked for and `still_to_do`."""

    erasure: int
    asked_at: datetime
    done_at: datetime | None
    still_to_do: tuple[str, ...]


class PersonShown(Shown):
    """A user by the id of the warehouse; `known` is False where the warehouse has no such user (any more)."""

    user: str
    known: bool
    memberships: tuple[MembershipShown, ...]
    arms: tuple[ArmShown, ...]
    erasure: ErasureShown | None


class PersonFound(Shown):
    """Everybody who was asked for; what was asked is not in here. `asked_by` is what it was: an address is none's id.

    `more` are the ids of those who are not shown, when many share an address. `erased`: somebody who has the address was erased.
    """

    asked_by: AskedBy
    people: tuple[PersonShown, ...]
    more: tuple[str, ...]
    erased: bool

    def without_tasks(self) -> PersonFound:
        """The same for whoever may not erase: what is left to do of an erasure names campaigns and accounts of others."""
        return self.model_copy(update={"people": tuple(map(_without_tasks, self.people))})


def find_person(
    files: ProjectFiles,
    resources: Resources,
    catalog: Catalog,
    asked_by: AskedBy,
    value: str,
    *,
    now: datetime,
    may_see: Callable[[str], bool] = lambda _: True,
) -> PersonFound:
    """Look the person up in the warehouse and on record; of campaigns only those that `may_see` lets see.

    Raises UnreadableAddressError for what can be nobody's address, and what the warehouse raises.
    """
    known: tuple[str, ...]
    on_record: tuple[str, ...]
    if asked_by == "user":
        asked_by = address_in(value) or asked_by
    if asked_by == "user":
        with resources.warehouse() as warehouse:
            user = as_the_key_says(warehouse, catalog, value)
            there = bool(warehouse.table(render(is_there(catalog, user))).num_rows)
        known, on_record, erased = (user,) if there else (), () if there else (user,), False
    else:
        found = holders(resources, catalog, asked_by, value, now)
        known, on_record, erased = found.users, found.on_record, found.erased
    every = (*known, *on_record)
    shown = every[:MOST_SHOWN]
    people = _people(files, resources.ledger, shown, frozenset(known), may_see)
    if asked_by == "user":  # what nobody has for an id may be anything, and is not repeated
        people = tuple(one for one in people if one.known or one.memberships or one.arms or one.erasure)
    return PersonFound(
        asked_by=asked_by,
        people=people,
        more=every[MOST_SHOWN:],
        erased=erased or any(person.erasure for person in people),
    )


def why(
    files: ProjectFiles,
    campaign: str,
    user: str,
    *,
    now: datetime,
    look_up: Callable[[str], Connection],
) -> Explanation | None:
    """Why the user is in or out of the campaign's audience now, as `audiences explain` says it; None without a right file.

    Of a campaign with a cap or `keep_for` all users are looked at, so this is asked one campaign at a time. Raises
    AddressAsIdError.
    """
    ensure_id(user)
    spec: CampaignSpec | None = files.specs.get(campaign)
    if spec is None:
        return None
    on_file = None if files.unread else files.accounted_for
    with CampaignResources(spec, read_only=True, look_up=look_up, on_file=on_file, now=lambda: now) as resources:
        return explaining.explain(resources, user, now)


def _people(
    files: ProjectFiles,
    ledger: Ledger,
    users: Sequence[str],
    known: frozenset[str],
    may_see: Callable[[str], bool],
) -> tuple[PersonShown, ...]:
    audiences = {each.id: each for each in known_audiences.every(ledger)}
    held: dict[str, list[MembershipShown]] = {}
    for row in member_history.of_users(ledger, users):
        campaign, audience = files.called_now(row.campaign), audiences[row.audience]
        if may_see(campaign):
            held.setdefault(row.user, []).append(_membership(campaign, row, audience))
    arms: dict[str, list[ArmShown]] = {}
    for each in assignments.of_users(ledger, users):
        campaign = files.called_now(each.campaign)
        if may_see(campaign):
            arms.setdefault(each.user, []).append(_arm(campaign, each))
    erased = Erased(*erasures.known(ledger))
    return tuple(
        PersonShown(
            user=user,
            known=user in known,
            memberships=tuple(held.get(user, ())),
            arms=tuple(arms.get(user, ())),
            erasure=_erasure(ledger, erased, user),
        )
        for user in users
    )


def _membership(campaign: str, row: MembershipAnywhere, audience: AudienceRecord) -> MembershipShown:
    return MembershipShown(
        audience=audience.facebook_id,
        name=audience.name,
        ad_account=audience.ad_account,
        campaign=campaign,
        present=row.present,
        since_run=row.added_run,
        since=row.added_at,
        until_run=row.removed_run,
        until=row.removed_at,
    )


def _without_tasks(person: PersonShown) -> PersonShown:
    if person.erasure is None or not person.erasure.still_to_do:
        return person
    erasure = person.erasure.model_copy(update={"still_to_do": (_FOR_ADMINS,)})
    return person.model_copy(update={"erasure": erasure})


def _arm(campaign: str, each: AssignmentAnywhere) -> ArmShown:
    return ArmShown(campaign=campaign, arm=each.arm, run=each.run_id, assigned_at=each.assigned_at)


def _erasure(ledger: Ledger, erased: Erased, user: str) -> ErasureShown | None:
    standing = erasures.standing_of(ledger, erased.digest_of_user(user)) if erased.has_user(user) else None
    if standing is None:
        return None
    return ErasureShown(
        erasure=standing.id, asked_at=standing.asked_at, done_at=standing.done_at, still_to_do=standing.still_to_do
    )
