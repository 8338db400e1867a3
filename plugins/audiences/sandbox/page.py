"""The pages for people: what the sandbox holds, what was asked of it, and who came and went in each audience."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response
from starlette.routing import Route

from audiences.sandbox import fixtures, state_json
from audiences.sandbox.graph.ad_set_rules import linked
from audiences.sandbox.graph.sessions import close_expired
from audiences.sandbox.history import number_of
from audiences.sandbox.member_sets import count, some

if TYPE_CHECKING:
    from starlette.requests import Request

    from audiences.sandbox.objects import CustomAudience
    from audiences.sandbox.request_log import LoggedRequest
    from audiences.sandbox.world import World

_FOLDER = Path(__file__).parent / "pages"
_REQUESTS_SHOWN = 30
_CHANGES_SHOWN = 40
_ASSETS = {"page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Pages:
    """The overview, a page per audience, and the style and script that both use."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters |= {"number": number, "time": clock_time, "short": short, "tone": tone}
        self._templates.filters |= {"size": count, "some": some}
        self._assets = {name: (_FOLDER / name).read_bytes() for name in _ASSETS}

    def routes(self) -> list[Route]:
        return [
            Route("/", self.overview, methods=["GET"]),
            Route("/audiences/{id}", self.audience, methods=["GET"]),
            Route("/audiences/{id}/diff", self.difference, methods=["GET"]),
            Route("/__page/{name}", self.asset, methods=["GET"]),
            Route("/favicon.ico", self.no_icon, methods=["GET"]),
        ]

    async def overview(self, request: Request) -> Response:
        world = self._world
        everything = state_json.state(world, with_members=False, with_requests=False)
        for one in everything["audiences"]:
            one["spark"] = chart(one["sizes"], world.clock.now())
        for one in everything["ad_sets"]:
            one["linked"] = [
                world.audiences[audience].name for audience in linked(one["targeting"]) if audience in world.audiences
            ]
        return self._page(
            "overview.html",
            request,
            **everything,
            requests=self._last_requests(),
            members=sum(one["size"] for one in everything["audiences"]),
            app=fixtures,
        )

    async def audience(self, request: Request) -> Response:
        found = self._world.audiences.get(request.path_params["id"])
        if found is None or found.deleted:
            return self._page("missing.html", request, id=request.path_params["id"], status=404)
        close_expired(self._world, found)
        return self._page(
            "audience.html",
            request,
            audience=state_json.audience(self._world, found, with_members=False),
            account=self._world.accounts[found.account],
            chart=chart(found.sizes, self._world.clock.now()),
            changes=self._world.history.of(found.id)[: -_CHANGES_SHOWN - 1 : -1],
            compared=self._world.history.comparisons.get(found.id),
            requests=self._last_requests(found),
            ad_sets=[one for one in self._world.ad_sets.values() if found.id in linked(one.targeting)],
        )

    async def difference(self, request: Request) -> Response:
        """Who came and went between two changes of an audience; `after` 0 is the beginning, no `until` is now."""
        found = self._world.audiences.get(request.path_params["id"])
        if found is None or found.deleted:
            return self._page("missing.html", request, id=request.path_params["id"], status=404)
        history = self._world.history
        changes = history.of(found.id)
        after, until = (number_of(request.query_params.get(name), changes) for name in ("after", "until"))
        return self._page(
            "difference.html",
            request,
            audience=found,
            changes=changes[: -_CHANGES_SHOWN - 1 : -1],
            after=after or 0,
            until=until,
            between=history.between(found.id, after=after or 0, until=until),
        )

    async def asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._assets:
            return Response(status_code=404)
        return Response(self._assets[name], media_type=_ASSETS[name], headers=_HEADERS)

    async def no_icon(self, _: Request) -> Response:
        return Response(status_code=204)

    def _last_requests(self, audience: CustomAudience | None = None) -> list[LoggedRequest]:
        newest_first = reversed(self._world.log.entries)
        kept = (entry for entry in newest_first if audience is None or entry.audience == audience.id)
        return [entry for entry, _ in zip(kept, range(_REQUESTS_SHOWN), strict=False)]

    def _page(self, template: str, request: Request, status: int = 200, **values: Any) -> Response:
        html = self._templates.get_template(template).render(
            base_url=str(request.base_url).rstrip("/"),
            now=self._world.clock.now(),
            offset=self._world.clock.offset,
            **values,
        )
        return Response(html, status, media_type="text/html", headers=_HEADERS)


def number(value: float) -> str:
    """1234567 as 1 234 567, with thin spaces that do not break."""
    return f"{value:,.0f}".replace(",", "\u202f")


def clock_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def short(value: str) -> str:
    """A hash by its two ends."""
    return value if len(value) <= 16 else f"{value[:8]}…{value[-4:]}"


def tone(status: int | None) -> str:
    """Which colour an HTTP status, an operation status or a delivery status gets."""
    if status is None or status in range(300, 400) or status in (410, 411, 412, 414, 441, 450):
        return "warn"
    return "good" if status < 300 else "bad"


def chart(sizes: list[tuple[float, int]], now: float) -> dict[str, Any]:
    """The history of a size as a stepped line in a box of 1000 by 100, with its largest value and its first time."""
    if not sizes:
        return {"line": "", "area": "", "top": 0, "since": None}
    first, top = sizes[0][0], max(size for _, size in sizes) or 1
    span = max(now - first, 1.0)
    places = [(round(1000 * (at - first) / span, 1), round(100 - 100 * size / top, 1)) for at, size in sizes]
    steps = " ".join([f"H{x} V{y}" for x, y in places[1:]] + ["H1000"])
    line = f"M0,{places[0][1]} {steps}"
    return {"line": line, "area": f"{line} V100 H0 Z", "top": max(size for _, size in sizes), "since": first}
