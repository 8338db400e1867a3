"""`audiences runs`: a campaign's history."""

from __future__ import annotations

from datetime import UTC, datetime

from audiences.campaign.wording import choice
from audiences.cli import runs_shown
from audiences.cli.app import AsJson, CampaignArgument, Limit, Offset, app, reading, show_found, wrong_usage


@app.command(epilog="Example: `audiences runs abandoned_cart --limit 5`")
def runs(campaign: CampaignArgument, limit: Limit = 20, offset: Offset = 0, as_json: AsJson = False) -> None:
    """List the runs of a campaign, the newest first, each in one sentence; `audiences run-detail` shows one of them.

    A campaign whose file is gone has its history still. Exit code 0, also when runs have failed; 2 when there is no such
    campaign.
    """
    from audiences.ledger import campaigns
    from audiences.reporting.names_on_record import name_on_record
    from audiences.reporting.run_history import history

    with reading() as (files, resources):
        known = campaigns.named(resources.ledger, name_on_record(files, resources.ledger, campaign))
        if known is None and campaign not in files.files:
            wrong_usage(f"no such campaign: {campaign}{choice(campaign, sorted(files.files), called='there are')}")
        found = history(files, resources.ledger, campaign, now=datetime.now(UTC), offset=offset, limit=limit)
    show_found(found, as_json, runs_shown.history)
