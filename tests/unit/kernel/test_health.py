import asyncio

import pytest

from kernel.health import Condition, Health, PortTaken, Watchdog, listening


def health(*, ready: bool = True) -> Health:
    return Health(
        lambda: Condition(True), lambda: Condition(ready, "ok" if ready else "no rules yet"), lambda: b"a 1\n"
    )


async def ask(port: int, line: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{line}\r\nHost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()


async def test_the_three_pages() -> None:
    async with listening(health(), "127.0.0.1", 0) as port:
        assert "200 OK" in await ask(port, "GET /livez HTTP/1.1")
        assert "200 OK" in await ask(port, "GET /readyz?verbose HTTP/1.1")
        assert (await ask(port, "GET /metrics HTTP/1.1")).endswith("a 1\n")
        assert "404 Not Found" in await ask(port, "GET / HTTP/1.1")
        assert "405 " in await ask(port, "POST /livez HTTP/1.1")


async def test_who_is_not_ready_says_why() -> None:
    async with listening(health(ready=False), "127.0.0.1", 0) as port:
        answer = await ask(port, "GET /readyz HTTP/1.1")
    assert "503 Service Unavailable" in answer
    assert answer.endswith("no rules yet\n")


async def test_a_taken_port_is_one_line_with_what_to_do() -> None:
    async with listening(health(), "127.0.0.1", 0) as port:
        with pytest.raises(PortTaken, match=f"127.0.0.1:{port} .*GRIDCASE_HEALTH_PORT"):
            async with listening(health(), "127.0.0.1", port):
                pass


async def test_minus_one_opens_none() -> None:
    async with listening(health(), "127.0.0.1", -1) as port:
        assert port == 0


def test_silence_is_no_life() -> None:
    time = [0.0]
    dog = Watchdog(lambda: time[0], 10)
    time[0] = 9
    assert dog.lives().good
    time[0] = 21
    assert dog.lives() == Condition(False, "no turn for 21 s")
    dog.turned()
    assert dog.lives().good
