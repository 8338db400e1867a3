"""What people are told of and what is not over: what stands open now, and what could not be sent."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING

from audiences.ledger import notices
from audiences.notices.notice import Kind, safe
from audiences.reporting.shape import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.ledger.database import Ledger
    from audiences.reporting.project_files import ProjectFiles


class NoticeShown(Shown):
    """A notice; `about` is a `campaign`, an `ad_account`, or `dag` for one of the project's own DAGs, whose id is the `subject`.

    `told_at`: when somebody took it; None where nobody has yet. `undelivered`: ways by which it could not be sent, in words.
    """

    about: Kind
    subject: str
    condition: str
    title: str
    reason: str
    remedy: str
    raised_at: datetime
    told_at: datetime | None
    undelivered: tuple[str, ...]


def open_notices(
    files: ProjectFiles, ledger: Ledger, may_see: Callable[[str], bool], *, operates: bool
) -> Iterator[NoticeShown]:
    """Those of campaigns that `may_see` lets see, and for who `operates` the installation the others; undelivered ones first."""
    for notice in notices.open_ones(ledger):
        subject = files.called_now(notice.subject) if notice.kind == "campaign" else notice.subject
        if may_see(subject) if notice.kind == "campaign" else operates:
            yield NoticeShown(
                about=notice.kind,
                subject=subject,
                condition=notice.condition,
                title=safe(notice.title),
                reason=safe(notice.reason),
                remedy=safe(notice.remedy),
                raised_at=notice.raised_at,
                told_at=notice.sent_at,
                undelivered=tuple(notice.undelivered.values()),
            )
