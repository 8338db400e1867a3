"""The outcomes of a run: every qualified user ends in exactly one, and the counts add up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from audiences.errors import FailedError


@dataclass(eq=False)
class UnreconciledError(FailedError):
    """Outcome counts that do not add up; no correct run has them."""

    counts: dict[str, int]
    difference: str

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"the outcomes do not add up: {self.difference} ({figures}). This is a fault of the product; please report it"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Counts of users, in the order in which the steps decide.

    The outcomes up to `targeted` make up `qualified`; `added`, `kept` and `failed` make up `targeted`; `removed` counts
    former members, who are outside the qualified.
    """

    filtered_out: int = 0
    opted_out: int = 0
    no_identifier: int = 0
    control_system: int = 0
    control_custom: int = 0
    control_campaign: int = 0
    over_cap: int = 0
    targeted: int = 0
    added: int = 0
    kept: int = 0
    failed: int = 0
    removed: int = 0
    qualified: int = 0

    def __add__(self, other: Outcomes) -> Outcomes:
        return Outcomes(**{name: count + getattr(other, name) for name, count in self.as_dict().items()})

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)

    def check(self) -> None:
        """Raises UnreconciledError unless the counts add up."""
        decided = sum(getattr(self, name) for name in DECIDED)
        sent = self.added + self.kept + self.failed
        negative = [name for name, count in self.as_dict().items() if count < 0]
        if decided != self.qualified:
            self._refuse(f"{decided:,} users have an outcome, {self.qualified:,} qualified")
        if sent != self.targeted:
            self._refuse(f"{sent:,} users were added, kept or failed, {self.targeted:,} targeted")
        if negative:
            self._refuse(f"{' and '.join(negative)} below zero")

    def _refuse(self, difference: str) -> None:
        raise UnreconciledError(counts=self.as_dict(), difference=difference)


_NAMES = tuple(field.name for field in fields(Outcomes))
DECIDED = _NAMES[: _NAMES.index("targeted") + 1]
"""The outcomes of which every qualified user has exactly one."""
