"""The cap's order of users."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from audiences.who.cap import rank_keys

IDS = ["1", "2", "ü'%", "", "名前"]


def test_a_rank_is_the_hash_of_the_campaign_and_the_user() -> None:
    wanted = [hashlib.sha256(f"cap:summer:{user}".encode()).digest() for user in IDS]
    assert rank_keys(pa.array(IDS), "summer").to_pylist() == wanted


def test_the_order_differs_between_campaigns_and_not_between_runs() -> None:
    first, again, other = (rank_keys(pa.array(IDS), name).to_pylist() for name in ("a", "a", "b"))
    assert first == again != other
