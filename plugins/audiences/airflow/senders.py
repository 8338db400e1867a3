"""The ways by which a notice reaches people, each an Airflow notifier. No text of a notice is ever rendered as a template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.notifier import BaseNotifier

from audiences import connections
from audiences.logs import logger
from audiences.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.campaign.notify import Notify
    from audiences.connections import Connection
    from audiences.notices.notice import Notice

_TIMEOUT_SECONDS = 15
_log = logger(__name__)


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
        """Post it; raises for an answer that is none of success."""
        import requests

        found = connections.look_up(self.connection)
        answer = requests.post(
            _address(found),
            json=self.body,
            headers={str(name): str(value) for name, value in dict(found.extra.get("headers") or {}).items()},
            auth=(found.login, found.password or "") if found.login else None,
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        if not answer.ok or answer.is_redirect:
            message = f"the receiver answered with {answer.status_code}"
            raise OSError(message)


def send(notify: Notify, notice: Notice) -> bool:
    """Send a notice to everybody; whether at least one receiver took it. Nothing is raised: what fails is told in the log."""
    taken = False
    for way, by in _ways(notify):
        try:
            by(notice).notify({})
        except ImportError as error:
            _log.error("the notice cannot be sent %s: install the Airflow provider for it (%s)", way, error)
        except Exception as error:  # noqa: BLE001  # a receiver must not make a run fail
            _log.error("the notice could not be sent %s: %s: %s", way, type(error).__name__, redact(str(error)))
        else:
            taken = True
            _log.info("told %s: %s", way, notice.title)
    return taken


def _ways(notify: Notify) -> Iterator[tuple[str, Callable[[Notice], BaseNotifier]]]:
    if notify.email:
        yield f"by mail, connection `{notify.smtp}`", lambda notice: _mail(notify, notice)
    if notify.slack:
        yield f"in Slack, connection `{notify.slack}`", lambda notice: _slack(notify.slack, notice)
    if notify.webhook:
        yield (
            f"by webhook, connection `{notify.webhook}`",
            lambda notice: WebhookNotifier(connection=notify.webhook or "", body=notice.as_json()),
        )


def _mail(notify: Notify, notice: Notice) -> BaseNotifier:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    return SmtpNotifier(
        to=list(notify.email),
        subject=notice.as_json()["title"],
        html_content=notice.in_html(),
        smtp_conn_id=notify.smtp,
    )


def _slack(connection: str | None, notice: Notice) -> BaseNotifier:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier  # type: ignore[import-not-found]  # optional

    found: BaseNotifier = SlackWebhookNotifier(slack_webhook_conn_id=connection, text=notice.in_slack())
    return found


def _address(connection: Connection) -> str:
    host, scheme = connection.host or "", connection.schema or "http"
    base = host if "://" in host else f"{scheme}://{host}"
    port = f":{connection.port}" if connection.port else ""
    path = str(connection.extra.get("endpoint") or "").lstrip("/")
    return f"{base.rstrip('/')}{port}/{path}"
