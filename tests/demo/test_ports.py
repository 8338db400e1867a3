from __future__ import annotations

import socket

from audiences.demo.ports import Ports


def test_free_port_is_taken_as_it_is(unused_port):
    ports = Ports()
    assert ports.take("Airflow", unused_port) == unused_port
    assert ports.moved == []


def test_taken_port_gives_way_to_another_and_says_so(unused_port):
    with socket.socket() as other:
        other.bind(("0.0.0.0", unused_port))
        other.listen()
        ports = Ports()
        given = ports.take("Airflow", unused_port)
    assert given > unused_port
    assert ports.moved == [("Airflow", unused_port, given)]


def test_no_port_is_given_twice(unused_port):
    ports = Ports()
    assert ports.take("one", unused_port) != ports.take("two", unused_port)
