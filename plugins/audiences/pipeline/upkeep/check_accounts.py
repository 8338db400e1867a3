"""The preflight of a whole project: every ad account of the settings, with the audiences that its campaigns feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences import connections
from audiences.checklist import Check, State
from audiences.errors import FacebookAccessError, FixAccessError, RefusedError, RetryError, WaitError
from audiences.facebook import preflight_checks
from audiences.facebook.credentials import Credentials
from audiences.facebook.graph_errors import UnreachableError
from audiences.facebook.session import GraphSession
from audiences.ledger.ledger_errors import LedgerLostError, as_lost
from audiences.pipeline.audience.on_record import known_audience
from audiences.pipeline.preconditions.same_clock import ensure_same_clock
from audiences.pipeline.resources import CampaignResources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from audiences.campaign.settings import AdAccount, Settings
    from audiences.campaign.spec import CampaignSpec

    LookUp = Callable[[str], connections.Connection]


def check_accounts(
    settings: Settings,
    campaigns: Iterable[CampaignSpec],
    *,
    now: datetime,
    look_up: LookUp = connections.look_up,
) -> dict[str, list[Check]]:
    """The checks by ad account; what cannot be asked at one account is a line of its own and keeps no other from being."""
    specs = list(campaigns)
    accounts = {account.id: account for account in settings.ad_accounts.values()}
    return {name: check_account(account, specs, now=now, look_up=look_up) for name, account in accounts.items()}


def check_account(
    account: AdAccount, campaigns: Iterable[CampaignSpec], *, now: datetime, look_up: LookUp = connections.look_up
) -> list[Check]:
    """The checks of one ad account, with the audiences that those of the campaigns feed that are in it."""
    specs = [spec for spec in campaigns if spec.account.id == account.id]
    try:
        credentials = Credentials.of_account(look_up(account.connection), account.id)
    except FixAccessError as error:
        return [Check(f"connection {account.connection}", State.FAIL, str(error))]
    wanted = [spec.campaign.what.audience for spec in specs]
    given = {audience.update.id for audience in wanted if audience.update}
    added_to = {audience.update.id for audience in wanted if audience.update and audience.adds}
    made, unknown = _created(specs, look_up)
    try:
        with GraphSession(credentials) as graph:
            checks = preflight_checks.run(graph, now=now, audience_ids=sorted(given | made), added_to=added_to)
    except UnreachableError as error:
        return [Check(f"connection {account.connection}", State.FAIL, str(error), known=False)]
    answered = all(check.state is not State.FAIL for check in checks)
    return [*checks, *unknown, *(_schedules(specs, now, look_up) if answered else ())]


def _schedules(specs: Sequence[CampaignSpec], now: datetime, look_up: LookUp) -> Iterator[Check]:
    """A line for each campaign whose hours cannot go onto its ad sets."""
    for spec in specs:
        name = f"schedule of campaign {spec.id}"
        try:
            with CampaignResources(spec, read_only=True, look_up=look_up, now=lambda: now) as resources:
                ensure_same_clock(resources)
        except FacebookAccessError as error:
            yield Check(name, State.FAIL, error.what, error.remedy)
        except (RetryError, WaitError) as error:
            yield Check(name, State.WARN, f"not known: {error}", "Run the check again later.", known=False)
        except (FixAccessError, RefusedError) as error:
            yield Check(name, State.FAIL, str(error))


def _created(specs: Sequence[CampaignSpec], look_up: LookUp) -> tuple[set[str], list[Check]]:
    """The audiences that campaigns have created, by the ledger, and a line for people where it does not answer."""
    found: set[str] = set()
    for spec in specs:
        if not spec.campaign.what.audience.create:
            continue
        try:
            with CampaignResources(spec, read_only=True, look_up=look_up) as resources:
                known = known_audience(resources)
        except Exception as error:
            told = error if isinstance(error, FixAccessError | LedgerLostError) else as_lost(error)
            if told is None:
                raise
            remedy = "Until then the audiences that campaigns have created are not looked at."
            return found, [Check("ledger", State.WARN, str(told), remedy, known=False)]
        if known:
            found.add(known.facebook_id)
    return found, []
