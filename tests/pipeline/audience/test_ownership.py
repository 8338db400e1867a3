"""Nobody's audience but ours: names that exist, marks of others, ad accounts that change, audiences that are deleted."""

from __future__ import annotations

import io

import pytest

from audiences.campaign.mark import Mark, marks_in
from audiences.cli import adopt as adopt_command
from audiences.cli.safe_console import SafeConsole
from audiences.errors import AudiencesError, FacebookAccessError
from audiences.facebook import ad_set_targeting
from audiences.ledger import known_audiences
from audiences.pipeline.audience.adopt import adopt, adoptable, what_it_does
from audiences.pipeline.audience.ownership import NotOursError, WrongAccountError
from audiences.pipeline.audience.standing import AudienceDeletedError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload import full_refresh, requests
from audiences.pipeline.upload.export import export
from audiences.pipeline.upload.full_refresh import ForeignMembersError
from audiences.sandbox import ACCOUNT, AD_SETS, AUDIENCE

pytestmark = pytest.mark.integration
STRANGERS = [{"EMAIL": letter * 64} for letter in "abc"]
OTHER_ACCOUNT = "act_2002"
OTHER_LEDGER = "0123456789ab"


@pytest.fixture
def three(shop):
    """Three users with a cart, and a second ad account."""
    shop.sandbox.admin.put_account(id=OTHER_ACCOUNT)
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    return shop


def members_wanted(shop):
    return {shop.row_of(f"user{number}@example.com", None) for number in range(1, 4)}


def put(shop, *, description="", account=ACCOUNT, name="carts"):
    """An audience with three members that nobody of ours put there."""
    return shop.sandbox.admin.put_audience(account=account, name=name, description=description, members=STRANGERS)["id"]


def at_facebook(shop, audience):
    return shop.sandbox.admin.audience(audience)


def strangers_are_in(shop, audience):
    return len(shop.members(audience)) == len(STRANGERS) and shop.uploads() == []


def changes(shop):
    """The requests at Facebook that were no reads."""
    return [entry["path"] for entry in shop.sandbox.admin.requests() if entry["method"] != "GET"]


def identity(shop):
    return shop.sql("select id::text from audiences.identity", on="ledger")[0][0]


def marks(shop, audience):
    return marks_in(at_facebook(shop, audience)["description"])


def in_doubt(shop, audience):
    return shop.sql("select in_doubt from audiences.audience where facebook_id = %s", audience, on="ledger")[0][0]


def said(raised):
    return str(raised.value)


# A name that exists.


@pytest.mark.parametrize("what", [{}, {"refresh": "replace"}], ids=["difference", "replace"])
@pytest.mark.parametrize("full_refresh", [False, True], ids=["", "full refresh"])
def test_an_audience_of_this_name_that_is_not_ours_stops_the_run_before_anything_is_sent(three, what, full_refresh):
    theirs = put(three, description="made by hand")
    spec = three.campaign(what={**what, "guards": {"max_removal": 100}})
    with pytest.raises(NotOursError) as raised:
        three.run(spec, full_refresh=full_refresh)
    assert (
        f"an audience of this name exists in the ad account (id {theirs}): choose another name, or name it under `update.id`"
        in said(raised)
    )
    assert "Nothing was sent" in said(raised)
    assert strangers_are_in(three, theirs)
    assert [path for path in changes(three) if not path.endswith("debug_token")] == []
    assert three.sql("select state, error from audiences.run", on="ledger") == [("failed", said(raised))]
    assert three.preview(spec).stopped == said(raised)


def test_two_audiences_of_this_name_are_both_named(three):
    ids = {put(three), put(three)}
    with pytest.raises(NotOursError, match="2 audiences of this name exist") as raised:
        three.run(three.campaign())
    assert all(one in said(raised) for one in ids)


def test_a_name_that_differs_or_stands_in_another_account_is_free(three):
    put(three, name="Carts")
    put(three, account=OTHER_ACCOUNT)
    assert three.run(three.campaign()).state == "success"


def test_a_preview_asks_before_the_ledger_was_ever_used_and_only_reads(three):
    three.never_migrated()
    spec = three.campaign()
    assert three.preview(spec).stopped is None
    put(three)
    found = three.preview(spec)
    assert "an audience of this name exists" in found.stopped
    assert found.would_be == f"stopped: {found.stopped}"
    assert f"would be stopped: {found.stopped}" in found.in_words()
    assert changes(three) == []
    assert three.sql("select to_regnamespace('audiences')", on="ledger") == [(None,)]


def test_a_preview_goes_on_with_a_warning_when_facebook_cannot_be_asked(three):
    three.sandbox.admin.add_fault("html_500", times=None)
    found = three.preview(three.campaign())
    assert (found.stopped, found.outcomes["targeted"]) == (None, 3)
    assert "Facebook could not be asked about the audience" in found.warnings[0]


# The mark.


def test_what_we_create_carries_the_campaign_and_the_ledger(three):
    spec = three.campaign(what={"audience": {"create": {"name": "Carts", "description": "To buy"}}})
    audience = three.run(spec).audience.id
    assert at_facebook(three, audience)["description"] == f"To buy [audiences:carts@{identity(three)[-12:]}]"


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (f"[audiences:carts@{OTHER_LEDGER}]", "belongs to the campaign `carts` of another ledger"),
        ("[audiences:carts]", "by an earlier version, and this ledger does not know it"),
        ("[audiences:baskets]", "was made for a campaign `baskets` by an earlier version"),
        (f"[audiences:baskets@{OTHER_LEDGER}]", "belongs to the campaign `baskets` of another ledger"),
    ],
    ids=["another ledger's", "an earlier version's", "an earlier version's other", "another ledger's other"],
)
def test_a_foreign_mark_is_refused_with_the_way_out(three, mark, words):
    theirs = put(three, description=f"Theirs {mark}")
    spec = three.campaign(what={"refresh": "replace"})
    with pytest.raises(NotOursError, match=words) as raised:
        three.run(spec)
    assert theirs in said(raised)
    assert "`audiences adopt carts`" in said(raised)
    assert strangers_are_in(three, theirs)
    assert three.preview(spec).stopped == said(raised)


def test_an_audience_of_another_campaign_of_this_ledger_is_refused_with_its_name(three):
    three.run(three.campaign("old", what={"audience": {"create": {"name": "Carts"}}}))
    with pytest.raises(NotOursError, match="belongs to the campaign `old` of this ledger") as raised:
        three.run(three.campaign("new", what={"audience": {"create": {"name": "Carts"}}}))
    assert "`formerly: old`" in said(raised)


def test_two_projects_with_one_campaign_id_keep_to_an_audience_each(three):
    theirs = put(three, name="Carts of dev", description=f"[audiences:carts@{OTHER_LEDGER}]")
    audience = three.run(three.campaign()).audience.id
    assert audience != theirs
    assert len(three.members(theirs)) == 3


def test_an_audience_that_another_ledger_has_taken_over_is_left_alone(three):
    spec = three.campaign()
    audience = three.run(spec).audience.id
    three.sandbox.admin.put_audience(id=audience, description=f"[audiences:carts@{OTHER_LEDGER}]")
    three.sql("delete from events where user_id = 1")
    with pytest.raises(NotOursError, match="of another ledger"):
        three.run(spec)
    assert len(three.members(audience)) == 3


def as_before(shop, audience, *, mark="[audiences:carts]"):
    """The audience as the version before left it, at Facebook and on record."""
    shop.sandbox.admin.put_audience(id=audience, description=f"To buy {mark}".strip())
    shop.sql("update audiences.audience set mark = null", on="ledger")


def test_an_audience_of_the_version_before_that_is_on_record_is_marked_anew(three):
    spec = three.campaign(what={"audience": {"create": {"name": "carts", "description": "To buy"}}})
    audience = three.run(spec).audience.id
    as_before(three, audience)
    assert three.run(spec).requests == 0
    assert marks(three, audience) == [Mark.of("carts", identity(three))]
    assert in_doubt(three, audience) is None


def test_an_audience_that_the_version_before_took_over_by_its_name_is_not_ours(three):
    spec = three.campaign()
    audience = three.run(spec).audience.id
    as_before(three, audience, mark="")
    with pytest.raises(NotOursError, match="may hold members that others put there") as raised:
        three.run(spec, full_refresh=True)
    assert "`audiences adopt carts`" in said(raised)


def test_a_mark_that_a_person_removed_is_put_back(three):
    spec = three.campaign()
    audience = three.run(spec).audience.id
    three.sandbox.admin.put_audience(id=audience, description="tidied up")
    assert three.run(spec).state == "success"
    assert marks(three, audience) == [Mark.of("carts", identity(three))]


def test_an_audience_with_our_mark_that_is_not_on_record_is_taken_and_made_right(three):
    spec = three.campaign()
    audience = three.run(spec).audience.id
    for table in ("member", "chunk", "mapping", "run", "audience"):
        three.sql(f"delete from audiences.{table}", on="ledger")
    three.sandbox.admin.put_audience(id=audience, members=STRANGERS)
    assert three.preview(spec).stopped is None
    summary = three.run(spec)
    assert (summary.audience.id, three.members(audience)) == (audience, members_wanted(three))
    assert "this ledger had no record of it, though it made it" in str(summary.warnings)
    assert in_doubt(three, audience) is None


def test_an_audience_marked_with_a_former_id_is_found_by_a_ledger_that_does_not_know_it(three):
    what = {"audience": {"create": {"name": "carts"}}}
    audience = three.run(three.campaign("old", what=what)).audience.id
    for table in ("member", "chunk", "mapping", "run", "audience", "assignment", "campaign"):
        three.sql(f"delete from audiences.{table}", on="ledger")
    new = three.campaign("new", what=what)
    with pytest.raises(NotOursError, match="write `formerly: old`"):
        three.run(new)
    renamed = new.model_copy(update={"campaign": new.campaign.model_copy(update={"formerly": ("old",)})})
    summary = three.run(renamed)
    assert (summary.audience.id, three.members(audience)) == (audience, members_wanted(three))
    assert "though it made it" in str(summary.warnings)
    assert marks(three, audience) == [Mark.of("new", identity(three))]


def test_a_creation_whose_answer_was_lost_is_not_in_doubt(three):
    three.sandbox.admin.add_fault("reset_after", method="POST", path="/act_1001/customaudiences")
    audience = three.run(three.campaign()).audience.id
    assert in_doubt(three, audience) is None
    assert three.members(audience) == members_wanted(three)


# What the file says of the audience.


def test_an_edited_description_reaches_facebook_once(three):
    three.run(three.campaign())
    spec = three.campaign(what={"audience": {"create": {"name": "carts", "description": "Did not buy"}}})
    audience = three.run(spec).audience.id
    assert at_facebook(three, audience)["description"].startswith("Did not buy [audiences:carts@")
    before = changes(three)
    three.run(spec)
    assert changes(three) == before


def test_an_edited_name_renames_the_audience_and_one_edited_by_a_person_stays(three):
    audience = three.run(three.campaign()).audience.id
    three.sandbox.admin.put_audience(id=audience, name="By hand")
    three.run(three.campaign())
    assert at_facebook(three, audience)["name"] == "By hand"
    again = three.run(three.campaign(what={"audience": {"create": {"name": "Baskets"}}}))
    assert (again.audience.id, at_facebook(three, audience)["name"]) == (audience, "Baskets")
    put(three, name="Taken")
    with pytest.raises(NotOursError, match="`Taken`: an audience of this name exists"):
        three.run(three.campaign(what={"audience": {"create": {"name": "Taken"}}}))


def test_a_name_that_a_person_gave_the_audience_before_the_file_did_is_free_for_it(three):
    audience = three.run(three.campaign()).audience.id
    three.sandbox.admin.put_audience(id=audience, name="Baskets")
    again = three.run(three.campaign(what={"audience": {"create": {"name": "Baskets"}}}))
    assert (again.audience.id, at_facebook(three, audience)["name"]) == (audience, "Baskets")


# An audience that is given.


@pytest.mark.parametrize("full_refresh", [False, True])
def test_members_of_a_given_audience_are_never_replaced(three, full_refresh):
    three.sandbox.admin.put_audience(id=AUDIENCE, members=STRANGERS)
    what = {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}
    what |= {} if full_refresh else {"refresh": "replace"}
    spec = three.campaign(what=what)
    with pytest.raises(ForeignMembersError, match="members that others put there") as raised:
        three.run(spec, full_refresh=full_refresh)
    assert "`audiences adopt carts`" in said(raised)
    assert strangers_are_in(three, AUDIENCE)
    assert three.preview(spec, full_refresh=full_refresh).stopped == said(raised)


def test_a_given_audience_that_another_ledger_has_marked_is_refused(three):
    three.sandbox.admin.put_audience(id=AUDIENCE, description=f"[audiences:carts@{OTHER_LEDGER}]")
    with pytest.raises(NotOursError, match="of another ledger"):
        three.run(three.campaign(what={"audience": {"update": {"id": AUDIENCE, "action": "add"}}}))


@pytest.mark.parametrize("known", [False, True], ids=["at first", "after runs"])
def test_a_given_audience_of_another_account_stops_the_run_and_names_both(three, known):
    spec = three.campaign(what={"audience": {"update": {"id": AUDIENCE, "action": "add"}}})
    if known:
        three.run(spec)
    moved = spec.model_copy(update={"account": spec.account.model_copy(update={"id": OTHER_ACCOUNT})})
    before = len(three.uploads())
    with pytest.raises(WrongAccountError) as raised:
        three.run(moved)
    assert said(raised).startswith(
        f"audience {AUDIENCE} belongs to ad account {ACCOUNT}, and the campaign to {OTHER_ACCOUNT} (`ad_account: main`)."
    )
    assert len(three.uploads()) == before
    assert three.preview(moved).stopped == said(raised)


# An ad account that changes.


def test_another_ad_account_gets_an_audience_of_its_own_and_the_old_one_is_named(three):
    spec = three.campaign()
    old = three.run(spec).audience.id
    moved = spec.model_copy(update={"account": spec.account.model_copy(update={"id": OTHER_ACCOUNT})})
    summary = three.run(moved)
    assert summary.audience.id != old
    assert at_facebook(three, summary.audience.id)["account"] == OTHER_ACCOUNT
    assert three.members(summary.audience.id) == members_wanted(three)
    (warning,) = summary.warnings
    assert f"3 of its members are still in audience {old} `carts` of ad account {ACCOUNT}" in warning
    assert three.run(moved).audience.id == summary.audience.id
    back = three.run(spec)
    assert back.audience.id == old


def test_an_audience_that_was_left_behind_is_told_of_until_somebody_deletes_it(three):
    spec = three.campaign()
    old = three.run(spec).audience.id
    moved = spec.model_copy(update={"account": spec.account.model_copy(update={"id": OTHER_ACCOUNT})})
    three.run(moved)
    delete(three, spec, old)
    three.sandbox.admin.add_fault("permission", path=f"/{ACCOUNT}/customaudiences", times=None)
    assert f"are still in audience {old}" in str(three.run(moved).warnings)
    three.sandbox.admin.clear_faults()
    assert three.preview(moved).warnings == ()
    assert (three.run(moved).warnings, three.run(moved).warnings) == ((), ())
    held = "select count(*) from audiences.member m join audiences.audience a on a.id = m.audience_id"
    assert three.sql(f"{held} where facebook_id = %s and removed_run is null", old, on="ledger") == [(0,)]
    back = three.run(spec)
    assert (back.audience.id != old, three.members(back.audience.id)) == (True, members_wanted(three))


# An audience that was deleted.


def delete(shop, spec, audience):
    with shop.resources(spec) as resources:
        resources.facebook.call("DELETE", audience, action="delete by hand")


def test_a_deleted_audience_stops_the_run_and_is_made_anew_once_allowed(three):
    spec = three.campaign()
    old = three.run(spec).audience.id
    delete(three, spec, old)
    with pytest.raises(AudienceDeletedError, match="somebody deleted it in Ads Manager") as raised:
        three.run(spec)
    assert f"audience {old} `carts` is no longer in ad account {ACCOUNT}" in said(raised)
    assert "`audiences run carts --allow recreate`" in said(raised)
    assert three.sql("select state from audiences.run order by id desc limit 1", on="ledger") == [("stopped",)]
    assert three.preview(spec).stopped == said(raised)
    summary = three.run(spec, allow=frozenset({"recreate"}))
    assert (summary.state, summary.outcomes["added"], summary.audience.members) == ("success", 3, 3)
    assert summary.audience.id != old
    assert three.members(summary.audience.id) == members_wanted(three)
    again = three.run(spec)
    assert (again.state, again.outcomes["kept"], again.requests, again.warnings) == ("success", 3, 0, ())


def test_members_who_only_ever_come_go_on_in_the_audience_that_is_made_anew(three):
    spec = three.campaign(what={"audience": {"create": {"name": "carts", "action": "add"}}})
    old = three.run(spec).audience.id
    three.sql("delete from events where user_id = 1")
    delete(three, spec, old)
    new = three.run(spec, allow=frozenset({"recreate"})).audience.id
    assert three.members(new) == members_wanted(three)
    assert three.sql("select count(*) from audiences.member where removed_run is null", on="ledger") == [(3,)]
    assert in_doubt(three, new) is None


def test_a_crash_while_a_deleted_audience_is_made_anew_loses_nobody(three, monkeypatch):
    spec = three.campaign(what={"audience": {"create": {"name": "carts", "action": "add"}}})
    old = three.run(spec).audience.id
    three.sql("delete from events where user_id = 1")
    delete(three, spec, old)
    with monkeypatch.context() as patch:
        patch.setattr(known_audiences, "replaced", killed)
        with pytest.raises(KeyboardInterrupt):
            three.run(spec, allow=frozenset({"recreate"}))
    with pytest.raises(AudienceDeletedError):
        three.run(spec)
    new = three.run(spec, allow=frozenset({"recreate"})).audience.id
    assert three.members(new) == members_wanted(three)
    assert three.run(spec).warnings == ()


def killed(*_, **__):
    raise KeyboardInterrupt


def test_a_deleted_audience_may_be_deleted_again(three):
    spec = three.campaign()
    made = set()
    for _ in range(3):
        made.add(three.run(spec, allow=frozenset({"recreate"})).audience.id)
        delete(three, spec, max(made))
        with pytest.raises(AudienceDeletedError, match=max(made)):
            three.run(spec)
    assert three.preview(spec, allow=frozenset({"recreate"})).stopped is None
    summary = three.run(spec, allow=frozenset({"recreate"}))
    assert (len(made), three.members(summary.audience.id), summary.warnings) == (3, members_wanted(three), ())


@pytest.mark.parametrize("linked_by_a_person", [False, True])
def test_the_ad_sets_of_a_deleted_audience_get_the_one_that_is_made_anew(three, linked_by_a_person):
    spec = three.campaign(what={"ad_sets": [AD_SETS[0]]})
    if linked_by_a_person:
        old = three.run(three.campaign()).audience.id
        with three.resources(spec) as resources:
            ad_set_targeting.put(resources.facebook, AD_SETS[0], old, ad_set_targeting.TargetingList.INCLUDED)
    old = three.run(spec).audience.id
    delete(three, spec, old)
    summary = three.run(spec, allow=frozenset({"recreate"}))
    assert summary.state == "success", summary.error
    (found,) = [one for one in three.sandbox.admin.state(members=False)["ad_sets"] if one["id"] == AD_SETS[0]]
    assert found["targeting"]["custom_audiences"] == [{"id": summary.audience.id}]


def test_recreate_of_an_audience_that_is_there_changes_nothing(three):
    spec = three.campaign()
    audience = three.run(spec).audience.id
    again = three.run(spec, allow=frozenset({"recreate"}))
    assert (again.audience.id, again.requests) == (audience, 0)


def test_a_given_audience_that_was_deleted_is_said_to_be_and_not_made_anew(three):
    spec = three.campaign(what={"audience": {"update": {"id": AUDIENCE, "action": "add"}}})
    three.run(spec)
    delete(three, spec, AUDIENCE)
    with pytest.raises(FacebookAccessError, match="is no longer in ad account") as raised:
        three.run(spec, allow=frozenset({"recreate"}))
    assert "name another one under `what.audience.update.id`" in said(raised)
    assert "`update.id`) is no longer in ad account" in three.preview(spec).stopped


# Adopting.


def adopted(shop, spec):
    with shop.resources(spec) as resources:
        found = adoptable(resources)
        return found and adopt(resources, found, shop.now)


@pytest.mark.parametrize(
    "description",
    ["by hand", f"Theirs [audiences:carts@{OTHER_LEDGER}]", "[audiences:carts]", "[audiences:baskets]"],
    ids=["unmarked", "another ledger's", "an earlier version's", "another campaign's"],
)
def test_an_adopted_audience_is_ours_marked_and_in_doubt(three, description):
    theirs = put(three, description=description)
    spec = three.campaign()
    done = adopted(three, spec)
    assert (done.audience, done.mark) == (theirs, str(Mark.of("carts", identity(three))))
    assert marks(three, theirs) == [Mark.of("carts", identity(three))]
    assert "it was adopted" in in_doubt(three, theirs)
    assert strangers_are_in(three, theirs)
    summary = three.run(spec)
    assert (summary.state, summary.audience.id, in_doubt(three, theirs)) == ("success", theirs, None)
    assert three.members(theirs) == members_wanted(three)
    assert adopted(three, spec) is None


def test_the_question_before_an_adoption_is_one_line_whatever_the_audience_is_called(three):
    name = "carts\n2026-11-29 [ERROR] forged \x1b[2J\u202e\u2028 [/bold]"
    put(three, name=name)
    with three.resources(three.campaign(what={"audience": {"create": {"name": name}}})) as resources:
        found = adoptable(resources)
        asked = what_it_does(resources, found)
        done = adopt(resources, found, three.now)
    assert "`carts 2026-11-29 [ERROR] forged �[2J�  [/bold]`" in asked
    assert len(asked.splitlines()) == 1
    written = io.StringIO()
    adopt_command._adoption(SafeConsole(file=written, width=10_000), done)
    assert len(written.getvalue().splitlines()) == 1
    assert "[/bold] is the campaign's own now" in written.getvalue()


def test_a_given_audience_that_was_adopted_may_be_replaced(three):
    three.sandbox.admin.put_audience(id=AUDIENCE, members=STRANGERS)
    spec = three.campaign(what={"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}, "refresh": "replace"})
    adopted(three, spec)
    assert at_facebook(three, AUDIENCE)["description"].startswith(
        "A customer list that was there before [audiences:carts@"
    )
    three.run(spec)
    assert three.members(AUDIENCE) == members_wanted(three)


def test_adopting_from_another_campaign_of_this_ledger_ends_its_memberships(three):
    three.user(9, "charged@example.com")
    three.event(9, "Charged")
    what = {"audience": {"create": {"name": "carts"}}}
    old = three.run(three.campaign("old", who={"did": {"event": "Charged"}}, what=what)).audience.id
    spec = three.campaign("new", what={**what, "guards": {"max_removal": 100}})
    assert adopted(three, spec).audience == old
    three.run(spec)
    assert three.members(old) == members_wanted(three)


@pytest.mark.parametrize("whole_set", [False, True])
def test_adopting_from_another_campaign_brings_back_nobody_of_an_upload_of_its_that_broke_off(
    three, whole_set, monkeypatch
):
    monkeypatch.setattr(requests, "MAX_ROWS", 1)
    for user in (8, 9):
        three.user(user, f"charged{user}@example.com")
        three.event(user, "Charged")
    what = {"audience": {"create": {"name": "carts"}}}
    old = three.campaign("old", who={"did": {"event": "Charged"}}, what=what)
    kind, fault = ("replace", "expired_token") if whole_set else ("", "reset_after")
    three.sandbox.admin.add_fault(fault, path=f"*/users{kind}", method="POST", after=int(whole_set), times=None)
    with three.resources(old) as resources:
        run = open_run(resources, RunRequest(external_id="broke off", at=three.now, full_refresh=whole_set))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        with pytest.raises(AudiencesError):
            full_refresh.send(resources, run) if whole_set else export(resources, run, "add")
    three.sandbox.admin.clear_faults()
    three.sql("update audiences.audience set busy_campaign = null, busy_until = null", on="ledger")
    three.sql("update audiences.run set state = 'failed', ended_at = now()", on="ledger")
    spec = three.campaign("new", what={**what, "guards": {"max_removal": 100}})
    assert adopted(three, spec).audience == run.facebook_id
    assert three.run(spec).state == "success"
    assert three.members(run.facebook_id) == members_wanted(three)


def test_there_is_nothing_to_adopt_where_a_run_would_create_and_several_are_not_guessed(three):
    assert adopted(three, three.campaign()) is None
    put(three)
    put(three)
    with pytest.raises(NotOursError, match="2 audiences of this name"):
        adopted(three, three.campaign())
