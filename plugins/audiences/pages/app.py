"""The application behind `/audiences`: scripts, and routes that answer in JSON, all of it for whoever has a session."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from audiences.connections import without_places
from audiences.errors import AudiencesError, FixAccessError, FixConfigError, RefusedError, RetryError, WaitError
from audiences.logs import logger
from audiences.pages import access, assets, campaign_routes, health_routes, looking, person_routes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logger(__name__)
_FOR_GOOD = "private, max-age=31536000, immutable"


def application() -> FastAPI:
    """Every route needs a session; what is more, each says itself."""
    app = FastAPI(
        title="Audiences",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(access.caller), Depends(access.from_our_pages)],
    )
    app.add_exception_handler(AudiencesError, _told)
    app.add_exception_handler(RequestValidationError, _misread)
    app.middleware("http")(_private)
    app.get("/assets/{digest}/{name}")(_asset)
    app.get("/api/me")(_me)
    for routes in (campaign_routes, person_routes, health_routes):
        app.include_router(routes.router)
    return app


def _asset(digest: str, name: str) -> Response:
    body = assets.contents().get(name)
    if body is None:
        raise HTTPException(404, "There is no such script.")
    # An address of before the last deployment gives today's script, which a browser must not take for that one.
    kept = _FOR_GOOD if digest == assets.digest() else "no-store"
    kind = assets.TYPES[PurePath(name).suffix]
    return Response(body, media_type=kind, headers={"Cache-Control": kept})


def _me(asking: access.Asking) -> dict[str, object]:
    """What the pages may offer."""
    looks_up = asking.looks_up(looking.files().files)
    return {"looks_up": looks_up, "operates": asking.operates, "administers": asking.administers}


async def _private(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Answers are for this caller and this moment."""
    response = await call_next(request)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _told(request: Request, error: Exception) -> JSONResponse:
    """An error of the product says itself what happened and what to do."""
    _log.warning("%s: %s", type(error).__name__, error)
    caller = access.asked_by(request)
    detail = caller.told(error) if caller else without_places(str(error))
    return JSONResponse({"detail": detail}, status_code=_status(error))


def _status(error: Exception) -> int:
    match error:
        case WaitError():
            return 409
        case FixConfigError() | RefusedError():
            return 422
        case FixAccessError() | RetryError():
            return 503
    return 500


def _misread(_: Request, error: Exception) -> JSONResponse:
    """A request that says something else than the route asks for. What it said is not repeated: it may be an address."""
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
    return JSONResponse({"detail": said or "The request is not understood."}, status_code=422)
