"""Who may do what at the tests' broker, granted from the table of rights."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from kernel.kafka.rights import Right

_KINDS: Final = {"topic": 2, "group": 3}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
_LITERAL: Final = 3
_ALLOW: Final = 3
_SEEN_SECONDS: Final = 1.0
"""After so long the broker has heard from its controller what was granted."""


async def grant(bootstrap: str, parties: Mapping[str, Sequence[Right]]) -> None:
    """Let each user do what its rights say."""
    await _send(bootstrap, CreateAclsRequest, parties)


async def take_away(bootstrap: str, user: str, right: Right) -> None:
    await _send(bootstrap, DeleteAclsRequest, {user: [right]})


async def _send(bootstrap: str, request: type[Any], parties: Mapping[str, Sequence[Right]]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for user, granted in parties.items():
            for right in granted:
                for operation in right.operations:
                    answer = await vars(admin)["_client"].send(
                        vars(admin)["_client"].get_random_node(),
                        request(
                            _KINDS[right.kind], right.name, _LITERAL, f"User:{user}", "*",
                            _OPERATIONS[operation], _ALLOW,
                        ),
                    )  # fmt: skip
                    assert "error_code=0" in str(answer), answer
    finally:
        await admin.close()
    await asyncio.sleep(_SEEN_SECONDS)
