"""What an audience says about itself, derived from what happened to it and from the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.error_table import refuse

if TYPE_CHECKING:
    from audiences.sandbox.objects import Account, CustomAudience
    from audiences.sandbox.world import World

FLAGGED = 471
# Below this many matched people no ad set delivers.
SMALLEST_USEFUL = 100

OPERATION = {
    0: "Status not available.",
    100: "The audience has not been used for two years and will be deleted.",
    200: "Normal",
    400: "There is a warning for this audience.",
    410: "No users have been uploaded to this audience yet.",
    411: "Few of the uploaded users could be matched.",
    412: "Many entries of the last upload were invalid.",
    414: "The users of this audience are being replaced.",
    415: "The last replacement of users failed.",
    441: "We are finding people who fit your audience. You can start running ads now.",
    442: "The audience could not be filled with earlier data.",
    450: "The audience is out of date.",
    470: "The creator's account is inactive.",
    FLAGGED: "The audience may break our rules and cannot be used.",
    500: "There was an error with this audience.",
}
DELIVERY = {200: "This audience is ready for use.", 300: "Audience too small: fewer than 100 people were matched."}


def operation_status(world: World, audience: CustomAudience) -> dict[str, Any]:
    """`{code, description}`: 410 never uploaded to, 414 in a replace, 415 after one failed, 441 populating, else 200."""
    if audience.operation_status is not None:
        code = audience.operation_status
    elif world.open_replace(audience):
        code = 414
    elif audience.replace_failed:
        code = 415
    elif not audience.content_updated_at:
        code = 410
    else:
        code = 441 if world.clock.now() < audience.ready_at else 200
    return {"code": code, "description": OPERATION.get(code, "Unknown")}


def delivery_status(world: World, audience: CustomAudience) -> dict[str, Any]:
    code = audience.delivery_status or (200 if matched(world, audience) >= SMALLEST_USEFUL else 300)
    return {"code": code, "description": DELIVERY.get(code, "The audience cannot be used.")}


def matched(world: World, audience: CustomAudience) -> int:
    return round(len(world.member_set(audience.id)) * world.settings.match_rate)


def bounds(world: World, audience: CustomAudience) -> tuple[int, int]:
    """The size estimate: -1 until the first upload is processed, then 2 % around the matched members, in hundreds above 1,000."""
    if not audience.content_updated_at or (len(audience.sizes) <= 1 and world.clock.now() < audience.ready_at):
        return -1, -1
    size = matched(world, audience)
    step = 100 if size >= 1_000 else 1
    return int(size * 0.98 / step) * step, -int(-size * 1.02 // step) * step


def require_terms(account: Account) -> None:
    """Raise what Facebook answers while an account's Custom Audience terms, or its business, are missing."""
    if not account.in_business:
        refuse("not_in_business")
    if not account.tos_accepted:
        refuse(account.tos_error)


def require_value_terms(account: Account) -> None:
    """Raise what stands for missing terms of value-based audiences."""
    if not account.value_tos_accepted:
        refuse(account.value_tos_error)
