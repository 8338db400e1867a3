"""When Facebook's account of an audience's last change cannot be put down to ourselves."""

from __future__ import annotations

import pytest

from audiences.facebook.contract import (
    CONTENT_FILLS_SECONDS,
    CONTENT_SETTLES_SECONDS,
    REPLACE_WINDOW_SECONDS,
    UNANSWERED_SECONDS,
)
from audiences.facebook.status import AudienceStatus
from audiences.ledger.content import Content
from audiences.pipeline.audience.in_doubt import changed_by_others

NEVER = {"seen": None, "filling": False, "answered": None, "unanswered": None, "opened": None}
AT = 1_800_000_000


def status(changed):
    nothing = dict.fromkeys(
        ("lower", "upper", "operation_code", "operation_text", "delivery_code", "delivery_text", "can_edit")
    )
    return AudienceStatus(
        **nothing, id="23", name="Carts", description="", account="1", subtype="CUSTOM", content_updated=changed
    )


def judged(changed, **known):
    return changed_by_others(status(changed), Content(**{**NEVER, **known}))


@pytest.mark.parametrize(
    ("known", "seconds"),
    [
        ({"seen": AT}, 0),
        ({"answered": AT}, CONTENT_SETTLES_SECONDS),
        ({"answered": AT, "filling": True}, CONTENT_FILLS_SECONDS),
        ({"unanswered": AT}, UNANSWERED_SECONDS),
        ({"opened": AT}, REPLACE_WINDOW_SECONDS + CONTENT_SETTLES_SECONDS),
        ({"opened": AT, "filling": True}, REPLACE_WINDOW_SECONDS + CONTENT_FILLS_SECONDS),
        ({"answered": AT - 9_000, "opened": AT - 9_000, "seen": AT}, 0),
    ],
)
def test_a_change_as_long_after_our_own_as_facebook_takes_is_ours_and_a_later_one_is_not(known, seconds):
    assert judged(AT + seconds, **known) is None
    assert "changed" in judged(AT + seconds + 1, **known)


def test_an_audience_that_never_changed_is_in_no_doubt():
    assert judged(None) is None
    assert judged(0) is None


def test_a_change_of_an_audience_to_which_nothing_was_sent_is_somebody_elses():
    assert "no request" in judged(AT)
    assert "no request" in judged(AT, seen=AT - 1)
    assert "after our last request" in judged(AT, answered=AT - 7_200)
