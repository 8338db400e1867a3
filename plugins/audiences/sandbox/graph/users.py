"""Members of an audience: add, remove, replace, and removal from every audience of an account."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.audience_status import FLAGGED, operation_status, require_terms, require_value_terms
from audiences.sandbox.graph.error_table import refuse
from audiences.sandbox.graph.sessions import batch_number, close_expired, receive, session_number
from audiences.sandbox.member_sets import count
from audiences.sandbox.objects import Account, CustomAudience, SandboxSession
from audiences.sandbox.uploaded_rows import Upload, read_upload

if TYPE_CHECKING:
    from audiences.sandbox.graph.call import Call

REPLACE_LIMIT = 100_000_000


def add(call: Call) -> dict[str, Any]:
    """POST /AUDIENCE/users."""
    return _change(call, remove=False)


def remove(call: Call) -> dict[str, Any]:
    """DELETE /AUDIENCE/users. Rows that are not in count as received all the same."""
    return _change(call, remove=True)


def _change(call: Call, *, remove: bool) -> dict[str, Any]:
    audience, world = _open_for_upload(call), call.world
    upload = _upload(call, audience)
    if world.open_replace(audience):
        refuse("replace_in_progress")
    _remember_schema(audience, upload)
    session = _users_session(call, audience, upload)
    if session is None or session.closed_at is None:
        if call.keeps_rows:
            (world.remove_members if remove else world.add_members)(audience, upload.rows)
        audience.replace_failed = False
        if session is not None:
            receive(call, session, upload)
    return _answer(audience, upload, session)


def replace(call: Call) -> dict[str, Any]:
    """POST /AUDIENCE/usersreplace: batch 1 opens, alone; the rest follow in any order; the last flag makes it the audience."""
    audience, world = _open_for_upload(call), call.world
    number, sequence = session_number(call), batch_number(call)
    if number is None:
        refuse("missing_param", name="session")
    upload = _upload(call, audience)
    session = world.sessions.get((audience.id, number))
    if session is not None and session.timed_out:
        refuse("replace_timed_out")
    if session is not None and session.closed_at is not None:
        refuse("replace_finished")
    if session is None or session.kind != "replace":
        if sequence != 1:
            refuse("replace_in_progress" if world.open_replace(audience) else "replace_not_opened")
        session = _begin_replace(call, audience, upload, number)
    elif sequence == 1:
        refuse("replace_in_progress")
    elif list(upload.keys) != session.schema:
        refuse("schema_mismatch")
    _remember_schema(audience, upload)
    world.add_pending(session, upload.rows)
    receive(call, session, upload)
    if session.closed_at is not None:
        world.adopt_pending(audience, session)
        audience.replace_failed = False
    return _answer(audience, upload, session)


def _begin_replace(call: Call, audience: CustomAudience, upload: Upload, number: str) -> SandboxSession:
    world = call.world
    if world.open_replace(audience) or operation_status(world, audience)["code"] == 441:
        refuse("replace_in_progress")
    if len(world.member_set(audience.id)) >= REPLACE_LIMIT:
        refuse("replace_too_large")
    session = SandboxSession(number, audience.id, "replace", world.clock.now(), list(upload.keys))
    world.sessions[audience.id, number] = session
    return session


def remove_everywhere(call: Call) -> dict[str, Any]:
    """DELETE /act_N/usersofanyaudience: the people described leave every list audience of the account."""
    account, world = call.the(Account), call.world
    require_terms(account)
    upload = _upload(call, None)
    for audience in world.audiences.values():
        if audience.account == account.id and audience.subtype == "CUSTOM" and not audience.deleted:
            close_expired(world, audience)
            found = world.member_set(audience.id).same_people(upload.rows)
            if count(found):
                world.remove_members(audience, found)
    counts = {"num_received": upload.received, "num_invalid_entries": upload.invalid}
    return {"account_id": account.number, **counts, "invalid_entry_samples": upload.samples}


def _open_for_upload(call: Call) -> CustomAudience:
    """The audience, if uploads to it are possible at all."""
    audience = call.the(CustomAudience)
    close_expired(call.world, audience)
    account = call.world.accounts[audience.account]
    require_terms(account)
    if audience.is_value_based:
        require_value_terms(account)
    if audience.deleted:
        refuse("deleted")
    if audience.subtype != "CUSTOM":
        refuse("not_a_list", subtype=audience.subtype)
    if audience.operation_status == FLAGGED:
        refuse("flagged")
    if audience.disabled:
        refuse("disabled")
    if not audience.can_edit:
        refuse("not_shared")
    return audience


def _upload(call: Call, audience: CustomAudience | None) -> Upload:
    """The rows of the call, checked against what the audience takes."""
    upload = read_upload(call.json("payload"), over_limit=call.world.settings.over_limit, invalid=call.invalid_cells)
    call.world.log.report(call.entry, upload.findings)
    if call.only_received is not None:
        rows = upload.rows if call.keeps_rows else {}
        upload = dataclasses.replace(upload, received=min(call.only_received, upload.received), rows=rows)
    if audience is None:
        return upload
    if audience.family not in (None, upload.family):
        refuse("wrong_family", has=audience.family, got=upload.family)
    if "LOOKALIKE_VALUE" in upload.keys and not audience.is_value_based:
        refuse("value_based")
    return upload


def _remember_schema(audience: CustomAudience, upload: Upload) -> None:
    audience.family = upload.family
    audience.schema = list(upload.keys)


def _users_session(call: Call, audience: CustomAudience, upload: Upload) -> SandboxSession | None:
    """The session of an add or a removal, opened by its first batch whatever that batch's number is."""
    number = session_number(call)
    if number is None:
        return None
    opened = SandboxSession(number, audience.id, "users", call.world.clock.now(), list(upload.keys))
    return call.world.sessions.setdefault((audience.id, number), opened)


def _answer(audience: CustomAudience, upload: Upload, session: SandboxSession | None) -> dict[str, Any]:
    """Within a session `num_received` counts all of its batches so far, and a batch that came too late adds nothing."""
    head = {"audience_id": audience.id} | ({"session_id": session.id} if session else {})
    counts = {
        "num_received": session.num_received if session else upload.received,
        "num_invalid_entries": upload.invalid,
    }
    return {**head, **counts, "invalid_entry_samples": upload.samples}
