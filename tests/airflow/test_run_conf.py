from __future__ import annotations

import pickle

import pytest

from audiences.airflow.run_conf import DISPATCHED, FORM, LIVE_FORM, RunConf, WrongConfError


@pytest.mark.parametrize("conf", [None, {}, {"dry_run": False, "full_refresh": False, "allow": []}])
def test_nothing_asked_and_the_untouched_form_are_a_plain_run(conf):
    assert RunConf.of("carts", conf, *FORM) == RunConf()


def test_what_the_form_and_the_dispatcher_send_is_understood():
    asked = RunConf.of("carts", {"dry_run": True, "allow": ["windows", "max_removal"]}, *FORM)
    assert (asked.dry_run, asked.full_refresh, asked.allow) == (True, False, {"windows", "max_removal"})
    assert RunConf.of("live", {"batch": 7, "events": 3, "try": 1}, *LIVE_FORM, *DISPATCHED).batch == 7


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ({"dryrun": True}, "unknown key `dryrun`; allowed: dry_run, full_refresh, allow; did you mean `dry_run`?"),
        ({"dry-run": True}, "did you mean `dry_run`?"),
        ({"DRY_RUN": True}, "did you mean `dry_run`?"),
        ({"dry_run": "false"}, "`dry_run` is true or false, found `false`"),
        ({"dry_run": 1}, "`dry_run` is true or false, found `1`"),
        ({"dry_run": None}, "`dry_run` is true or false, found `null`"),
        ({"allow": "windows"}, "`allow` is a list, found `windows`"),
        ({"allow": ["window"]}, "`allow` has no guard `window`"),
        ({"allow": [["windows"]]}, "`allow` has no guard a list of 1"),
        ({"allow": ["past"]}, "`allow` has no guard `past`"),
        ({"batch": 7}, "unknown key `batch`"),
        ({"limit\x1b[2J`": 1}, "unknown key `limit�[2J�`"),
    ],
)
def test_whatever_else_was_asked_for_is_refused_with_the_nearest_name(conf, said):
    with pytest.raises(WrongConfError) as caught:
        RunConf.of("carts", conf, *FORM)
    assert said in str(caught.value)
    assert "nothing was opened or sent" in str(pickle.loads(pickle.dumps(caught.value)))


def test_every_problem_is_named_at_once():
    with pytest.raises(WrongConfError) as caught:
        RunConf.of("carts", {"dryrun": True, "allow": ["window"]}, *FORM)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("batch", ["7", True, 1.5])
def test_a_batch_is_a_number(batch):
    with pytest.raises(WrongConfError, match="`batch` is the number"):
        RunConf.of("live", {"batch": batch}, *LIVE_FORM, *DISPATCHED)


def test_a_live_campaign_knows_no_full_refresh_and_the_upkeep_nothing_at_all():
    with pytest.raises(WrongConfError, match="unknown key `full_refresh`"):
        RunConf.of("live", {"full_refresh": True}, *LIVE_FORM, *DISPATCHED)
    with pytest.raises(WrongConfError, match="unknown key `dry_run`; it takes none"):
        RunConf.of("audiences_upkeep", {"dry_run": True})
