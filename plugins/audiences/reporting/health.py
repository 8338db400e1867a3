"""Whether the installation as a whole is well: ad accounts, versions and their end, campaigns without a file, live events."""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING

from audiences.campaign.common_files import load_catalog, warehouse_connection
from audiences.checklist import Check, State
from audiences.errors import FixAccessError, RetryError
from audiences.facebook.contract import TOKEN_DEBUGGER_URL
from audiences.facebook.credentials import Credentials
from audiences.facebook.preflight_checks import EXPIRES_SOON, version_check
from audiences.ledger import campaigns as known_campaigns
from audiences.ledger import content, known_audiences, live_standing, members, preflights
from audiences.pipeline.upkeep.check_accounts import check_account
from audiences.reporting import doubt_words
from audiences.reporting.catalog_checks import catalog_checks
from audiences.reporting.open_notices import NoticeShown, open_notices
from audiences.reporting.shape import Shown
from audiences.warehouse.catalog.reflect import Glance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from audiences.campaign.settings import AdAccount
    from audiences.connections import Connection
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import AudienceRecord
    from audiences.ledger.live_standing import LiveStanding
    from audiences.reporting.project_files import ProjectFiles


class CheckShown(Shown):
    """One thing that was looked at: `ok`, `warn` or `fail`, what was found, and what to do; not `known`: nobody answered."""

    name: str
    state: State
    found: str
    remedy: str
    known: bool

    @classmethod
    def of(cls, check: Check) -> CheckShown:
        """A line of a check-up."""
        return cls(name=check.name, state=check.state, found=check.found, remedy=check.remedy, known=check.known)


class AccountHealth(Shown):
    """An ad account of the settings, as far as is known without asking Facebook.

    `checks`: the connection, the version of the Graph API with its end, and the end of the token as a person noted it.
    `passed_at` is when a preflight last found everything right, with `warnings`; None where none did.
    """

    id: str
    name: str
    connection: str
    api_version: str | None
    token_expires: date | None
    checks: tuple[CheckShown, ...]
    passed_at: datetime | None
    warnings: tuple[str, ...]


class CampaignWithoutFile(Shown):
    """A campaign whose file is gone, and an audience in which it still has members."""

    campaign: str
    audience: str
    name: str
    ad_account: str


class AudienceInDoubt(Shown):
    """An audience of which it is not known whom it holds at Facebook, why, and what ends that; `campaigns` feed it.

    One that a run is changing is not among them.
    """

    audience: str
    name: str
    ad_account: str
    campaigns: tuple[str, ...]
    reason: str
    remedy: str


class LiveHealth(Shown):
    """A live campaign that is watched.

    `read_to`: up to when the warehouse was read; `lag_seconds`: how long what is due has waited, by the last event of the open
    batch or by the first that is in none, 0 without one.

    `waiting` events are in no batch yet; the open batch has `batch_events` of `batch_users`, and was tried `batch_tries` times.
    """

    campaign: str
    read_to: datetime
    error: str | None
    error_at: datetime | None
    lag_seconds: float
    waiting: int
    batch: int | None
    batch_events: int
    batch_users: int
    batch_tries: int
    batch_error: str | None


class Health(Shown):
    """What is on record of the installation; nothing is asked of Facebook or of the warehouse.

    `airflow`: what Airflow needs beside the campaign files, and whether it is there; for who operates the installation.

    `whole`: it is about all accounts and campaigns. Else it is about those that whoever asks may see.
    """

    whole: bool
    airflow: tuple[CheckShown, ...]
    accounts: tuple[AccountHealth, ...]
    without_file: tuple[CampaignWithoutFile, ...]
    in_doubt: tuple[AudienceInDoubt, ...]
    live: tuple[LiveHealth, ...]
    notices: tuple[NoticeShown, ...]


def health(
    files: ProjectFiles,
    ledger: Ledger,
    *,
    now: datetime,
    look_up: Callable[[str], Connection],
    ask_airflow: Callable[[], Iterable[Check]] = tuple,
    may_see: Callable[[str], bool] = lambda _: True,
    operates: bool = True,
) -> Health:
    """Of campaigns and their audiences what `may_see` lets see; of ad accounts only for who `operates` the installation.

    `ask_airflow` gives the lines about Airflow, which only its API server knows.
    """
    names = {number: files.called_now(name) for number, name in known_campaigns.names(ledger).items()}
    live = [_live(files.called_now(each.campaign), each, now) for each in live_standing.every(ledger)]
    return Health(
        whole=operates and all(map(may_see, {*files.files, *names.values()})),
        airflow=tuple(map(CheckShown.of, ask_airflow())) if operates else (),
        accounts=tuple(_accounts(files, ledger, now, look_up)) if operates else (),
        without_file=tuple(each for each in _without_file(files, ledger, names) if may_see(each.campaign)),
        in_doubt=tuple(_in_doubt(files, ledger, names, may_see, operates)),
        live=tuple(each for each in live if may_see(each.campaign)),
        notices=tuple(open_notices(files, ledger, may_see, operates=operates)),
    )


def ask_facebook(
    files: ProjectFiles, account: str, *, now: datetime, look_up: Callable[[str], Connection]
) -> tuple[CheckShown, ...] | None:
    """The preflight of the ad account of that name, which asks Facebook some questions; None where the settings have none."""
    known = files.settings.ad_accounts.get(account) if files.settings else None
    if known is None:
        return None
    return tuple(map(CheckShown.of, check_account(known, files.specs.values(), now=now, look_up=look_up)))


def ask_warehouse(files: ProjectFiles, *, look_up: Callable[[str], Connection]) -> dict[str, tuple[CheckShown, ...]]:
    """The catalog, saved segments and the login held against the warehouse, by what they are about.

    Raises ConfigError for a catalog or settings that are wrong, and what the warehouse raises.
    """
    document, catalog = load_catalog(files.root)
    with Glance(look_up(warehouse_connection(files.root)), timezone=catalog.timezone) as glance:
        found = catalog_checks(files.root, document, catalog, glance)
    return {of: tuple(map(CheckShown.of, checks)) for of, checks in found.items()}


def _accounts(
    files: ProjectFiles, ledger: Ledger, now: datetime, look_up: Callable[[str], Connection]
) -> Iterator[AccountHealth]:
    passed = {(each.ad_account, each.connection): each for each in preflights.every(ledger)}
    for name, account in (files.settings.ad_accounts if files.settings else {}).items():
        last = passed.get((account.id, account.connection))
        credentials, checks = _looked_at(account, now, look_up)
        yield AccountHealth(
            id=account.id,
            name=name,
            connection=account.connection,
            api_version=credentials.api_version if credentials else None,
            token_expires=credentials.token_expires if credentials else None,
            checks=tuple(map(CheckShown.of, checks)),
            passed_at=last.passed_at if last else None,
            warnings=last.warnings if last else (),
        )


def _looked_at(
    account: AdAccount, now: datetime, look_up: Callable[[str], Connection]
) -> tuple[Credentials | None, list[Check]]:
    name = f"connection {account.connection}"
    try:
        credentials = Credentials.of_account(look_up(account.connection), account.id)
    except FixAccessError as error:
        return None, [Check(name, State.FAIL, str(error))]
    except RetryError as error:
        return None, [Check(name, State.WARN, f"not known: {error}", "Look again later.", known=False)]
    return credentials, [version_check(credentials.api_version, now.date()), _token(credentials, now)]


def _token(credentials: Credentials, now: datetime) -> Check:
    """What the connection says of the token's end: a person's word, as Facebook is not asked here."""
    name, day = "access token", credentials.token_expires
    if day is None:
        remedy = (
            f"To be warned in time, look its end up at {TOKEN_DEBUGGER_URL} and note the day in the connection's extra "
            "as `token_expires`."
        )
        return Check(name, State.OK, "no end is noted in the connection", remedy)
    remedy = "Make a new token, put it into the Airflow connection, and correct `token_expires` with it."
    if day <= now.date():
        return Check(name, State.FAIL, f"expired on {day:%d %B %Y}, says the connection", remedy)
    soon = day - now.date() < EXPIRES_SOON
    found = f"expires on {day:%d %B %Y}, says the connection"
    return Check(name, State.WARN if soon else State.OK, found, remedy if soon else "")


def _without_file(files: ProjectFiles, ledger: Ledger, names: dict[int, str]) -> Iterator[CampaignWithoutFile]:
    gone = {number: name for number, name in names.items() if name not in files.accounted_for}
    if not gone or files.unread:  # then nobody knows
        return
    audiences = {each.id: each for each in known_audiences.every(ledger)}
    for held in members.holding(ledger, gone):
        audience = audiences[held.audience]
        if audience.deleted_at is None:
            yield CampaignWithoutFile(
                campaign=gone[held.campaign],
                audience=audience.facebook_id,
                name=audience.name,
                ad_account=audience.ad_account,
            )


def _in_doubt(
    files: ProjectFiles, ledger: Ledger, names: dict[int, str], may_see: Callable[[str], bool], operates: bool
) -> Iterator[AudienceInDoubt]:
    """Those of campaigns that may be seen; one that no campaign feeds is for who operates the installation."""
    doubts = content.doubts(ledger)
    for audience in known_audiences.every(ledger) if doubts else ():
        feeding = _feeding(files, audience, names)
        seen = tuple(filter(may_see, feeding))
        if audience.id not in doubts or not (seen or (operates and not feeding)):
            continue
        created = audience.created_for is not None
        yield AudienceInDoubt(
            audience=audience.facebook_id,
            name=audience.name,
            ad_account=audience.ad_account,
            campaigns=seen,
            reason=doubts[audience.id],
            remedy=_what_ends(files, seen, created=created),
        )


def _feeding(files: ProjectFiles, audience: AudienceRecord, names: dict[int, str]) -> list[str]:
    """The campaign that created the audience, and those whose files give it by its id."""
    given = [
        name
        for name, spec in files.specs.items()
        if spec.campaign.what.audience.update and spec.campaign.what.audience.update.id == audience.facebook_id
    ]
    made = names.get(audience.created_for or 0)
    return list(dict.fromkeys([*([made] if made else []), *given]))


def _what_ends(files: ProjectFiles, campaigns: Sequence[str], *, created: bool) -> str:
    spec = next((files.specs[name] for name in campaigns if name in files.specs), None)
    if spec is None:
        return doubt_words.remedy_without_campaign(created=created)
    return doubt_words.remedy(spec.id, created=created, action=spec.campaign.what.audience.action)


def _live(campaign: str, standing: LiveStanding, now: datetime) -> LiveHealth:
    due: Iterable[datetime] = [each for each in (standing.first_due, standing.batch_due) if each is not None]
    return LiveHealth(
        campaign=campaign,
        read_to=standing.read_to,
        error=standing.error,
        error_at=standing.error_at,
        lag_seconds=max(0.0, (now - min(due, default=now)).total_seconds()),
        waiting=standing.waiting,
        batch=standing.batch,
        batch_events=standing.batch_events or 0,
        batch_users=standing.batch_users or 0,
        batch_tries=standing.batch_tries or 0,
        batch_error=standing.batch_error,
    )
