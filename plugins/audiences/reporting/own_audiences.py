"""The audiences on record, by which a campaign's own is found as a run finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.known_audiences import AudienceRecord
    from audiences.ledger.run_records import RecordedCampaign


class OwnAudiences:
    """All audiences on record, read once for many campaigns."""

    def __init__(self, listed: Sequence[AudienceRecord]) -> None:
        self._by_number = {each.id: each for each in listed}
        self._by_facebook_id = {each.facebook_id: each for each in listed}
        self._created: dict[int, list[AudienceRecord]] = {}
        for each in listed:
            if each.created_for is not None:
                self._created.setdefault(each.created_for, []).append(each)

    def of(self, spec: CampaignSpec | None, recorded: RecordedCampaign | None) -> AudienceRecord | None:
        """The campaign's audience; of one whose file does not tell, that of its last run."""
        wanted = spec.campaign.what.audience if spec else None
        if wanted and wanted.update:
            return self._by_facebook_id.get(wanted.update.id)
        if recorded is None:
            return None
        if spec is None or wanted is None or wanted.create is None:
            return self._by_number.get(recorded.audience or 0)
        own = [each for each in self._created.get(recorded.id, ()) if each.ad_account == spec.account.id]
        there = [each for each in own if each.deleted_at is None] or own
        name = wanted.create.name
        return max(there, key=lambda each: (each.name == name, each.id), default=None)
