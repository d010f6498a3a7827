"""What `gridcase up` tells the process of each service."""

import pytest

from cli.up import environ
from cli.worker import SERVICES
from kernel.settings import read


@pytest.mark.parametrize(
    ("given", "expected"), [(9000, [9000 + n for n in range(len(SERVICES))]), (-1, [-1]), (0, [0])]
)
def test_each_service_has_a_port_of_health_of_its_own(given: int, expected: list[int]) -> None:
    told = [environ(service, read({}, None, health_port=given)) for service in SERVICES]
    ports = [int(one["GRIDCASE_HEALTH_PORT"]) for one in told]
    assert ports == expected * (len(SERVICES) // len(expected))
    assert {one["GRIDCASE_DATABASE_URL"] for one in told} == {"sqlite:///.gridcase/yunxi.db"}
