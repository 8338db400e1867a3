"""What a fresh sandbox contains: an ad account with a token, an empty customer list, two ad sets with real-looking targeting.

Times are Unix seconds.
"""

from __future__ import annotations

from typing import Any

from audiences.sandbox.objects import AccessToken, Account, AdCampaign, AdSet, CustomAudience

APP_ID = "1234567890"
APP_SECRET = "sandbox-secret"  # noqa: S105  # documented: it guards a sandbox without secrets
TOKEN = "sandbox-token"  # noqa: S105  # the same
ACCOUNT = "act_1001"
AUDIENCE = "23851234567890123"
CAMPAIGN = "23841234567890123"
AD_SETS = ("23861234567890123", "23861234567890124")

_DAY = 86_400.0


def tokens(now: float) -> list[AccessToken]:
    """The token of the account."""
    return [AccessToken(token=TOKEN, app_id=APP_ID, issued_at=_created(now))]


def accounts(now: float) -> list[Account]:
    """The ad account, older than all that is in it."""
    return [Account(id=ACCOUNT, name="Sandbox shop", created_at=_created(now) - 300 * _DAY)]


def audiences(now: float) -> list[CustomAudience]:
    """A customer list without members."""
    created = _created(now)
    return [
        CustomAudience(
            id=AUDIENCE,
            account=ACCOUNT,
            name="Existing buyers list",
            description="A customer list that was there before",
            created_at=created,
            updated_at=created,
        )
    ]


def campaigns(now: float) -> list[AdCampaign]:
    """The campaign of the ad sets."""
    created = _created(now)
    return [
        AdCampaign(id=CAMPAIGN, account=ACCOUNT, name="Always-on sales", created_at=created, updated_at=created),
    ]


def ad_sets(now: float) -> list[AdSet]:
    """One ad set with a daily and one with a lifetime budget."""
    created = _created(now)
    return [
        AdSet(
            id=AD_SETS[0],
            account=ACCOUNT,
            campaign=CAMPAIGN,
            name="Retargeting, daily budget",
            daily_budget=5_000,
            start_time=created,
            created_at=created,
            updated_at=created,
            targeting=_retargeting(),
        ),
        AdSet(
            id=AD_SETS[1],
            account=ACCOUNT,
            campaign=CAMPAIGN,
            name="Prospecting, lifetime budget",
            lifetime_budget=250_000,
            start_time=created,
            end_time=now + 120 * _DAY,
            created_at=created,
            updated_at=created,
            targeting=_prospecting(),
        ),
    ]


def _created(now: float) -> float:
    return now - 90 * _DAY


def _retargeting() -> dict[str, Any]:
    """Rich targeting, with a key in it that no client knows and that must come back as it was."""
    return {
        "age_max": 55,
        "age_min": 21,
        "genders": [2],
        "geo_locations": {
            "countries": ["DE", "IN"],
            "cities": [
                {"key": "2418779", "name": "Hamburg", "radius": 25, "distance_unit": "kilometer", "country": "DE"}
            ],
            "location_types": ["home", "recent"],
        },
        "flexible_spec": [
            {"interests": [{"id": "6003139266461", "name": "Shoes"}]},
            {"behaviors": [{"id": "6002714895372", "name": "Engaged shoppers"}]},
        ],
        "exclusions": {"interests": [{"id": "6003020834693", "name": "Second-hand goods"}]},
        "publisher_platforms": ["facebook", "instagram"],
        "facebook_positions": ["feed", "marketplace"],
        "instagram_positions": ["stream", "story", "reels"],
        "device_platforms": ["mobile"],
        "user_os": ["iOS_ver_16.0_and_above", "Android"],
        "brand_safety_content_filter_levels": ["FACEBOOK_RELAXED"],
        "targeting_relaxation_types": {"lookalike": 0, "custom_audience": 0},
        "targeting_automation": {"advantage_audience": 0},
        "contextual_moment_spec": {"moments": [{"key": "m-7", "weight": 0.25}], "mode": "ANY"},
    }


def _prospecting() -> dict[str, Any]:
    """Advantage+ targeting that excludes the existing buyers."""
    return {
        "age_max": 65,
        "age_min": 18,
        "age_range": [25, 50],
        "geo_locations": {"country_groups": ["eea"], "location_types": ["home", "recent"]},
        "excluded_custom_audiences": [{"id": AUDIENCE}],
        "locales": [5, 6],
        "targeting_automation": {"advantage_audience": 1, "individual_setting": {"age": 1, "gender": 0}},
    }
