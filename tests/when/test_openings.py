from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.when import oracle

from audiences.campaign.when import ExportWindow
from audiences.when.openings import next_opening, opened

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}
NIGHT = {"days": ["fri"], "from": "22:00", "to": "02:00"}


def windows(*written: dict[str, object]) -> list[ExportWindow]:
    return [ExportWindow.model_validate(each) for each in written]


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("Fri 2026-12-04 08:59", "Fri 2026-12-04 09:00"),
        ("Fri 2026-12-04 09:00", "open"),
        ("Fri 2026-12-04 17:59", "open"),
        ("Fri 2026-12-04 18:00", "Fri 2026-12-04 22:00"),
        ("Fri 2026-12-04 22:00", "open"),
        ("Sat 2026-12-05 01:59", "open"),
        ("Sat 2026-12-05 02:00", "Mon 2026-12-07 09:00"),
        ("Sun 2026-12-06 01:00", "Mon 2026-12-07 09:00"),
        ("Sun 2026-12-06 23:00", "Mon 2026-12-07 09:00"),
    ],
)
def test_windows_open_and_close_on_the_campaigns_clock(at: str, opens: str) -> None:
    moment = datetime.strptime(at, "%a %Y-%m-%d %H:%M").replace(tzinfo=BERLIN)
    found = next_opening(moment, windows(OFFICE, NIGHT), BERLIN)
    assert ("open" if found is None else f"{found.astimezone(BERLIN):%a %Y-%m-%d %H:%M}") == opens


@pytest.mark.parametrize(
    ("at", "since"),
    [
        ("Fri 2026-12-04 08:59", "closed"),
        ("Fri 2026-12-04 09:00", "Fri 2026-12-04 09:00"),
        ("Fri 2026-12-04 17:59", "Fri 2026-12-04 09:00"),
        ("Fri 2026-12-04 18:00", "closed"),
        ("Sat 2026-12-05 01:59", "Fri 2026-12-04 22:00"),
    ],
)
def test_an_open_window_knows_since_when(at: str, since: str) -> None:
    moment = datetime.strptime(at, "%a %Y-%m-%d %H:%M").replace(tzinfo=BERLIN)
    found = opened(moment, windows(OFFICE, NIGHT), BERLIN)
    assert ("closed" if found is None else f"{found.astimezone(BERLIN):%a %Y-%m-%d %H:%M}") == since


def test_without_windows_it_is_always_open() -> None:
    assert next_opening(datetime(2026, 12, 4, tzinfo=UTC), [], BERLIN) is None


def test_a_window_to_midnight_ends_with_the_day() -> None:
    evening = windows({"days": ["fri"], "from": "20:00", "to": "00:00"})
    assert next_opening(datetime(2026, 12, 4, 23, 59, tzinfo=BERLIN), evening, BERLIN) is None
    assert next_opening(datetime(2026, 12, 5, tzinfo=BERLIN), evening, BERLIN) == datetime(
        2026, 12, 11, 20, tzinfo=BERLIN
    )


def test_a_window_inside_the_skipped_hour_does_not_open_that_day() -> None:
    early = windows({"from": "02:00", "to": "02:45"})
    found = next_opening(datetime(2026, 3, 29, 0, tzinfo=BERLIN), early, BERLIN)
    assert found == datetime(2026, 3, 30, 2, tzinfo=BERLIN)


def test_a_weekly_window_that_the_clocks_skip_opens_a_week_later() -> None:
    sunday = windows({"days": ["sun"], "from": "02:00", "to": "02:45"})
    found = next_opening(datetime(2026, 3, 22, 3, tzinfo=BERLIN), sunday, BERLIN)
    assert found == datetime(2026, 4, 5, 2, tzinfo=BERLIN)


def test_a_window_into_the_repeated_hour_closes_once() -> None:
    early = windows({"from": "01:00", "to": "02:30"})
    first, second = (datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    assert next_opening(first, early, BERLIN) is None
    assert next_opening(second, early, BERLIN) == datetime(2026, 10, 26, 1, tzinfo=BERLIN)


@settings(deadline=None, max_examples=100)
@given(
    st.datetimes(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2030-01-01")),
    st.lists(
        st.tuples(st.sets(st.sampled_from(oracle.NAMES), min_size=1), st.integers(0, 95), st.integers(0, 95)).filter(
            lambda window: window[1] != window[2]
        ),
        min_size=1,
        max_size=2,
    ),
    st.sampled_from(oracle.ZONES).map(ZoneInfo),
)
def test_openings_agree_with_looking_at_every_quarter_of_an_hour(
    moment: datetime, drawn: list[tuple[set[str], int, int]], zone: ZoneInfo
) -> None:
    at = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0, tzinfo=UTC)
    clocks = [(days, *(time(q // 4, q % 4 * 15) for q in quarters)) for days, *quarters in drawn]
    written = windows(*({"days": sorted(d), "from": f"{f:%H:%M}", "to": f"{t:%H:%M}"} for d, f, t in clocks))

    def open_at(instant: datetime) -> bool:
        """Whether some window has begun, on its day, and not ended."""
        day = oracle.shown(instant, zone).date()
        for begin in (day - timedelta(days=2), day - timedelta(days=1), day, day + timedelta(days=1)):
            for days, opens, closes in clocks:
                end = begin if opens < closes else begin + timedelta(days=1)
                lower, upper = datetime.combine(begin, opens), datetime.combine(end, closes)
                if oracle.NAMES[begin.weekday()] in days and (
                    oracle.first_instant(lower, zone) <= instant < oracle.first_instant(upper, zone)
                ):
                    return True
        return False

    found = next_opening(at, written, zone)
    if found is None:
        assert open_at(at)
    else:
        assert found > at
        assert open_at(found)
        assert not open_at(found - timedelta(seconds=1))
        passed = range(0, int((found - at) / timedelta(hours=3)))
        assert not any(open_at(at + number * timedelta(hours=3)) for number in passed)
