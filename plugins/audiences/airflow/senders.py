"""The ways by which a notice reaches people, each an Airflow notifier. No text of a notice is ever rendered as a template.

No way takes longer than `SECONDS`, whatever a receiver does and whatever its connection says, so that all of them together end
well within the ledger's lease on a notice (`ledger/notices.py`): what is given up here is tried again by somebody later, and must
not arrive after that.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from airflow.sdk.bases.notifier import BaseNotifier

from audiences import connections
from audiences.ledger.notices import LONGEST_DELIVERY
from audiences.logs import logger
from audiences.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from audiences.campaign.notify import Notify
    from audiences.connections import Connection
    from audiences.notices.notice import Notice

Way: TypeAlias = Literal["email", "slack", "webhook"]
SECONDS: Final = LONGEST_DELIVERY.total_seconds() / 3
"""How long one of the three ways may take, from the connection to the receiver's word."""
_SILENCE_SECONDS: Final = 15
"""How long Slack or a webhook may say nothing. A mail server may need long to look at a mail: it has all of `SECONDS`."""
_SLOW_SECONDS: Final = 5
_log = logger(__name__)


class TooSlowError(OSError):
    """A receiver did not take a notice in time."""

    def __str__(self) -> str:
        return f"the receiver took longer than {SECONDS:.0f} seconds"


class WebhookNotifier(BaseNotifier):
    """Posts a notice as JSON to an Airflow connection of the type HTTP.

    :param connection: its id. The extra may hold `endpoint`, the path, and `headers`; login and password go as basic
        authentication.
    :param body: what is posted.
    """

    def __init__(self, *, connection: str, body: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection, self.body = connection, body

    def notify(self, context: Any) -> None:  # noqa: ARG002  # Airflow's signature
        """Post it; raises OSError for an answer that is none of success, and without one."""
        import requests

        found = connections.look_up(self.connection)
        try:
            # Of the answer only the first lines are read: a receiver could go on for ever.
            with requests.post(
                _address(found),
                json=self.body,
                headers={str(name): str(value) for name, value in dict(found.extra.get("headers") or {}).items()},
                auth=(found.login, found.password or "") if found.login else None,
                timeout=_SILENCE_SECONDS,
                allow_redirects=False,
                stream=True,
            ) as answer:
                good, status = answer.ok and not answer.is_redirect, answer.status_code
        except requests.RequestException as error:  # its text has the address, whose path may be a secret
            message = f"no answer from the receiver ({type(error).__name__})"
            raise OSError(message) from None
        if not good:
            message = f"the receiver answered with {status}"
            raise OSError(message)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of sending a notice: who took it, and the ways that did not work, with the reasons."""

    taken: frozenset[Way] = frozenset()
    failed: dict[str, str] = field(default_factory=dict)


def send(
    notify: Notify, notice: Notice, *, only: Collection[str] | None = None, slow: dict[str, str] | None = None
) -> Delivery:
    """Send a notice to everybody, or by these ways only. Nothing is raised: what fails is told in the log as well.

    `slow` remembers receivers that failed slowly, for whoever sends several: they are not waited for again.
    """
    slow = {} if slow is None else slow
    taken: set[Way] = set()
    failed: dict[str, str] = {}
    for way, words, by in _ways(notify):
        if only is not None and way not in only:
            continue
        if words in slow:
            failed[way] = slow[words]
            continue
        begun = time.monotonic()
        try:
            _in_time(by, notice)
        except Exception as error:  # noqa: BLE001  # a receiver must not make a run fail
            failed[way] = f"{words}: {_why(error)}"
            if time.monotonic() - begun > _SLOW_SECONDS:
                slow[words] = failed[way]
            _log.error("the notice could not be sent %s: %s", words, _in_full(error))
        else:
            taken.add(way)
            _log.info("told %s: %s", words, notice.title)
    return Delivery(frozenset(taken), failed)


def _why(error: Exception) -> str:
    """What may stand in the ledger and on a page: no text of others, which quotes addresses of all kinds."""
    if isinstance(error, ImportError):
        return "the Airflow provider for it is not installed"
    ours = type(error) is OSError or type(error).__module__.startswith("audiences.")
    return redact(str(error)) if ours else f"{type(error).__name__}; the log of the task says more"


def _in_full(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"install the Airflow provider for it ({error})"
    return f"{type(error).__name__}: {redact(str(error))}"


def _in_time(by: Callable[[Notice], BaseNotifier], notice: Notice) -> None:
    """Send it within `SECONDS`; raises TooSlowError, and what a notifier raises.

    In a thread of its own, since nothing else ends a talk with a server that goes on and on, a few bytes at a time. What is given
    up is hung up on, so that it does not arrive after all.
    """
    notifier = by(notice)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            notifier.notify({})
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=work, name="audiences-notice", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive():
        if hang_up := getattr(notifier, "hang_up", None):
            hang_up()
        raise TooSlowError
    if failed:
        raise failed[0]


def _ways(notify: Notify) -> Iterator[tuple[Way, str, Callable[[Notice], BaseNotifier]]]:
    if notify.email:
        yield "email", f"by mail, connection `{notify.smtp}`", lambda notice: _mail(notify, notice)
    if notify.slack:
        yield "slack", f"in Slack, connection `{notify.slack}`", lambda notice: _slack(notify.slack, notice)
    if notify.webhook:
        yield (
            "webhook",
            f"by webhook, connection `{notify.webhook}`",
            lambda notice: WebhookNotifier(connection=notify.webhook or "", body=notice.as_json()),
        )


def _mail(notify: Notify, notice: Notice) -> BaseNotifier:
    from audiences.airflow.mail import PromptMail

    return PromptMail(
        to=list(notify.email),
        subject=notice.as_json()["title"],
        html_content=notice.in_html(),
        smtp_conn_id=notify.smtp,
        seconds=SECONDS,
    )


def _slack(connection: str | None, notice: Notice) -> BaseNotifier:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier  # type: ignore[import-not-found]  # optional

    found: BaseNotifier = SlackWebhookNotifier(
        slack_webhook_conn_id=connection, text=notice.in_slack(), timeout=_SILENCE_SECONDS
    )
    return found


def _address(connection: Connection) -> str:
    host, scheme = connection.host or "", connection.schema or "http"
    base = host if "://" in host else f"{scheme}://{host}"
    port = f":{connection.port}" if connection.port else ""
    path = str(connection.extra.get("endpoint") or "").lstrip("/")
    return f"{base.rstrip('/')}{port}/{path}"
