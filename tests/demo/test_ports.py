from __future__ import annotations

import socket
import sys
from contextlib import closing

import pytest

from audiences.demo.ports import Ports


@pytest.fixture
def ports():
    made = Ports()
    yield made
    made.close()


def test_free_port_is_taken_as_it_is(ports, unused_port):
    assert ports.take("Airflow", unused_port) == unused_port
    assert ports.moved == []


def test_taken_port_gives_way_to_another_and_says_so(ports, unused_port):
    with closing(socket.socket()) as other:
        other.bind(("0.0.0.0", unused_port))
        other.listen()
        given = ports.take("Airflow", unused_port)
    assert given > unused_port
    assert ports.moved == [("Airflow", unused_port, given)]


def test_no_port_is_given_twice(ports, unused_port):
    assert ports.take("one", unused_port) != ports.take("two", unused_port)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has names that all processes see and that end with them"
)
def test_a_port_on_which_another_demo_does_not_listen_yet_is_taken(ports, unused_port):
    assert ports.take("Airflow", unused_port) == unused_port
    second = Ports()
    given = second.take("Airflow", unused_port)
    second.close()
    assert given > unused_port
    assert second.moved == [("Airflow", unused_port, given)]
    ports.close()
    assert second.take("Airflow", unused_port) == unused_port
    second.close()
