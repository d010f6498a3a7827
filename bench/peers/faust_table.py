"""Faust as its manual shows it: an agent, a table, and a send for each event."""

import sys
import tempfile

import faust
from faust.types import StreamT

from bench.peers.work import HEARTBEAT_MS, PARTITIONS, SESSION_MS, Work, moment, packed, place


def app_of() -> faust.App:
    here = place()
    work = Work(here.decision)
    app = faust.App(
        f"{here.prefix}faust",
        broker=f"kafka://{here.bootstrap}",
        store="memory://",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        broker_session_timeout=SESSION_MS / 1000,
        broker_heartbeat_interval=HEARTBEAT_MS / 1000,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="gridcase-bench-faust-"),
    )
    commands = app.topic(here.commands, key_serializer="raw", value_serializer="raw")
    events = app.topic(here.events, key_serializer="raw", value_serializer="raw")
    raw = faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    cases = app.Table("cases", default=bytes, partitions=PARTITIONS, schema=raw)

    @app.agent(commands)
    async def decide(stream: StreamT) -> None:
        async for event in stream.events():
            key = event.key
            before = work.unpacked(cases[key])
            after, found = work.decide(
                key.decode(), event.value, before, moment(event.message.timestamp * 1000)
            )
            cases[key] = packed(after)
            for body in found:
                await events.send(key=key, value=body)

    return app


if __name__ == "__main__":
    faust_app = app_of()
    sys.argv = [sys.argv[0], "worker", "--loglevel", "ERROR", "--without-web"]
    faust_app.main()
