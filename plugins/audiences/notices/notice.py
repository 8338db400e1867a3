"""A notice: what happened, why, and what a person does about it, in words that nobody's data is in."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal, TypeAlias

from audiences.redact import harmless, harmless_line, without_secrets

if TYPE_CHECKING:
    from audiences.campaign.notify import Condition

Kind: TypeAlias = Literal["campaign", "ad_account", "dag"]
"""What a notice is about; `dag` is one of the project's own."""
_LONGEST = 4000  # characters of a reason; Slack takes 40,000 in all, a mail more


@dataclass(frozen=True, slots=True)
class Notice:
    """A condition that holds for a `subject`: the id of a campaign, of an ad account, or of one of the project's own DAGs.

    `what` tells apart what may hold beside each other, such as the run in which a size changed. Kind, subject, condition and
    `what` are its key: it is told once until the condition is over.
    """

    kind: Kind
    condition: Condition
    subject: str
    what: str
    title: str
    reason: str
    remedy: str
    link: str | None = None

    def in_text(self) -> str:
        """The notice as plain text, title first; no name in it begins a line, hides or steers."""
        parts = (harmless_line(self.title), safe(self.reason), f"What to do: {safe(self.remedy)}", self.link or "")
        return "\n\n".join(filter(None, parts))

    def in_html(self) -> str:
        """The same as HTML, in which nothing of a file's or of Facebook's acts."""
        title, *rest = (escape(part) for part in self.in_text().split("\n\n"))
        link = f'<p><a href="{escape(self.link)}">Open in Airflow</a></p>' if self.link else ""
        paragraphs = rest[:-1] if self.link else rest
        return f"<h3>{title}</h3>{''.join(f'<p>{part}</p>' for part in paragraphs)}{link}"

    def in_slack(self) -> str:
        """The same for Slack, where only `&`, `<` and `>` act: a name can call nobody with `<!channel>`."""
        return self.in_text().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def as_json(self) -> dict[str, str | None]:
        """The same for programs."""
        return {
            "condition": self.condition,
            "kind": self.kind,
            "subject": harmless_line(self.subject),
            "what": harmless_line(self.what),
            "title": harmless_line(self.title),
            "reason": safe(self.reason),
            "remedy": safe(self.remedy),
            "link": self.link,
        }


def safe(text: str) -> str:
    """A text of a notice as it may be shown anywhere: one harmless line of some length, without secrets."""
    found = without_secrets(harmless(harmless_line(text)))
    return found if len(found) <= _LONGEST else f"{found[: _LONGEST - 1]}…"
