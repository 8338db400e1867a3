"""What is wrong with campaign files only beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import combinations
from typing import NamedTuple
from urllib.parse import unquote

from audiences.campaign import sharing
from audiences.campaign.after import Upstream
from audiences.campaign.checks.finding import Finding, Findings
from audiences.campaign.model import Campaign
from audiences.campaign.source import Document
from audiences.campaign.spec import CampaignSpec
from audiences.campaign.wording import shown
from audiences.errors import Problem

_NAME = ("what", "audience", "create", "name")
_ID = ("what", "audience", "update", "id")


class LoadedCampaign(NamedTuple):
    """A campaign that is right in itself, and its file."""

    spec: CampaignSpec
    document: Document


def formerly_findings(stem: str, campaign: Campaign, files: Mapping[str, str]) -> Findings:
    """Former ids of the campaign `stem` that cannot be taken over; `files` are the campaign files by stem."""
    for index, old in enumerate(campaign.formerly):
        if old == stem:
            message = f"{shown(old)} is the campaign's own id; name the one that it had before"
        elif old in files:
            message = (
                f"{files[old]} is still there; the campaign {shown(old)} can be taken over when its file is gone: delete it, or "
                "leave `formerly` out"
            )
        elif old in campaign.formerly[:index]:
            message = f"names {shown(old)} more than once"
        else:
            continue
        yield Finding(("formerly", index), "not-former", message)


def problems_together(
    loaded: Mapping[str, LoadedCampaign], elsewhere: Mapping[str, LoadedCampaign] | None = None
) -> Iterator[Problem]:
    """What keeps campaigns from running because of what another file says.

    `elsewhere` are campaigns of other DAG files that these run after; what is wrong with those is not told.
    """
    yield from _name_taken(loaded.values())
    yield from _claimed_twice(loaded.values())
    yield from _undone(loaded.values())
    yield from _in_a_circle(loaded, {**(elsewhere or {}), **loaded})


def run_after_elsewhere(
    loaded: Mapping[str, LoadedCampaign], load: Callable[[str], LoadedCampaign | None]
) -> dict[str, LoadedCampaign]:
    """The campaigns that are not loaded and that those run after by id, one after the other; `load` gives None for none."""
    found: dict[str, LoadedCampaign] = {}
    following = [*loaded.values()]
    for each in following:  # grows while it is walked
        for name in {source.dag for source in _run_after(each) if source.dag} - loaded.keys() - found.keys():
            if other := load(name):
                found[name] = other
                following.append(other)
    return found


def warnings_together(loaded: Mapping[str, LoadedCampaign]) -> Iterator[Problem]:
    """What may be meant, and is worth a look."""
    for first, second in _sharing(loaded.values()):
        told = [_words(*pair) for pair in ((first, second), (second, first)) if _quarrel(*pair) == "perhaps"]
        plain = f"{first.document.file} updates the audience {_shared_id(first)} as well"
        yield second.document.problem(_ID, "shared-audience", told[0] if told else plain)
    yield from _waiting_in_vain(loaded)


def _name_taken(loaded: Iterable[LoadedCampaign]) -> Iterator[Problem]:
    """The campaigns that create an audience of a name that another one, first by file name, creates already."""
    creators: dict[str, str] = {}
    for spec, document in loaded:
        create = spec.campaign.what.audience.create
        if create and (first := creators.setdefault(create.name, document.file)) != document.file:
            message = f"the audience {shown(create.name)} is created by {first} already; choose another name"
            yield document.problem(_NAME, "audience-name-taken", message)


def _claimed_twice(loaded: Iterable[LoadedCampaign]) -> Iterator[Problem]:
    """All campaigns that claim one former id: what is taken over by the wrong one cannot be given back."""
    claims: dict[str, list[tuple[Document, int]]] = {}
    for spec, document in loaded:
        for index, old in enumerate(spec.campaign.formerly):
            claims.setdefault(old, []).append((document, index))
    for old, claimed in claims.items():
        for document, index in claimed if len(claimed) > 1 else ():
            others = " and ".join(other.file for other, _ in claimed if other is not document)
            message = f"{others} was {shown(old)} formerly as well; one campaign only can be"
            yield document.problem(("formerly", index), "claimed-twice", message)


def _undone(loaded: Iterable[LoadedCampaign]) -> Iterator[Problem]:
    """Campaigns that take out of an audience whom another one adds again; of a draft and a published one the draft is wrong."""
    for pair in _sharing(loaded):
        for taker, adder in (pair, pair[::-1]):
            if _quarrel(taker, adder) == "always":
                drafts = [each for each in pair if each.spec.campaign.status == "draft"]
                wrong = drafts[0] if len(drafts) == 1 else taker
                yield wrong.document.problem(_ID, "undoes-another", _words(taker, adder))


def _in_a_circle(loaded: Mapping[str, LoadedCampaign], every: Mapping[str, LoadedCampaign]) -> Iterator[Problem]:
    """Those that run after themselves, by way of `every` campaign: each run would lead to the next one, without an end."""
    keepers = _keepers(every)
    follows: dict[str, list[str]] = {}
    for name, each in every.items():
        named = (keepers.get(_meant(source), []) for source in _run_after(each))
        follows[name] = [other for others in named for other in others]
    for name, each in loaded.items():
        if circle := _way_back(name, follows):
            message = f"runs after itself, without an end: {' after '.join(map(shown, circle))}"
            yield each.document.problem(("when", "after"), "runs-after-itself", message)


def _keepers(loaded: Mapping[str, LoadedCampaign]) -> dict[tuple[str, str], list[str]]:
    """By what can be waited for, the campaigns whose runs bring it about; several may keep one given audience."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, each in loaded.items():
        for source in (Upstream(dag=name), Upstream(asset=each.spec.asset_uri)):
            found.setdefault(_meant(source), []).append(name)
    return found


def _meant(source: Upstream) -> tuple[str, str]:
    """What is waited for, also where its percent-encoding is another one than that of the run that updates it."""
    kind, name = source.stored
    return kind, unquote(name) if kind == "asset" else name


def _run_after(each: LoadedCampaign) -> tuple[Upstream, ...]:
    after = each.spec.campaign.when.run_after
    return after.sources if after else ()


def _waiting_in_vain(loaded: Mapping[str, LoadedCampaign]) -> Iterator[Problem]:
    """Campaigns that run after what nothing brings about: a former id, or an audience's asset in another spelling."""
    now = {old: name for name, each in loaded.items() for old in each.spec.campaign.formerly}
    assets = {_meant(source): source for source in (Upstream(asset=each.spec.asset_uri) for each in loaded.values())}
    for each in loaded.values():
        for source in _run_after(each):
            name, asset = now.get(source.dag or ""), assets.get(_meant(source))
            if name:
                message = (
                    f"never runs after {shown(source.dag)}, which is a former id: the campaign is {shown(name)} now"
                )
            elif asset and source.stored != asset.stored:
                message = (
                    f"never runs after {shown(source.asset)}: that audience's asset is written {shown(asset.asset)}"
                )
            else:
                continue
            yield each.document.problem(("when", "after"), "never-runs", message)


def _way_back(name: str, follows: Mapping[str, list[str]]) -> list[str]:
    """The campaigns by which one follows itself, with it at both ends; empty where it does not."""
    ways, seen = [[name]], {name}
    for way in ways:  # grows while it is walked, breadth first
        for other in follows[way[-1]]:
            if other == name:
                return [*way, name]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def _sharing(loaded: Iterable[LoadedCampaign]) -> Iterator[tuple[LoadedCampaign, LoadedCampaign]]:
    """Every two campaigns that update one audience, in the order of their files."""
    updaters: dict[tuple[str, str], list[LoadedCampaign]] = {}
    for each in loaded:
        if each.spec.campaign.what.audience.update:
            updaters.setdefault((each.spec.account.id, _shared_id(each)), []).append(each)
    for together in updaters.values():
        yield from combinations(together, 2)


def _quarrel(taker: LoadedCampaign, adder: LoadedCampaign) -> sharing.Quarrel | None:
    return sharing.quarrel(taker.spec.campaign, adder.spec.campaign)


def _words(taker: LoadedCampaign, adder: LoadedCampaign) -> str:
    return sharing.in_words(
        taker.spec.campaign,
        adder.spec.campaign,
        taker=taker.document.file,
        adder=adder.document.file,
        audience=f"audience {_shared_id(taker)}",
    )


def _shared_id(loaded: LoadedCampaign) -> str:
    update = loaded.spec.campaign.what.audience.update
    return update.id if update else ""
