"""What we hold to be true of the Graph API: versions, limits, and every assumption Meta does not document.

When Facebook changes, this is the file to change. A comment marked "assumed" names a fact found in third-party code or
inferred, not in Meta's documentation.
"""

from __future__ import annotations

from datetime import date
from typing import Final

GRAPH_URL: Final = "https://graph.facebook.com"
# v26.0 and not v27.0, which came on 4 November 2026: v26.0 is the version of Meta's newest SDK (26.0.3), its changelog was read
# in full, and its end is not announced. v27.0 is taken where a connection names it; the calls that we make are the same in both.
API_VERSION: Final = "v26.0"

# The day from which a version no longer serves the Marketing API (version table, read on 28 November 2026).
# None: no date announced yet. Versions lived 8 to 13 months lately; an end is announced at least 90 days before.
MARKETING_API_ENDS: Final[dict[str, date | None]] = {
    "v21.0": date(2025, 9, 9),
    "v22.0": date(2026, 2, 19),
    "v23.0": date(2026, 6, 9),
    "v24.0": date(2026, 11, 10),
    "v25.0": date(2027, 2, 23),
    "v26.0": None,
    "v27.0": None,
}
VERSION_WARNING_HEADER: Final = "X-Ad-Api-Version-Warning"

# Customer file guide: at most 10,000 rows a request.
MAX_ROWS: Final = 10_000
# Customer file guide: `num_received` counts what was sent, not what matched. Assumed: an answer that counts fewer rows than
# this share of them, malformed ones included, does not say that the request was carried out.
RECEIVED_SHARE: Final = 0.9
# Ours: a list that goes on after so many pages is none. An account holds 500 customer lists, and some thousands of others.
MOST_PAGES: Final = 2_000
# Assumed, and the sandbox is built so: the members of a list are the rows as they were uploaded, and a removal takes out the rows
# that are the same, key for key. Meta says that the keys of a row are matched together, as one person, but not what becomes of a
# person who is in by another row as well. If a removal takes out the person, whoever is added under other identifiers before
# the old row is removed (`deferred` in pipeline/steps/stage_changes.py), or shares an identifier with somebody who leaves, is
# out until the next full refresh: then removals have to go first there too, and such rows to be added once more.
# Audiences overview: 500 customer list audiences an ad account.
MAX_LIST_AUDIENCES: Final = 500
# Assumed (third parties quoting the documentation): 500 included and 500 excluded audiences an ad set.
MAX_AUDIENCES_PER_AD_SET: Final = 500
# usersreplace: a session closes itself 90 minutes after its first batch.
REPLACE_WINDOW_SECONDS: Final = 90 * 60
# Ours: what a replace session may be planned to take, and what a full request is assumed to take before ten were measured.
REPLACE_BUDGET_SECONDS: Final = 60 * 60
ASSUMED_REQUEST_SECONDS: Final = 5.0
# `time_content_updated` says when the members of a list audience last changed, by Facebook's clock. Assumed: a request of ours
# moves it when it is answered, or somewhat later; while the audience is "still being filled" (441), once more when that ends.
# What is younger than these limits was somebody else's doing. Too short a limit costs a whole set sent for nothing, too long a
# one overlooks changes by hand that came right after ours.
CONTENT_SETTLES_SECONDS: Final = 60
CONTENT_FILLS_SECONDS: Final = 60 * 60
# Ours: how long the tries of a request may go on whose answer never came, or who sent it was killed.
UNANSWERED_SECONDS: Final = 15 * 60
# usersreplace: subcode of a session that has ended already.
REPLACE_ENDED: Final = 1870159

# Assumed (facebook-ruby issue 124): for some seconds after its creation an audience answers "not found". A deleted
# audience answers the same, so we ask again only a few times: 1 + 2 + 4 seconds.
LAG_TRIES: Final = 4
LAG_FIRST_WAIT_SECONDS: Final = 1.0

# Usage headers are percentages of the quota; 100 is blocked. From here on we slow down.
SLOW_DOWN_FROM_PERCENT: Final = 75.0
LONGEST_PAUSE_SECONDS: Final = 15.0
# A block that names no time: first wait, doubled with each further block, up to the hour of the sliding window.
BLOCK_FALLBACK_SECONDS: Final = 300.0
BLOCK_LONGEST_SECONDS: Final = 3600.0
# A block no longer than this is waited for in place; a longer one is raised, so that the task can give its slot back.
WAIT_IN_PLACE_SECONDS: Final = 10.0
# usersreplace, subcode 1870145: ask again after five minutes.
REPLACE_RUNNING_WAIT_SECONDS: Final = 300.0

# Marketing API rate limiting, use case `custom_audience`: calls per ad account in a sliding hour, by the app's access tier.
# 40 more for each active audience are left out, since nobody tells us how many are.
CALLS_PER_HOUR: Final = {"development_access": 5_000, "standard_access": 190_000}
# Meta's pages have had other names for the two since May 2026, the answers' headers still have these.
ACCESS_TIERS: Final = {"development_access": "limited access", "standard_access": "full access"}
# The quotas our calls count against; a spent one of another kind (insights, say) is not ours to wait for.
OUR_QUOTAS: Final = ("custom_audience", "ads_management")

# Ad set reference: what a read adds to targeting by itself. Assumed: sending these back is not wanted.
DERIVED_TARGETING_PREFIX: Final = "effective_"

# Assumed: the text of code 1 that asks for smaller pages (seen in the field; documented for heavy fields).
TOO_MUCH_DATA_TEXT: Final = "reduce the amount of data"
# Assumed: the text of code 100 for a wrong or missing proof.
WRONG_PROOF_TEXT: Final = "appsecret_proof"

# Out-of-cycle changes of 4 November 2026, all versions: an app created since may not use HTTP method override (`method` in a
# POST), multi-id requests, date formatting and JSONP, which are these parameters, nor field aliases and asynchronous batches;
# an older app may not begin to. Our calls never do, whatever the age of the app.
RETIRED_PARAMETERS: Final = frozenset({"method", "ids", "date_format", "callback"})

# Assumed: the name of the setting under `targeting_automation` by which a Sales ad set reaches other devices than those it
# targets (v27.0). Meta's blog post names none, so every key with this word in it counts.
DEVICE_SETTING_WORD: Final = "device"

TOKEN_DEBUGGER_URL: Final = "https://developers.facebook.com/tools/debug/accesstoken/"  # noqa: S105  # a page
TERMS_URL: Final = "https://business.facebook.com/ads/manage/customaudiences/tos/?act={account}"
# Assumed (third parties' instructions): the page of the value-based terms, which an ad account accepts besides the others.
VALUE_TERMS_URL: Final = "https://business.facebook.com/customaudiences/value_based/tos.php?act={account}"
