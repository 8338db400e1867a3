"""The pages as a person sees them: Airflow's real screen in a real browser, over the demo's data.

`make screenshots` keeps what the browser showed, for README and docs.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from tests.pages.front import FAILED, LIVE, Front, open_front

from audiences.demo import launched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

    from audiences.demo.postgres import Postgres

CHROMIUM = Path("/usr/bin/chromium")
IMAGES = Path(__file__).parents[2] / "docs/images"
# Without the new headless mode some machines have no fonts and no dark scheme; as root the sandbox of Chromium does not start.
ARGUMENTS = ["--headless=new", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
DESKTOP, PHONE = (1200, 660), (390, 720)
KEPT = {"audiences-light", "audiences-phone", "campaign-dark", "failed-run-light", "health-light", "person"}
"""The pictures that the documentation shows."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is not there: apt-get install chromium"),
]

LOOKS = {"light": DESKTOP, "dark": DESKTOP, "phone": PHONE}
LIST = "plugin/audiences", "ul[aria-label=Campaigns] li"
CAMPAIGN = f"dags/{launched.CAMPAIGN}/plugin/campaign", "ol[aria-label=Funnel]"
WRONG = f"dags/{FAILED}/plugin/campaign", "article"
HEALTH = "plugin/audiences/health", "section[aria-label='Live campaigns']"
PERSON = "plugin/audiences/person", "form"
_FOLLOW = """
async ([path, between]) => {
    for (const place of [between, path]) {
        history.pushState(null, "", place);
        dispatchEvent(new PopStateEvent("popstate"));
        await new Promise(resolve => setTimeout(resolve, 50));
    }
}
"""


@dataclass
class Screen:
    """A page of the browser, and what went on behind it."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def load(self, path: str, shows: str) -> None:
        """Go there as by its address, with all that belongs to it, and wait until the page has what the selector names."""
        self.page.goto(f"{self.url}/{path}")
        self.page.wait_for_selector(shows)

    def open(self, path: str, shows: str) -> None:
        """The same as a link on Airflow's own pages does it, without its scripts anew, which cost more than all else."""
        if not self.page.url.startswith(self.url):
            self.load(path, shows)
            return
        self.page.evaluate(_FOLLOW, [f"/{path}", "/plugin/nothing"])
        self.page.wait_for_selector(shows)

    def look(self, name: str) -> None:
        """Make the window as wide, and Airflow's theme as dark, as the look is."""
        width, height = LOOKS[name]
        self.page.set_viewport_size({"width": width, "height": height})
        theme = "dark" if name == "dark" else "light"
        self.page.evaluate("theme => { document.documentElement.className = theme }", theme)
        self.page.wait_for_timeout(400)  # until the colours of buttons have faded over

    def keep(self, name: str) -> None:
        """Write what is shown to docs/images, when asked to."""
        if "AUDIENCES_SCREENSHOTS" in os.environ and name in KEPT:
            IMAGES.mkdir(exist_ok=True)
            self.page.wait_for_timeout(500)
            self.page.screenshot(path=IMAGES / f"{name}.png")


@pytest.fixture(scope="module")
def front(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with open_front(tmp_path_factory.mktemp("front") / "demo", postgres) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def window(front: Front, browser: Browser) -> Iterator[Screen]:
    """The one window, so that Airflow's own scripts are fetched once."""
    context = browser.new_context(locale="en-GB", timezone_id="UTC")
    found = Screen(context.new_page(), front.server.url)
    found.page.on("console", lambda message: found.said.append(message.text) if message.type == "error" else None)
    found.page.on("pageerror", lambda error: found.said.append(str(error)))
    found.page.on("request", lambda asked: found.asked.append(asked.url))
    yield found
    context.close()


@pytest.fixture
def screen(window: Screen, front: Front) -> Screen:
    """The window, of an admin."""
    window.page.context.add_cookies([{"name": "_token", "value": front.server.token("admin"), "url": window.url}])
    window.look("light")
    window.said.clear()
    window.asked.clear()
    return window


def usable(screen: Screen) -> list[str]:
    """What keeps somebody from using our part of the page, by axe-core; and whether it is wider than the window."""
    found: list[dict[str, Any]] = Axe().run(screen.page, context="#audiences-page").response["violations"]
    serious = [
        f"{each['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    wide = screen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*serious, *([f"{wide} pixels wider than the window"] if wide > 0 else []), *screen.said]


PAGES = {"audiences": LIST, "campaign": CAMPAIGN, "failed-run": WRONG, "health": HEALTH, "person-asked": PERSON}


@pytest.mark.parametrize(("name", "path", "shows"), [(name, *page) for name, page in PAGES.items()], ids=PAGES.keys())
def test_everybody_can_use_the_pages_in_every_look(screen: Screen, name: str, path: str, shows: str) -> None:
    screen.open(path, shows)
    for look in LOOKS:
        screen.look(look)
        screen.page.locator(shows).first.evaluate("found => found.scrollIntoView({block: 'nearest'})")
        assert usable(screen) == [], look
        screen.keep(f"{name}-{look}")


def test_nothing_is_fetched_from_elsewhere(screen: Screen) -> None:
    screen.load(*LIST)
    screen.open(*CAMPAIGN)
    assert [asked for asked in screen.asked if not asked.startswith((screen.url, "data:", "blob:"))] == []


def test_campaigns_with_a_problem_come_first_with_its_remedy(screen: Screen) -> None:
    screen.open(*LIST)
    first = screen.page.locator(LIST[1]).first
    expect(first).to_contain_text("Lapsed high-value customers")
    expect(first).to_contain_text("accepts the Custom Audience terms once")


def test_the_search_finds_by_name_and_by_audience(screen: Screen) -> None:
    screen.open(*LIST)
    entries = screen.page.locator(LIST[1])
    before = entries.count()
    assert before == 5
    screen.page.get_by_label("Search campaigns").fill("Cart_Left")
    expect(entries).to_have_count(1)
    expect(entries.first).to_contain_text("cart_left")
    screen.page.get_by_label("Search campaigns").fill("nothing of this name")
    expect(screen.page.get_by_text("No campaign has “nothing of this name”")).to_be_visible()


def test_by_keyboard_from_the_list_to_the_campaign_without_loading_anew(screen: Screen) -> None:
    screen.open(*LIST)
    screen.page.evaluate("window.kept = true")
    screen.page.get_by_role("link", name="Abandoned cart, 30 days").focus()
    screen.page.keyboard.press("Enter")
    screen.page.wait_for_selector(CAMPAIGN[1])
    assert screen.page.evaluate("window.kept") is True
    assert screen.page.url.endswith(CAMPAIGN[0])


def test_the_funnel_adds_up_before_ones_eyes(screen: Screen) -> None:
    screen.open(*CAMPAIGN)
    lines = [line.replace(",", "") for line in screen.page.locator("ol[aria-label=Funnel] > li").all_inner_texts()]
    numbers = [[int(number) for number in re.findall(r"\d+", line)] for line in lines]
    qualified, targeted = (
        numbers[0][0],
        next(line[0] for line, text in zip(numbers, lines, strict=True) if "targeted" in text),
    )
    left = qualified
    for text, line in zip(lines[1:], numbers[1:], strict=True):
        if "left" in text:
            left -= line[0]
            assert left == line[1], text
    assert left == targeted
    parts = next(line for line, text in zip(numbers, lines, strict=True) if text.lstrip().startswith("="))
    assert sum(parts) == targeted


def test_another_run_shows_its_own_funnel(screen: Screen) -> None:
    screen.open(*CAMPAIGN)
    screen.page.get_by_role("button", name="Show run 1", exact=True).click()
    expect(screen.page.get_by_role("article", name="Run 1", exact=True)).to_contain_text("Run 1")


def test_a_live_run_shows_what_its_batch_held(screen: Screen) -> None:
    screen.open(f"dags/{LIVE}/plugin/campaign", "section[aria-label='What the batch held']")
    batch = screen.page.get_by_role("region", name="What the batch held")
    expect(batch).to_contain_text(
        re.compile(r"Batch \d+: [1-9][\d,]* events? of [1-9][\d,]* users?, .* after the last was due")
    )
    expect(batch).to_contain_text("exported")
    assert usable(screen) == []


def test_a_long_history_is_turned_page_by_page(screen: Screen, front: Front) -> None:
    more = "insert into audiences.run (campaign_id, external_id, config_digest, config, control_terms, as_of, assigned_at, state,"
    more += " started_at, ended_at, staging) select r.campaign_id, 'copy__' || n, config_digest, config, control_terms, as_of,"
    more += " assigned_at, 'failed', started_at, ended_at, staging from audiences.run r join audiences.campaign c"
    more += " on c.id = r.campaign_id, generate_series(1, 10) n where c.name = 'remove_buyers'"
    with psycopg.connect(front.demo.server.uri("ledger"), autocommit=True) as ledger:
        ledger.execute(more.encode())
        screen.open("dags/remove_buyers/plugin/campaign", "article")
        runs = screen.page.get_by_role("region", name="Runs", exact=True)
        buttons = runs.get_by_role("button", name="Show run")
        expect(runs).to_contain_text("1 to 10 of 11")
        expect(runs.get_by_role("button", name="Previous")).to_be_disabled()
        runs.get_by_role("button", name="Next").click()
        expect(runs).to_contain_text("11 to 11 of 11")
        expect(buttons).to_have_count(1)
        expect(runs.get_by_role("button", name="Next")).to_be_disabled()
        runs.get_by_role("button", name="Previous").click()
        expect(buttons).to_have_count(10)
        ledger.execute("delete from audiences.run where external_id like 'copy__%'")


def test_times_are_told_in_whole_units(screen: Screen) -> None:
    told = """async url => {
        const { ago, duration } = await import(url);
        const now = Date.now(), since = seconds => ago(new Date(now - 1000 * seconds).toISOString(), now);
        return [...[0, 0.9996, 59.7, 119.7, 185, 3599.7, 7800].map(duration), ...[59.7, 3599.7, 86399, 90000].map(since)];
    }"""
    assert screen.page.evaluate(told, f"{screen.url}/audiences/assets/x/format.js") == [
        *("0 s", "1 s", "1 min", "2 min", "3 min 5 s", "1 h", "2 h 10 min"),
        *("1 minute ago", "1 hour ago", "yesterday", "yesterday"),
    ]


def test_a_file_that_is_empty_is_not_said_to_be_unreadable(screen: Screen) -> None:
    def emptied(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        found["file"]["text"] = ""
        route.fulfill(response=answer, json=found)

    address = f"**/audiences/api/campaigns/{launched.CAMPAIGN}"
    screen.page.route(address, emptied)
    screen.open(*CAMPAIGN)
    expect(screen.page.get_by_role("region", name="Who, what, when")).to_contain_text("The file is empty.")
    screen.page.unroute(address)


def test_who_may_not_see_everything_is_told_so(screen: Screen, front: Front) -> None:
    screen.page.context.add_cookies([{"name": "_token", "value": front.server.token("viewer"), "url": screen.url}])
    screen.open(*HEALTH)
    for words in ("Of every audience that you may see it is known", "Every campaign that you may see has a file"):
        expect(screen.page.get_by_text(words)).to_be_visible()
    screen.open("plugin/audiences/person", "#audiences-page")
    expect(
        screen.page.get_by_text("To look people up you need the right to change the DAG of a campaign")
    ).to_be_visible()
    expect(screen.page.get_by_role("button", name="Find")).to_have_count(0)


def test_a_campaign_is_told_in_words_beside_its_file_and_what_changed_since_it_ran(screen: Screen) -> None:
    screen.open(*CAMPAIGN)
    about = screen.page.get_by_role("region", name="Who, what, when")
    expect(about).to_contain_text("are held out as this campaign's control group")
    expect(about).to_contain_text("name: Abandoned cart, 30 days")
    expect(about).to_contain_text("-description: Reminds of carts.")
    expect(about).to_contain_text("+description: Reminds people of what they left in the cart.")
    expect(screen.page.get_by_role("region", name="Goal", exact=True)).to_contain_text("95 % interval")


def test_whoever_operates_asks_facebook_and_the_warehouse_from_the_page(screen: Screen) -> None:
    screen.open(*HEALTH)
    told = screen.page.get_by_role("region", name="Notices", exact=True)
    expect(told).to_contain_text("Could not be sent by mail, connection smtp_default: SMTPConnectError")
    expect(told).to_contain_text("Not told yet")
    screen.page.get_by_role("button", name="Ask Facebook about main").click()
    account = screen.page.get_by_role("region", name="Ad account main")
    expect(account.get_by_text("Custom Audience terms")).to_be_visible(timeout=30_000)
    screen.page.get_by_role("button", name="Compare the catalog with the warehouse").click()
    expect(screen.page.get_by_text("include/warehouse.yml", exact=True)).to_be_visible(timeout=30_000)


def test_a_person_is_found_explained_and_erased_only_when_asked_twice(screen: Screen, front: Front) -> None:
    with psycopg.connect(front.demo.server.uri("ledger")) as ledger:
        (user,) = (
            ledger.execute("select user_id from audiences.member where removed_run is null limit 1").fetchone() or ()
        )
    with psycopg.connect(front.demo.server.uri("shop")) as shop:
        (email,) = shop.execute("select email from shop.users where id = %s", [user]).fetchone() or ()
    screen.open(*PERSON)
    screen.page.get_by_label("User id").fill(email)
    screen.page.get_by_role("button", name="Find").click()
    expect(screen.page.get_by_text("This is no user's id but an e-mail address")).to_be_visible()
    screen.page.get_by_label("Asked by").select_option("email")
    screen.page.get_by_role("button", name="Find").click()
    expect(screen.page.get_by_text("This is no user's id")).to_have_count(0)
    person = screen.page.get_by_role("region", name=f"User {user}")
    person.get_by_role("button", name=f"Why in or out of {launched.CAMPAIGN}").click()
    expect(person.get_by_text("targeted", exact=True)).to_be_visible(timeout=30_000)
    screen.keep("person")
    assert usable(screen) == []
    assert not any(email in asked for asked in screen.asked)
    person.get_by_role("button", name="Erase this person …").click()
    again = screen.page.get_by_role("button", name="Erase for good")
    expect(again).to_be_disabled()
    screen.page.get_by_label("Type the user's id once more:").fill(f"{user}0")
    expect(again).to_be_disabled()
    screen.page.get_by_label("Type the user's id once more:").fill(str(user))
    again.click()
    # A request that failed before has rows still, so this is not all; the page says what is left to do.
    expect(screen.page.get_by_text("run the campaign once more, then erase again")).to_be_visible(timeout=30_000)
    screen.page.get_by_role("button", name="Close").click()
    expect(screen.page.get_by_text("was erased, and is not uploaded any more")).to_be_visible(timeout=30_000)


def test_a_dag_that_is_no_campaign_says_so(screen: Screen) -> None:
    screen.open("dags/audiences_upkeep/plugin/campaign", "#audiences-page")
    expect(screen.page.locator("#audiences-page")).to_contain_text("is no campaign")
    assert [said for said in screen.said if "404" not in said] == []


def test_whose_session_is_over_is_sent_to_the_log_in(screen: Screen) -> None:
    screen.open(*LIST)
    screen.page.context.clear_cookies()
    screen.page.get_by_label("Search campaigns").fill("cart")
    screen.page.wait_for_url("**/login**")
