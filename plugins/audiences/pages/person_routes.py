"""Routes about one person: `api/person…`. Who is meant stands in the body, so that no address and no log has it."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict

from audiences.campaign.common_files import load_catalog, load_settings
from audiences.connections import look_up
from audiences.pages.access import Asking
from audiences.pages.given import Text
from audiences.pages.looking import files, looking, now
from audiences.pipeline.erase import erase
from audiences.pipeline.person.erasure_report import Erasure
from audiences.pipeline.person.erasure_resources import ErasureResources
from audiences.pipeline.person.explained_user import Explanation
from audiences.project_here import project_here
from audiences.reporting.person_lookup import AskedBy, PersonFound, find_person, why

router = APIRouter(prefix="/api/person")


class Asked(BaseModel):
    """What the body of a request says; anything else in it is refused."""

    model_config = ConfigDict(extra="forbid")


class Find(Asked):
    """Who is looked for: a user's id, an e-mail address or a phone number."""

    by: AskedBy
    value: Text


class Why(Asked):
    """Whose place in which campaign is to be explained."""

    campaign: Text
    user: Text


class Erase(Asked):
    """Whom to erase, asked twice: `again` is the id once more, as somebody typed it."""

    user: Text
    again: Text


@router.post("")
def found(asking: Asking, asked: Find) -> PersonFound:
    """In which audiences the person is, since when, and in which arm of each campaign whose DAG the caller may change."""
    with looking() as (project, resources):
        may_see = asking.looker_up(project.files)
        _, catalog = load_catalog(project.root)
        person = find_person(project, resources, catalog, asked.by, asked.value.strip(), now=now(), may_see=may_see)
    return person if asking.administers else person.without_tasks()


@router.post("/why")
def explained(asking: Asking, asked: Why) -> Explanation:
    """Why the user is in or out of the campaign's audience now."""
    asking.ensure_looks_up(asked.campaign)
    explanation = why(files(), asked.campaign, asked.user, now=now(), look_up=look_up)
    if explanation is None:
        raise HTTPException(
            404, f"The campaign `{asked.campaign}` has no file that is right, so nothing can be explained."
        )
    return explanation


@router.post("/erase")
def erased(asking: Asking, asked: Erase) -> Erasure:
    """Remove the person from every audience and from the ledger; what is left to do is in the answer."""
    asking.ensure_administers()
    if asked.user != asked.again:
        raise HTTPException(422, "The two ids differ, so nobody was erased.")
    settings, (_, catalog) = load_settings(project_here()), load_catalog(project_here())
    with ErasureResources(settings, catalog, root=project_here()) as resources:
        return erase(resources, asked.user, now())
