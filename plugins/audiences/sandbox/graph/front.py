"""The way of a request: read it, let a fault strike or do the work, write it down, answer with Facebook's headers."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from audiences.sandbox.faults import Fault, Target, wire_body
from audiences.sandbox.fixtures import APP_SECRET
from audiences.sandbox.graph import retired, routes
from audiences.sandbox.graph.call import MAX_BODY, Call, effective_method, read_params, split_path
from audiences.sandbox.graph.error_table import GraphError, refuse, trace_id
from audiences.sandbox.graph.fields import iso
from audiences.sandbox.graph.sessions import note_upload
from audiences.sandbox.graph.tokens import authenticate, authorise
from audiences.sandbox.objects import Account

if TYPE_CHECKING:
    from audiences.sandbox.request_log import LoggedRequest
    from audiences.sandbox.store import Store
    from audiences.sandbox.world import World

MAX_URL = 16 * 1024
JSON = "application/json; charset=UTF-8"
JSONP = "text/javascript; charset=UTF-8"
_TOO_LONG = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>414 URI Too Long</h1></body></html>"
_TOO_LARGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>413 Payload Too Large</h1></body></html>"
# A reset instead of an orderly end: the socket is told not to linger.
_NO_LINGER = struct.pack("ii", 1, 0)


class Front:
    """Answers everything under `/v26.0/` and the like."""

    def __init__(self, world: World, store: Store) -> None:
        self._world = world
        self._store = store
        self._jitter = random.Random(0)  # noqa: S311  # the spread of a delay

    async def answer(self, request: Request) -> Response:
        world, log, started = self._world, self._world.log, time.perf_counter()
        entry = log.open(at=world.clock.now(), method=request.method, path=request.url.path)
        try:
            response = await self._respond(request, entry)
            entry.status = None if response is _RESET else response.status_code
        finally:
            entry.ms = round((time.perf_counter() - started) * 1000, 3)
            log.close(entry)
            if entry.account is not None:
                world.usage.of(entry.account).milliseconds.add(world.clock.now(), entry.ms)
        return response

    async def _respond(self, request: Request, entry: LoggedRequest) -> Response:
        raw_query: bytes = request.scope["query_string"]
        entry.url_length = len(request.scope["raw_path"]) + len(raw_query) + bool(raw_query)
        entry.token_in_url = b"access_token=" in raw_query
        if entry.url_length > MAX_URL:
            return Response(_TOO_LONG, 414, media_type="text/html")
        try:
            body = await request.body()
        except ClientDisconnect:
            return _RESET
        entry.bytes = len(body)
        if len(body) > MAX_BODY:
            return Response(_TOO_LARGE, 413, media_type="text/html")
        try:
            call = await self._call(request, body, entry)
        except GraphError as error:
            return self._error(None, entry, error)
        if "payload" in call.params:
            note_upload(call)
        self._world.log.depart(entry)
        call.throttle = self._world.usage.admit(
            call.account,
            self._world.settings,
            audiences=self._audiences(call),
            write=call.method != "GET",
            now=self._world.clock.now(),
        )
        fault = self._world.faults.fire(self._target(call))
        if fault is not None:
            entry.fault = fault.kind
            self._store.save(self._world)
        await self._delay()
        return self._work(call) if fault is None else await self._suffer(call, fault, request)

    async def _call(self, request: Request, body: bytes, entry: LoggedRequest) -> Call:
        version, node, edge = split_path(request.url.path)
        params = await read_params(request, body)
        call = Call(
            world=self._world,
            entry=entry,
            method=effective_method(request.method, params),
            version=version,
            path=f"/{node}/{edge}" if edge else f"/{node}",
            node=node,
            edge=edge,
            params=params,
            presented=_presented_token(request, params),
            base_url=str(request.base_url).rstrip("/"),
            generation=self._world.generation,
            graph_object=routes.find(self._world, node),
        )
        if isinstance(call.graph_object, Account):
            call.account = call.graph_object
        elif call.graph_object is not None:
            call.account = self._world.accounts[call.graph_object.account]
        entry.method, entry.version, entry.path, entry.call = call.method, version, call.path, routes.name(call)
        entry.params = sorted(name[:40] for name in params)[:50]
        entry.retired = retired.used(call)
        entry.account = call.account.id if call.account else None
        entry.audience = node if node in self._world.audiences else None
        return call

    def _target(self, call: Call) -> Target:
        cells: frozenset[str] = frozenset()
        if self._world.faults.need_cells and "payload" in call.params:
            with suppress(GraphError):
                cells = _cells(call.json("payload"))
        return Target(call.method, call.path, call.entry.account, call.entry.audience, cells)

    async def _delay(self) -> None:
        settings = self._world.settings
        wait = settings.latency_ms + settings.jitter_ms * self._jitter.random()
        if wait > 0:
            await asyncio.sleep(wait / 1000)

    def _work(self, call: Call) -> Response:
        """What the request is about, and the answer to it."""
        try:
            if call.generation != self._world.generation:
                refuse("transient_2")
            call.token = authenticate(call, call.presented, APP_SECRET)
            retired.require_old_app(call, call.token)
            authorise(call, call.token)
            if call.throttle is not None:
                raise call.throttle
            wrapped = retired.callback(call)
            body = retired.formatted(call, routes.answer(call))
        except GraphError as error:
            return self._error(call, call.entry, error)
        finally:
            self._store.save(self._world)
        call.entry.applied = call.method != "GET"
        content = orjson.dumps(body)
        if wrapped:
            return Response(b"/**/%s(%s);" % (wrapped.encode(), content), headers=self._headers(call), media_type=JSONP)
        return Response(content, headers=self._headers(call), media_type=JSON)

    def _audiences(self, call: Call) -> int:
        return sum(one.account == call.entry.account and not one.deleted for one in self._world.audiences.values())

    def _headers(self, call: Call | None, error: GraphError | None = None) -> dict[str, str]:
        headers = {
            "facebook-api-version": call.version if call else "v27.0",
            "x-fb-trace-id": trace_id(),
            "x-fb-rev": "1",
        }
        usage = self._world.usage.headers(
            call.account if call else None,
            self._world.settings,
            audiences=self._audiences(call) if call else 0,
            now=self._world.clock.now(),
            error=error,
        )
        return headers | usage

    def _error(self, call: Call | None, entry: LoggedRequest, error: GraphError) -> Response:
        entry.code, entry.subcode = error.code, error.subcode
        return Response(orjson.dumps(error.body()), error.status, headers=self._headers(call, error), media_type=JSON)

    async def _suffer(self, call: Call, fault: Fault, request: Request) -> Response:
        if fault.kind == "invalid_rows":
            call.invalid_cells = frozenset(fault.values)
            return self._work(call)
        if fault.kind == "received":
            call.only_received, call.keeps_rows = fault.received, fault.applies
            return self._work(call)
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds if fault.seconds is not None else 5)
        done = self._work(call) if fault.applies else None
        if not fault.is_transport:
            if fault.kind == "throttle" and fault.block and call.account is not None:
                call.account.blocked_until = self._world.clock.now() + 60 * fault.minutes
            return self._error(call, call.entry, fault.error(now=iso(self._world.clock.now())))
        return await self._break(fault, done, request)

    async def _break(self, fault: Fault, done: Response | None, request: Request) -> Response:
        """Spoil the answer on its way; `done` is the good one, if the work was done."""
        if fault.kind == "hang":
            await _wait_for_disconnect(request, fault.seconds if fault.seconds is not None else 600)
        if fault.kind in ("hang", "reset_before", "reset_after"):
            _reset(request)
            return _RESET
        if fault.kind in ("html_500", "json_500") or done is None:
            status, media_type, body = wire_body(fault.kind)
            return Response(body, status, media_type=media_type)
        if fault.kind == "truncated_json":
            return Response(bytes(done.body)[: len(done.body) // 2], done.status_code, media_type=JSON)
        if fault.kind == "no_usage_headers":
            for name in ("x-business-use-case-usage", "x-app-usage", "x-ad-account-usage"):
                if name in done.headers:
                    del done.headers[name]
        return done


# Stands for "no answer": the connection is gone when it would be sent.
_RESET = Response(status_code=499)


def _presented_token(request: Request, params: dict[str, Any]) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "oauth") and token:
        return token.strip()
    value = params.get("access_token")
    return value if isinstance(value, str) else None


def _cells(payload: Any) -> frozenset[str]:
    data = payload.get("data") if isinstance(payload, dict) else None
    rows = data if isinstance(data, list) else []
    return frozenset(
        cell for row in rows for cell in (row if isinstance(row, list) else [row]) if isinstance(cell, str)
    )


async def _wait_for_disconnect(request: Request, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass


def _reset(request: Request) -> None:
    transport: asyncio.Transport = request.state.transport
    if transport.is_closing():
        return
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
