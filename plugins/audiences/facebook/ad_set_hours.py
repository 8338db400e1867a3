"""The campaign's start, end and hours pushed onto an ad set (`schedule: campaign`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from audiences.errors import FacebookAccessError
from audiences.facebook import sdk
from audiences.facebook.ad_set_targeting import AdSetChange
from audiences.facebook.answers import ScheduleAnswer
from audiences.facebook.graph_errors import ScheduleError
from audiences.facebook.values import as_integer

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.facebook.session import GraphSession
    from audiences.facebook.values import Json

_FIELDS = "id,start_time,end_time,lifetime_budget,pacing_type,adset_schedule,campaign{lifetime_budget}"
_DAY = 24 * 60
_DAY_PARTING: Final = ["day_parting"]
_STANDARD: Final = ["standard"]


@dataclass(frozen=True, slots=True, order=True)
class DayPart:
    """Hours of the week in which ads run: `days` count from 0, a Sunday; minutes from midnight, on the full hour."""

    days: tuple[int, ...]
    start_minute: int
    end_minute: int

    def as_json(self) -> Json:
        """In the ad account's time zone, as Facebook's ADVERTISER says; its default is the viewer's."""
        return {
            "start_minute": self.start_minute,
            "end_minute": self.end_minute,
            "days": list(self.days),
            "timezone_type": "ADVERTISER",
        }


@dataclass(frozen=True, slots=True)
class AdSetSchedule:
    """What an ad set should run by. None leaves the ad set's own start or end; no `parts` means all hours."""

    start: datetime | None = None
    end: datetime | None = None
    parts: tuple[DayPart, ...] = ()


def day_parts(days: tuple[int, ...], start_minute: int, end_minute: int) -> tuple[DayPart, ...]:
    """A window as Facebook takes it; one over midnight (end at or before start) becomes two, the second a day later.

    Raises ScheduleError when it does not begin and end on a full hour.
    """
    for minute in (start_minute, end_minute):
        if minute % 60 or not 0 <= minute <= _DAY:
            found = f"{minute // 60:02d}:{minute % 60:02d}"
            raise ScheduleError(found)
    ordered = tuple(sorted(set(days)))
    if start_minute < end_minute:
        return (DayPart(ordered, start_minute, end_minute),)
    evening = () if start_minute == _DAY else (DayPart(ordered, start_minute, _DAY),)
    next_days = tuple(sorted((day + 1) % 7 for day in ordered))
    return (*evening, DayPart(next_days, 0, end_minute)) if end_minute else evening


def push(
    graph: GraphSession, ad_set_id: str, wanted: AdSetSchedule, *, now: datetime, dry_run: bool = False
) -> AdSetChange:
    """Bring the ad set's start, end and hours to `wanted`; writes only what differs.

    A start that has passed on either side is left alone, since Facebook refuses to move it. Raises FacebookAccessError
    when hours are wanted and the ad set has no lifetime budget with an end.
    """
    action = f"read the schedule of ad set {ad_set_id}"
    found = graph.get(ad_set_id, {"fields": _FIELDS}, action=action, reads=ScheduleAnswer)
    params = changes(found, wanted, now=now)
    if not params:
        return AdSetChange(ad_set_id, changed=False)
    if wanted.parts:
        _ensure_lifetime_budget(found, ad_set_id, wanted)
    if dry_run:
        params["execution_options"] = ["validate_only"]
    sdk.ad_set(graph, ad_set_id).api_update(params=params)
    return AdSetChange(ad_set_id, changed=True)


def changes(found: ScheduleAnswer, wanted: AdSetSchedule, *, now: datetime) -> Json:
    """The parameters that bring the ad set from `found` to `wanted`; empty when it is there."""
    params: Json = {}
    start, end = found.start_time, found.end_time
    begun = start is not None and start <= now
    if wanted.start and wanted.start > now and not begun and wanted.start != start:
        params["start_time"] = wanted.start.isoformat()
    if wanted.end and wanted.end != end:
        params["end_time"] = wanted.end.isoformat()
    if _parts(found) != frozenset(wanted.parts):
        params["pacing_type"] = _DAY_PARTING if wanted.parts else _STANDARD
        params["adset_schedule"] = [part.as_json() for part in wanted.parts]
    return params


def _ensure_lifetime_budget(found: ScheduleAnswer, ad_set_id: str, wanted: AdSetSchedule) -> None:
    # Pacing and scheduling: hours need a lifetime budget, and a lifetime budget needs an end.
    # The budget is the ad set's own or, with a campaign budget, its Facebook campaign's.
    if not (found.lifetime_budget or found.campaign.lifetime_budget):
        what = f"ad set {ad_set_id} has no lifetime budget, and Facebook runs ads by the hour only on one"
        remedy = "Set a lifetime budget in Ads Manager, or take `windows` or `schedule: campaign` out of the campaign."
        raise FacebookAccessError(what, remedy)
    if not (wanted.end or found.end_time):
        what = f"ad set {ad_set_id} has no end, which its lifetime budget needs"
        raise FacebookAccessError(what, "Give the campaign an `end`, or set one on the ad set in Ads Manager.")


def _parts(found: ScheduleAnswer) -> frozenset[DayPart]:
    """The hours the ad set runs by now; none unless day parting is on."""
    if not isinstance(found.pacing_type, list) or _DAY_PARTING[0] not in found.pacing_type:
        return frozenset()
    entries = found.adset_schedule
    return frozenset(_part(entry) for entry in entries) if isinstance(entries, list) else frozenset()


def _part(entry: Any) -> DayPart:
    """Hours in the viewer's time zone, or in a form unknown to us, equal no hours of ours: they will be replaced."""
    if not isinstance(entry, dict) or entry.get("timezone_type") != "ADVERTISER":
        return DayPart((), 0, 0)
    days = entry.get("days")
    return DayPart(
        days=tuple(sorted(as_integer(day) or 0 for day in days)) if isinstance(days, list) else (),
        start_minute=as_integer(entry.get("start_minute")) or 0,
        end_minute=as_integer(entry.get("end_minute")) or 0,
    )
