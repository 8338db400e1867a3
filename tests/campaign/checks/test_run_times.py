from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder


@pytest.mark.parametrize(
    "when",
    [
        "now",
        "{now: true}",
        "{date: 2026-12-01}",
        "{date: 2026-12-01 09:00, timezone: Asia/Kolkata}",
        "{dates: [2026-12-01, 2026-12-02 10:00]}",
        "{repeat: {every: 3 days, at: '09:00'}, start: 2026-12-01, end: 2026-12-01}",
        "{repeat: {every: 2 weeks, on: [mon, Thursday], at: ['09:00', '18:00']}}",
        "{repeat: {every: 1 month, on: [1, 31, last], at: '09:00'}, ends: {after: 10 runs}}",
        "{repeat: {every: 1 month, on: first Monday, at: '09:00'}, ends: {after: 3}}",
        "{cron: '0 9 * * mon-fri'}",
        "{cron: ['0 9 * * *', '30 18 * * 5']}",
        "{cron: ['0 9 15 * *', '0 9 * * 1#2', '0 9 * * L5', '0 9 ? * fri#1', '0 9 15W * *', '0 9 L * ?']}",
        "{cron: ['0 9 15 * 1', '0 9 L * wed', '0 9 1,15 * mon-fri']}",
        "{now: true, windows: [{from: '22:00', to: '06:00'}, {days: [sat, sun], from: '09:00', to: '10:00'}]}",
    ],
)
def test_sound_schedules_are_accepted(folder: Folder, when: str) -> None:
    folder.when(when)
    assert folder.codes() == []


@pytest.mark.parametrize(
    ("when", "key", "code"),
    [
        ("{now: false}", "when.now", "wrong-value"),
        ("{now: true, timezone: IST}", "when.timezone", "unknown-time-zone"),
        ("{now: true, timezone: ../../etc/passwd}", "when.timezone", "unknown-time-zone"),
        ("{now: true, timezone: America}", "when.timezone", "unknown-time-zone"),
        ("{now: true, timezone: localtime}", "when.timezone", "unknown-time-zone"),
        ("{now: true, timezone: right/UTC}", "when.timezone", "unknown-time-zone"),
        ("{now: true, start: 2026-12-02, end: 2026-12-01}", "when.end", "wrong-order"),
        ("{date: 2026-11-30, start: 2026-12-01}", "when.date", "wrong-order"),
        ("{dates: [2026-12-01, 2027-12-01], end: 2026-12-31}", "when.dates[1]", "wrong-order"),
        ("{dates: [2026-12-01, 2026-12-01]}", "when.dates[1]", "given-twice"),
        ("{repeat: {every: 1 hour, at: '09:00'}}", "when.repeat.every", "wrong-value"),
        ("{repeat: {every: 0 days, at: '09:00'}}", "when.repeat.every", "wrong-value"),
        ("{repeat: {every: 1 day, on: mon, at: '09:00'}}", "when.repeat.on", "wrong-schedule"),
        ("{repeat: {every: 1 week, on: [mon, 5], at: '09:00'}}", "when.repeat.on[1]", "not-allowed"),
        ("{repeat: {every: 1 month, on: [32], at: '09:00'}}", "when.repeat.on[0]", "not-allowed"),
        ("{repeat: {every: 1 month, on: fifth monday, at: '09:00'}}", "when.repeat.on", "not-allowed"),
        ("{cron: '61 9 * * *'}", "when.cron", "bad-cron"),
        ("{cron: '* * * * * *'}", "when.cron", "bad-cron"),
        ("{cron: '@daily'}", "when.cron", "bad-cron"),
        ("{cron: 'R 9 * * *'}", "when.cron", "bad-cron"),
        ("{cron: '0 9 15 * 1#2'}", "when.cron", "bad-cron"),
        ("{cron: '0 9 L * L5'}", "when.cron", "bad-cron"),
        ("{cron: '0 9 15 * mon#2,fri#1'}", "when.cron", "bad-cron"),
        ("{cron: '0 9 15W * 1'}", "when.cron", "bad-cron"),
        ("{cron: '0 9 */2 * l5'}", "when.cron", "bad-cron"),
        ("{cron: '0 9 15w * 0-6'}", "when.cron", "bad-cron"),
        ("{cron: ['0 9 * * *', '0 9 LW * 1']}", "when.cron[1]", "bad-cron"),
        ("{cron: '0 9 * * *', ends: {after: 10001}}", "when.ends.after", "out-of-range"),
        ("{cron: '0 0 30 2 *'}", "when.cron", "bad-cron"),
        ("{now: true, ends: {after: 3}}", "when.ends", "wrong-schedule"),
        ("{now: true, windows: [{from: '09:00', to: '09:00'}]}", "when.windows[0]", "wrong-order"),
        ("{on: {event: Charged}}", "when.on", "wrong-value"),
        ("{now: true, unless: {event: Charged, within: 5 minutes}}", "when.unless", "wrong-value"),
    ],
)
def test_schedules_that_cannot_come_true_are_refused(folder: Folder, when: str, key: str, code: str) -> None:
    folder.when(when)
    assert [(problem.key, problem.code) for problem in folder.load().problems] == [(key, code)]


def test_order_is_judged_on_the_clock_of_the_campaign(folder: Folder) -> None:
    folder.when("{date: '2026-12-01 23:00+00:00', start: 2026-12-02, timezone: Asia/Kolkata}")
    assert folder.codes() == []


def test_days_that_croniter_would_leave_out_are_refused_with_the_reason_and_a_way_out(folder: Folder) -> None:
    folder.when("{cron: '0 9 15 * mon#2'}")
    assert folder.problems() == [
        "campaigns/test.yml:4:14: when.cron: `0 9 15 * mon#2` has days of the month, `15`, beside weekdays, `mon#2`, and one of "
        "the two would be left out in silence, since `mon#2` does not go together with other days; write two lines: "
        '`cron: ["… 15 * *", "… * * mon#2"]`'
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("*/70 * * * *", "its minute, `*/70`, has a step of 70"),
        ("1-5/61 * * * *", "its minute, `1-5/61`, has a step of 61"),
        ("0 */25 * * *", "its hour, `*/25`, has a step of 25"),
        ("0 9 */32 * *", "its day of month, `*/32`, has a step of 32"),
        ("0 9 * */13 *", "its month, `*/13`, has a step of 13"),
        ("0 9 * * */8", "its weekday, `*/8`, has a step of 8"),
        ("60 * * * *", "its minute, `60`, is none; allowed: 0 to 59"),
        ("0 24 * * *", "its hour, `24`, is none; allowed: 0 to 23"),
        ("0 9 0 * *", "its day of month, `0`, is none; allowed: 1 to 31"),
        ("0 9 * foo *", "its month, `foo`, is none; allowed: 1 to 12, or `jan` to `dec`"),
        ("0 9 * * monday", "its weekday, `monday`, is none; allowed: 0 to 7, or `sun` to `sat`"),
        ("0 9 * * 5L", "its weekday, `5L`, is none"),
        ("*/0 * * * *", "its minute, `*/0`, is none"),
        ("h * * * *", "its minute, `h`, is none"),
        ("1,,2 * * * *", "its minute, `1,,2`, is none"),
        ("0 0 31 2 *", "no month that it names has such a day"),
        ("0 9 31 4,6 *", "no month that it names has such a day"),
        (
            "0 0 9 * * *",
            "five fields: minute, hour, day of month, month, weekday; there is none for seconds",
        ),
        ("@daily", "write `0 0 * * *`"),
        ("@reboot", "is not a cron line of five fields"),
    ],
)
def test_a_cron_line_that_means_something_else_or_nothing_is_refused_by_its_field(
    folder: Folder, line: str, said: str
) -> None:
    folder.when(f"{{cron: '{line}'}}")
    (problem,) = folder.problems()
    assert said in problem


@pytest.mark.parametrize("line", ["*/60 * * * *", "0 */24 * * *", "0 9 */31 * *", "0 9 1 */12 *", "0 9 * * fri-mon"])
def test_a_cron_line_that_says_what_it_means_is_taken(folder: Folder, line: str) -> None:
    folder.when(f"{{cron: '{line}'}}")
    assert folder.problems() == []
