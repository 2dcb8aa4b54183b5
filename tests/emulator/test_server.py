"""Where the emulator listens, and how it ends."""

import http.client
import logging
import socket
import threading
import time

import httpx
import pytest
from harness import KEY

from nugen_pulumi.emulator import Answer, Emulator

STATUS = "/api/v3/models/undeploy-model/m-1/status"
HEADERS = {"Authorization": f"Bearer {KEY}"}


def test_it_listens_on_a_free_port_of_loopback_and_nowhere_when_it_has_ended():
    with Emulator() as emulator, Emulator() as other:
        host, port = emulator.url.removeprefix("http://").split(":")

        assert "127.0.0.1" == host
        assert emulator.url != other.url
        socket.create_connection((host, int(port))).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_it_listens_where_it_is_told_to_again_and_again_though_the_system_remembers_its_connections():
    with Emulator() as emulator:
        port = int(emulator.url.rsplit(":", 1)[1])
    for _ in range(3):
        with httpx.Client(trust_env=False) as client, Emulator(port=port) as emulator:
            assert f"http://127.0.0.1:{port}" == emulator.url
            assert 404 == client.get(emulator.url).status_code


def test_it_ends_with_its_block_whatever_ended_that_and_leaves_no_thread():
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError), Emulator():
        raise ZeroDivisionError

    assert set() == set(threading.enumerate()) - before


def test_how_the_program_logs_is_the_programs_business():
    before = [logging.getLogger(name).handlers[:] for name in ("", "uvicorn", "uvicorn.error")]
    with Emulator() as emulator:
        httpx.get(emulator.url, trust_env=False)

    assert before == [logging.getLogger(name).handlers for name in ("", "uvicorn", "uvicorn.error")]


def test_the_last_of_a_hundred_is_answered_while_the_others_never_are(emulator):
    emulator.script("m-1", *[Answer(delay=3600)] * 99, Answer(200, "at once"))
    connections = [http.client.HTTPConnection(emulator.url.removeprefix("http://")) for _ in range(100)]
    for number, connection in enumerate(connections, 1):
        connection.request("GET", STATUS, headers=HEADERS)
        while len(emulator.requests) < number:
            time.sleep(0.001)

    assert connections[-1].getresponse().read() == b"at once"
    for connection in connections:
        connection.close()
