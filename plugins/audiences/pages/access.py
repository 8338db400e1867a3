"""Who may see and do what. Airflow's own sessions, users and rights decide; this is the one module that asks Airflow for them.

| right | who has it with Airflow's usual roles | what it opens |
|---|---|---|
| a session | everybody who logged in | the pages themselves |
| to read the DAG of a campaign | viewer and above, or by DAG | the campaign, in lists and by itself |
| to change the DAG of a campaign | user and above, or by DAG | looking people up: where they are in it, and why |
| to read connections | op and above | what asks Facebook and the warehouse; where databases are, in errors |
| to change roles | admin | erasing a person |

A campaign's DAG has the campaign's id, also while its file is broken or gone and Airflow has no such DAG: the right is asked for
by that id, so nothing shows that a stranger could not see while the DAG was there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

from audiences.connections import without_places
from audiences.pages import looking
from audiences.redact import harmless
from audiences.reporting.shape import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

ShownT = TypeVar("ShownT", bound=Shown)
_SAFE: Final = frozenset({"GET", "HEAD"})
_LOOKING_UP: Final = "Looking people up needs the right to change the DAG of a campaign, as Airflow's role user has it."
_ROLES: Final = "Roles"
"""To change it is an admin's right with the FAB auth manager; other auth managers are asked about a view of this name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what they may. Raises HTTPException 403 where a right is missing."""

    user: BaseUser

    def allowed(self, campaigns: Iterable[str], method: ResourceMethod) -> frozenset[str]:
        """Of these campaigns, those whose DAG the caller may read (`GET`) or change (`PUT`)."""
        by_team: dict[str | None, set[str]] = {}
        for campaign, team in _teams(list(campaigns)).items():
            by_team.setdefault(team, set()).add(campaign)
        manager = get_auth_manager()
        return frozenset().union(
            *(
                manager.filter_authorized_dag_ids(dag_ids=ids, user=self.user, method=method, team_name=team)
                for team, ids in by_team.items()
            )
        )

    def reader(self, known: Iterable[str]) -> Callable[[str], bool]:
        """Says of a campaign whether the caller may read its DAG; the `known` ones are asked for together."""
        return self._says(known, "GET")

    def looker_up(self, known: Iterable[str]) -> Callable[[str], bool]:
        """Says of a campaign whether the caller may look people up in it. Refuses who may do so in none of the `known` ones.

        What is told of a person beyond campaigns, that the warehouse has somebody with this address, is theirs alone too.
        """
        asked = frozenset(known)
        if not self.looks_up(asked):
            raise HTTPException(403, _LOOKING_UP)
        return self._says(asked, "PUT")

    def looks_up(self, known: Iterable[str]) -> bool:
        """Whether the caller may look people up at all: may change the DAG of one of these campaigns, or is an admin."""
        return bool(self.allowed(known, "PUT")) or self.administers

    def _says(self, known: Iterable[str], method: ResourceMethod) -> Callable[[str], bool]:
        asked = frozenset(known)
        allowed = self.allowed(asked, method)
        return lambda campaign: campaign in (allowed if campaign in asked else self.allowed([campaign], method))

    def ensure_reads(self, campaign: str) -> None:
        """Refuse whoever may not read the campaign's DAG, in words that do not tell whether there is one."""
        if not self.allowed([campaign], "GET"):
            raise HTTPException(403, f"You have no right to read the DAG `{campaign}`. An Airflow admin can give it.")

    def ensure_looks_up(self, campaign: str) -> None:
        """Refuse whoever may not change the campaign's DAG, in the same way."""
        if not self.allowed([campaign], "PUT"):
            raise HTTPException(403, f"You have no right to change the DAG `{campaign}`. {_LOOKING_UP}")

    def shown(self, answer: ShownT) -> ShownT:
        """The answer as the caller may read it: where databases are is for who may read the connections.

        Names of others in it turn no direction of what stands around them.
        """
        operates = self.operates
        return answer.rewritten(lambda text: harmless(text if operates else without_places(text)))

    def told(self, error: Exception) -> str:
        """The same of an error."""
        return str(error) if self.operates else without_places(str(error))

    @property
    def operates(self) -> bool:
        """Whether the caller looks after the installation: may read its connections."""
        return bool(get_auth_manager().is_authorized_connection(method="GET", user=self.user))

    def ensure_operates(self) -> None:
        """Refuse whoever does not look after the installation."""
        if not self.operates:
            raise HTTPException(403, "This needs the right to read connections, as Airflow's role op has it.")

    @property
    def administers(self) -> bool:
        """Whether the caller is an admin."""
        if isinstance(self.user, SimpleAuthManagerUser):
            return (self.user.role or "").lower() == "admin"  # its rights to views do not tell an admin from a viewer
        manager = get_auth_manager()
        return bool(manager.is_authorized_custom_view(method="PUT", resource_name=_ROLES, user=self.user))

    def ensure_administers(self) -> None:
        """Refuse whoever is no admin."""
        if not self.administers:
            raise HTTPException(403, "Only an admin of Airflow may erase a person.")


def _teams(campaigns: list[str]) -> dict[str, str | None]:
    """The team of each, where Airflow has teams; None for the others.

    Airflow knows none of a campaign that has never had a DAG, its file being broken: that has the team of its brand's others.
    """
    if not conf.getboolean("core", "multi_team"):
        return dict.fromkeys(campaigns)
    brands = looking.files().brands
    wanted = {brands.get(campaign) for campaign in campaigns} - {None}
    of_brands = [campaign for campaign, brand in brands.items() if brand in wanted]
    known = DagModel.get_dag_id_to_team_name_mapping([*campaigns, *of_brands])
    of_brand = {brands.get(campaign): team for campaign, team in known.items()}
    of_brand.pop(None, None)
    return {campaign: known.get(campaign) or of_brand.get(brands.get(campaign)) for campaign in campaigns}


def caller(user: GetUserDep, request: Request) -> Caller:
    """Whoever has the session; without one the answer is 401."""
    request.state.caller = Caller(user)
    return Caller(user)


def asked_by(request: Request) -> Caller | None:
    """Whose request this is, for who answers it in the place of a route; None where it has not come so far."""
    found = getattr(request.state, "caller", None)
    return found if isinstance(found, Caller) else None


Asking = Annotated[Caller, Depends(caller)]
"""The caller, as a parameter of a route."""


def from_our_pages(request: Request) -> None:
    """Refuse what another site has a browser send with the caller's cookie: a POST needs JSON, and an Origin of ours.

    Behind a proxy the browser knows Airflow by the address in `[api] base_url`. A program that sends a token in the header
    `Authorization` is no browser, and need not say where it comes from.
    """
    if request.method in _SAFE:
        return
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send the body as application/json.")
    origin = request.headers.get("origin")
    if origin is None and "authorization" in request.headers:
        return
    own = {_origin(conf.get("api", "base_url", fallback="")), _origin(f"{request.url.scheme}://{request.url.netloc}")}
    if origin is None or _origin(origin) not in own - {None}:
        raise HTTPException(403, "This request does not come from Airflow's own pages.")


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port of an address; None for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
