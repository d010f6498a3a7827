"""What `gridcase up` tells the process of each service."""

from cli.processes import told
from cli.worker import SERVICES


def test_each_service_has_a_port_of_health_of_its_own() -> None:
    environ = {"GRIDCASE_HEALTH_PORT": "9400", "PATH": "/bin"}
    ports = [told(service, environ)["GRIDCASE_HEALTH_PORT"] for service in SERVICES]
    assert ports == [str(9400 + number) for number in range(len(SERVICES))]
    assert told("edge", environ)["PATH"] == "/bin"


def test_none_or_a_free_one_stays_what_it_is() -> None:
    for given in ({}, {"GRIDCASE_HEALTH_PORT": "0"}, {"GRIDCASE_HEALTH_PORT": "-1"}):
        assert [told(service, given) for service in SERVICES] == [given] * len(SERVICES)
