"""The resources that the product opens: warehouse, ledger, Facebook; each when it is first needed, all closed together."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

import psycopg

from audiences import connections
from audiences.ledger import formerly
from audiences.ledger.account_semaphore import AccountSemaphore
from audiences.ledger.database import EmptyLedger, Ledger
from audiences.ledger.identity import note_home
from audiences.ledger.ledger_errors import LedgerFaultError, as_lost, placed
from audiences.ledger.migrate import LedgerNewerError, ensure_newest, ensure_not_newer, migrate_open
from audiences.open_connections import OpenConnections
from audiences.warehouse.timeouts import QUESTION_TIMEOUT, STATEMENT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.campaign.settings import AdAccount
    from audiences.campaign.spec import CampaignSpec
    from audiences.facebook.credentials import Credentials
    from audiences.facebook.session import GraphSession
    from audiences.ledger.campaigns import KnownCampaign
    from audiences.warehouse.catalog.reflect import Glance
    from audiences.warehouse.reader import Warehouse


_OF_WHAT_WAS_READ: Final = (ValueError, LookupError, TypeError)
"""What is raised for rows of which nobody knew when this was written, such as a state that a newer version has added."""
_TRIES: Final = 6
_TRIES_READ_ONLY: Final = 2  # somebody waits for it at a terminal, and it goes on without an answer


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Resources:
    """The one class that opens warehouse, ledger and Facebook.

    `ledger` and `warehouse` are ids of Airflow connections, which `look_up` finds. `application` names the sessions at the
    warehouse, `timezone` their time zone and `timeout` how long a statement may take there, as Postgres writes it.
    `read_only` leaves even an empty ledger as it is. `clock` measures seconds and `sleep` waits them, for the pace of calls to an
    ad account; `now` tells the time, by which export windows open and campaigns end. `shared` are connections that outlive these
    resources, unless an error ends them.
    """

    def __init__(
        self,
        *,
        ledger: str,
        warehouse: str,
        application: str,
        timezone: str,
        timeout: str = STATEMENT_TIMEOUT,
        read_only: bool = False,
        look_up: Callable[[str], connections.Connection] = connections.look_up,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = _utc_now,
        shared: OpenConnections | None = None,
    ) -> None:
        self.now = now
        self._ledger = ledger
        self._warehouse = warehouse
        self._application = application
        self._timezone = timezone
        self._timeout = timeout
        self._read_only = read_only
        self._look_up = look_up
        self._clock = clock
        self._sleep = sleep
        self._shared = shared
        self._connections = shared or OpenConnections()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object = None, error: BaseException | None = None, __: object = None) -> None:
        try:
            self.ensure_not_newer(error)
        finally:
            if self._shared is None or error is not None:
                self._connections.close()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, brought to the newest schema first."""
        if self._read_only:
            return self._connections.kept("ledger", self._ledger, of=None, make=self._opened_to_look)
        was_open = self._connections.has("ledger", self._ledger)
        ledger = self._connections.kept("ledger", self._ledger, of=None, make=self._opened_to_write)
        if was_open:
            try:
                migrate_open(ledger)  # another process may have, in a newer version
                ledger.give_up_lost()
            except psycopg.OperationalError:  # the session was lost since the last run
                self._connections.close()
                ledger = self._connections.kept("ledger", self._ledger, of=None, make=self._opened_to_write)
        return ledger

    @contextmanager
    def _opened_to_look(self) -> Iterator[Ledger]:
        connection = self._look_up(self._ledger)
        with ExitStack() as opened:
            with placed(connection):
                ledger = opened.enter_context(Ledger(connection))
                if ledger.holds("select to_regclass('audiences.alembic_version') is not null"):
                    ensure_newest(ledger)
                else:
                    ledger = opened.enter_context(EmptyLedger(connection))
            yield ledger

    @contextmanager
    def _opened_to_write(self) -> Iterator[Ledger]:
        connection = self._look_up(self._ledger)
        with ExitStack() as opened:
            with placed(connection):
                ledger = opened.enter_context(Ledger(connection))
                migrate_open(ledger)
                note_home(ledger)
            yield ledger

    def ensure_not_newer(self, error: BaseException | None) -> None:
        """Raise LedgerNewerError for an error of a step in whose middle a newer version of the product has migrated the ledger.

        Its statements need not fit the tables any more, nor what they give our classes. Nothing more is to be written there then.
        """
        if error is None or "ledger" not in self.__dict__:
            return
        if isinstance(error, (*_OF_WHAT_WAS_READ, LedgerNewerError)) or isinstance(as_lost(error), LedgerFaultError):
            with suppress(psycopg.Error):  # then the first error is told
                ensure_not_newer(self.ledger)

    def warehouse(self) -> Warehouse:
        """A new snapshot of the warehouse; the caller closes it."""
        from audiences.warehouse.reader import Warehouse, sessions  # half of the steps never read it

        connection = self._look_up(self._warehouse)
        pool = self._connections.kept(
            "warehouse", self._warehouse, of=connection, make=lambda: closing(sessions(connection))
        )
        return Warehouse(
            connection,
            application=self._application,
            timezone=self._timezone,
            timeout=self._timeout,
            pool=pool,
        )

    def glance(self, *, timeout: str = QUESTION_TIMEOUT) -> Glance:
        """The warehouse for short questions, each on its own, which may take `timeout`; the caller closes it."""
        from audiences.warehouse.catalog.reflect import Glance

        return Glance(self._look_up(self._warehouse), timezone=self._timezone, timeout=timeout)

    def graph_session(self, account: AdAccount, *, by_any_connection: bool = False) -> GraphSession:
        """A session with one of the ad accounts, which shares its limits with all other processes over the ledger.

        Raises ConnectionIncompleteError, also for a connection that names another ad account, unless `by_any_connection`: an
        account that the settings no longer name is reached by the connection of another one, if that has the right to it.
        """
        # Read when it is needed: a poll, in the triggerer, never is with Facebook, whose SDK takes a second and 40 MB.
        from audiences.facebook.credentials import Credentials

        if not self._read_only:
            _ = self.ledger  # which is migrated when it is opened, and has what the semaphore is kept in
        connection = self._look_up(account.connection)
        named = Credentials.from_connection if by_any_connection else Credentials.of_account
        credentials = named(connection, account_id=account.id)
        return self._connections.kept(
            *("facebook", account.id, account.connection),
            of=(credentials, account.requests_at_once),
            make=lambda: self._opened_graph(credentials, account),
        )

    @contextmanager
    def _opened_graph(self, credentials: Credentials, account: AdAccount) -> Iterator[GraphSession]:
        from audiences.facebook.session import GraphSession

        with ExitStack() as opened:
            semaphore = None  # a handful of reads, for which the ledger need not even be there
            if not self._read_only:
                semaphore = AccountSemaphore(self._look_up(self._ledger), account.id, account.requests_at_once)
                opened.enter_context(semaphore)
            session = GraphSession(
                credentials,
                semaphore=semaphore,
                clock=self._clock,
                sleep=self._sleep,
                max_tries=_TRIES_READ_ONLY if self._read_only else _TRIES,
            )
            yield opened.enter_context(session)


class CampaignResources(Resources):
    """What a step of this campaign may open.

    `on_file`: the ids of the project's campaign files, and those that they take over, by which campaigns of the ledger that have
    none are told; None where the project is not known.
    """

    def __init__(
        self,
        spec: CampaignSpec,
        *,
        on_file: frozenset[str] | None = None,
        read_only: bool = False,
        look_up: Callable[[str], connections.Connection] = connections.look_up,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = _utc_now,
        shared: OpenConnections | None = None,
    ) -> None:
        super().__init__(
            ledger=spec.ledger,
            warehouse=spec.warehouse,
            application=f"audiences:{spec.id}",
            timezone=spec.catalog.timezone,
            read_only=read_only,
            look_up=look_up,
            clock=clock,
            sleep=sleep,
            now=now,
            shared=shared,
        )
        self.spec = spec
        self.on_file = on_file
        self._readable = False

    @cached_property
    def facebook(self) -> GraphSession:
        """A session with the campaign's ad account."""
        return self.graph_session(self.spec.account)

    @contextmanager
    def working(self) -> Iterator[KnownCampaign]:
        """Hold the campaign for this process, taken over from its former id if it has one; see `ledger.formerly.working_on`."""
        with formerly.working_on(self.ledger, self.spec.id, self.spec.campaign.formerly) as known:
            yield known

    def campaign(self) -> KnownCampaign | None:
        """The campaign on record, as if it had been taken over from its former id; None when it has never run."""
        return formerly.find(self.ledger, self.spec.id, self.spec.campaign.formerly)

    def warehouse(self) -> Warehouse:
        """A new snapshot of the warehouse, which can read the campaign's SQL segments; the caller closes it."""
        warehouse = super().warehouse()
        with ExitStack() as closing:
            closing.push(warehouse)
            self._ensure_readable()
            closing.pop_all()
        return warehouse

    def _ensure_readable(self) -> None:
        """Put the campaign's SQL segments before the warehouse, once; raises as `saved_queries.ensure_readable` does."""
        from audiences.warehouse.saved_queries import ensure_readable, has_queries

        if not self._readable and has_queries(self.spec):
            with self.glance() as glance:
                ensure_readable(self.spec, glance)
        self._readable = True
