from __future__ import annotations

import random

from audiences.demo.shoppers import PAYING, acts


def test_visits_are_the_same_each_time_and_about_half_of_them_are_paid_within_a_minute():
    visits = [acts(random.Random(seed)) for seed in range(400)]
    assert visits == [acts(random.Random(seed)) for seed in range(400)]
    assert {visit[0].event for visit in visits} == {"Added To Cart"}
    paid = [visit for visit in visits if len(visit) == 2]
    assert abs(len(paid) / len(visits) - PAYING) < 0.1
    assert all(bought.event == "Charged" and bought.user == cart.user and 0 < bought.at < 60 for cart, bought in paid)
    assert all(visit[0].amount >= 20 for visit in visits)  # what the sample campaign asks for
