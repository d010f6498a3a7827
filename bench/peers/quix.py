"""Quix Streams, at least once: a stateful function over a topic, its states in RocksDB and a changelog."""

import tempfile
from typing import Any

from quixstreams import Application
from quixstreams.state import State

from bench.peers.work import HEARTBEAT_MS, SESSION_MS, Work, moment, packed, place


def main() -> None:
    here = place()
    work = Work(here.decision)
    with tempfile.TemporaryDirectory(prefix="gridcase-bench-quix-") as folder:
        app = Application(
            broker_address=here.bootstrap,
            consumer_group=f"{here.prefix}quix",
            auto_offset_reset="earliest",
            processing_guarantee="at-least-once",
            state_dir=folder,
            consumer_extra_config={
                "session.timeout.ms": SESSION_MS,
                "heartbeat.interval.ms": HEARTBEAT_MS,
            },
            loglevel="WARNING",
        )
        commands = app.topic(here.commands, value_deserializer="bytes")
        events = app.topic(here.events, value_serializer="bytes")

        def decide(body: bytes, key: bytes, stamp: int, _headers: Any, state: State) -> list[bytes]:
            before = work.unpacked(state.get_bytes("case"))
            after, found = work.decide(key.decode(), body, before, moment(stamp))
            state.set_bytes("case", packed(after))
            return list(found)

        frames = app.dataframe(commands)
        frames.apply(decide, stateful=True, expand=True, metadata=True).to_topic(events)
        app.run()


if __name__ == "__main__":
    main()
