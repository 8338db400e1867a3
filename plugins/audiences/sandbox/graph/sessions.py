"""Upload sessions: what a call says about its session, how sessions close, and how they are listed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.error_table import GraphError, refuse
from audiences.sandbox.objects import CustomAudience

if TYPE_CHECKING:
    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.objects import SandboxSession
    from audiences.sandbox.uploaded_rows import Upload
    from audiences.sandbox.world import World

SESSION_SECONDS = 90 * 60


def session_number(call: Call) -> str | None:
    """The id of the call's session; None when it has no session. Raises 100 for anything but 1 to 2^63 - 1."""
    session = call.json("session")
    if session is None:
        return None
    number = str(session.get("session_id")) if isinstance(session, dict) else ""
    if not (number.isascii() and number.isdecimal() and len(number) < 20 and 0 < int(number) < 2**63):
        refuse("invalid_param", text="Param session[session_id] must be a positive 64-bit integer")
    return str(int(number))


def batch_number(call: Call) -> int | None:
    """The batch's place in its session; None when it says none."""
    session = call.json("session")
    number = str(session.get("batch_seq")) if isinstance(session, dict) else ""
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 20 else None


def is_last_batch(call: Call) -> bool:
    session = call.json("session")
    return isinstance(session, dict) and session.get("last_batch_flag") in (True, "true", 1, "1")


def note_upload(call: Call) -> None:
    """Write the upload's size and session into the log, also of a call that will be refused."""
    entry = call.entry
    with suppress(GraphError):
        payload = call.json("payload")
        data = payload.get("data") if isinstance(payload, dict) else None
        entry.rows = len(data) if isinstance(data, list) else 0
        entry.session, entry.batch_seq, entry.last_batch = session_number(call), batch_number(call), is_last_batch(call)


def receive(call: Call, session: SandboxSession, upload: Upload) -> None:
    """Count a batch; the one with the last flag closes the session."""
    session.num_received += upload.received
    session.num_invalid += upload.invalid
    if is_last_batch(call):
        session.closed_at = call.world.clock.now()


def close_expired(world: World, audience: CustomAudience) -> None:
    """Let time do its work: a session closes 90 minutes after its first batch.

    A replace that is cut off so leaves the audience with what had arrived and nothing more: Facebook does that too.
    """
    for session in world.sessions_of(audience):
        if session.closed_at is None and world.clock.now() >= session.opened_at + SESSION_SECONDS:
            session.closed_at = session.opened_at + SESSION_SECONDS
            session.timed_out = True
            if session.kind == "replace":
                world.adopt_pending(audience, session)
                audience.replace_failed = True


def list_of_audience(call: Call) -> dict[str, Any]:
    """GET /AUDIENCE/sessions: all values are strings, as at Facebook; a running session ends at "0" and has matched "-1"."""
    audience, wanted = call.the(CustomAudience), call.text("session_id")
    close_expired(call.world, audience)
    kept = [one for one in call.world.sessions_of(audience) if wanted in (None, one.id)]
    return {
        "data": [
            _row(one, finished=one.closed_at is not None and not call.world.settings.stuck_sessions) for one in kept
        ]
    }


def _row(session: SandboxSession, *, finished: bool) -> dict[str, str]:
    return {
        "session_id": session.id,
        "start_time": str(int(session.opened_at)),
        "end_time": str(int(session.closed_at or 0)) if finished else "0",
        "num_received": str(session.num_received),
        "num_matched": str(session.num_received - session.num_invalid) if finished else "-1",
        "num_invalid_entries": str(session.num_invalid),
        "progress": "100" if finished else "0",
        "stage": "finished" if finished else "uploading",
    }
