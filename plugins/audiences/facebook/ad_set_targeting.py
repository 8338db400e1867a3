"""Audiences in the targeting of ad sets: link, exclude, unlink, with everything else left as it is.

Facebook replaces `targeting` as a whole and has no conditional write, so each change is read, edit, write, read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from audiences.errors import FacebookAccessError, FacebookTransientError, RefusedError
from audiences.facebook import sdk
from audiences.facebook.answers import AdSetAnswer
from audiences.facebook.codes import FLAGGED
from audiences.facebook.contract import DERIVED_TARGETING_PREFIX, DEVICE_SETTING_WORD, MAX_AUDIENCES_PER_AD_SET
from audiences.facebook.graph_errors import AdSetClosedError
from audiences.logs import logger
from audiences.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.facebook.session import GraphSession
    from audiences.facebook.values import Json

_log = logger(__name__)
_TRIES = 3
_NAMED = 10
_FIELDS = "id,name,targeting,effective_status,updated_time,issues_info"
# Ad set reference: archived ones change their name or are deleted, deleted ones change their name only.
_CLOSED_STATUSES = frozenset({"ARCHIVED", "DELETED"})


class TargetingList(Enum):
    """Where an audience stands in an ad set's targeting; NOWHERE takes it out of both lists."""

    INCLUDED = "custom_audiences"
    EXCLUDED = "excluded_custom_audiences"
    NOWHERE = ""


_LISTS: Final = (TargetingList.INCLUDED.value, TargetingList.EXCLUDED.value)


@dataclass(frozen=True, slots=True)
class AdSetChange:
    """What was done to one ad set (or, after a dry run, would be). `warnings` are sentences for people."""

    ad_set_id: str
    changed: bool
    warnings: tuple[str, ...] = ()


def put(
    graph: GraphSession, ad_set_id: str, audience_id: str, place: TargetingList, *, dry_run: bool = False
) -> AdSetChange:
    """Bring the audience to `place`. Writes only when that changes something: a write restarts the ad set's learning.

    A dry run lets Facebook validate the change without making it. Raises AdSetClosedError for an archived or deleted
    ad set, RefusedError when a list is full, FacebookTransientError when another editor overwrote the change each time.
    """
    for _ in range(_TRIES):
        before = _read(graph, ad_set_id)
        targeting = with_audience(before.targeting, audience_id, place)
        if targeting is None:
            return AdSetChange(ad_set_id, changed=False, warnings=_warnings(before, place))
        _ensure_open(before, ad_set_id)
        _ensure_room(targeting, ad_set_id)
        _write_targeting(graph, ad_set_id, targeting, dry_run=dry_run)
        if dry_run:
            return AdSetChange(ad_set_id, changed=True, warnings=_warnings(before, place))
        after = _read(graph, ad_set_id)
        if with_audience(after.targeting, audience_id, place) is None:
            # By what it is now: an audience that Facebook flagged may be let in, and the ad set then has issues.
            warnings = _warnings(after, place) + _edited_meanwhile(targeting, after)
            return AdSetChange(ad_set_id, changed=True, warnings=warnings)
        _log.warning("ad set %s was overwritten by somebody else; linking again", ad_set_id)
    what = f"ad set {ad_set_id}: its targeting was overwritten by another editor {_TRIES} times"
    raise FacebookTransientError(what)


def with_audience(targeting: Json, audience_id: str, place: TargetingList) -> Json | None:
    """The targeting with the audience at `place` and in neither list else; None when it is so already.

    Other audiences and every other key stay as they are, except keys that Facebook derives on reading.
    """
    if _slots(targeting, audience_id) == ([place.value] if place is not TargetingList.NOWHERE else []):
        return None
    changed = {key: value for key, value in targeting.items() if not key.startswith(DERIVED_TARGETING_PREFIX)}
    for name in _LISTS:
        entries = _entries(targeting, name)
        others = [entry for entry in entries if _id_of(entry) != audience_id]
        wanted = [*others, {"id": audience_id}] if name == place.value else others
        if wanted != entries:
            changed[name] = wanted
    return changed


def _slots(targeting: Json, audience_id: str) -> list[str]:
    """The lists that hold the audience, once for each time that they do."""
    return [name for name in _LISTS for entry in _entries(targeting, name) if _id_of(entry) == audience_id]


def _entries(targeting: Json, name: str) -> list[Any]:
    value = targeting.get(name)
    return value if isinstance(value, list) else []


def _id_of(entry: Any) -> str:
    return str(entry.get("id")) if isinstance(entry, dict) else str(entry)


def _read(graph: GraphSession, ad_set_id: str) -> AdSetAnswer:
    # Not through the SDK: its typed objects drop the nulls inside targeting, and we must give back what we got.
    return graph.get(ad_set_id, {"fields": _FIELDS}, action=f"read ad set {ad_set_id}", reads=AdSetAnswer)


def _write_targeting(graph: GraphSession, ad_set_id: str, targeting: Json, *, dry_run: bool) -> None:
    params: Json = {"targeting": targeting}
    if dry_run:
        params["execution_options"] = ["validate_only"]
    try:
        sdk.ad_set(graph, ad_set_id).api_update(params=params)
    except FacebookAccessError as error:
        if error.subcode not in FLAGGED:
            raise
        # Facebook says so of the ad set as a whole, whichever of its audiences is meant; ours alone is checked before.
        ids = [_id_of(entry) for name in _LISTS for entry in _entries(targeting, name)]
        found = ", ".join(ids[:_NAMED]) + (" and more" if len(ids) > _NAMED else "")
        what = f"ad set {ad_set_id} was not changed, since Facebook's rules flagged an audience in it (it has {found})"
        remedy = (
            "Find the flagged one in Ads Manager, Audiences: take it out of the ad set, rename it if its name hints at health or "
            "money, or ask for a review."
        )
        raise FacebookAccessError(what, remedy, error.code, error.subcode, error.trace) from None


def _ensure_open(ad_set: AdSetAnswer, ad_set_id: str) -> None:
    if ad_set.effective_status in _CLOSED_STATUSES:
        what = f"ad set {ad_set_id} is {ad_set.effective_status.lower()} and can no longer be changed"
        raise AdSetClosedError(what, "Take it out of the campaign, or name another one.")


def _ensure_room(targeting: Json, ad_set_id: str) -> None:
    for name in _LISTS:
        found = len(_entries(targeting, name))
        if found > MAX_AUDIENCES_PER_AD_SET:
            what = f"ad set {ad_set_id} would have {found} {name}, more than the {MAX_AUDIENCES_PER_AD_SET} allowed"
            raise RefusedError(what)


def _warnings(ad_set: AdSetAnswer, place: TargetingList) -> tuple[str, ...]:
    found = []
    automation = ad_set.targeting.get("targeting_automation")
    advantage = automation.get("advantage_audience") if isinstance(automation, dict) else None
    if place is TargetingList.INCLUDED and str(advantage) == "1":
        found.append(
            f"ad set {ad_set.id} has Advantage+ audience on, so Facebook takes the audience as a suggestion and "
            "reaches other people too; switch it off in Ads Manager to reach these people only"
        )
    if place is TargetingList.INCLUDED:
        found += [
            f"ad set {ad_set.id} reaches other devices too than those it targets (`{name}` of its targeting_automation "
            "is on); switch it off in Ads Manager to reach these only"
            for name in _switched_on(automation)
            if DEVICE_SETTING_WORD in name.lower()
        ]
    if ad_set.effective_status == "WITH_ISSUES":
        issues = "; ".join(_issues(ad_set)) or "Facebook does not say which"
        found.append(f"ad set {ad_set.id} has issues and may not deliver: {issues}. See Ads Manager")
    return tuple(found)


def _switched_on(automation: Any, inside: str = "") -> Iterator[str]:
    """The settings in `targeting_automation` that are 1, those inside others as `outer.inner`."""
    for key, value in automation.items() if isinstance(automation, dict) else ():
        if isinstance(value, dict):
            yield from _switched_on(value, f"{inside}{key}.")
        elif str(value).lower() in {"1", "true"}:
            yield redact(f"{inside}{key}")


def _issues(ad_set: AdSetAnswer) -> Iterator[str]:
    listed = ad_set.issues_info
    for issue in listed if isinstance(listed, list) else ():
        words = (issue.get("error_message") or issue.get("error_summary")) if isinstance(issue, dict) else None
        if isinstance(words, str) and words:
            yield redact(words).rstrip(".")


def _edited_meanwhile(sent: Json, after: AdSetAnswer) -> tuple[str, ...]:
    """Another editor may have come between our read and our write, or after it; we can only tell and not prevent."""
    kept = {key: value for key, value in after.targeting.items() if not key.startswith(DERIVED_TARGETING_PREFIX)}
    if all(kept.get(key) == value for key, value in sent.items() if key not in _LISTS):
        return ()
    when = redact(after.updated_time)
    return (f"ad set {after.id} was edited by somebody else at the same time (last change {when}); look it over",)
