"""What deploy/ says about containers holds together; no container engine is needed to see it."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from cli.main import app
from cli.worker import SERVICES
from kernel.health import Condition, Health, listening
from kernel.settings import IN_CONTAINERS, Settings, example_for_containers, read

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: Mapping[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
PARTS: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OURS = {name: part for name, part in PARTS.items() if part["image"].startswith("gridcase:")}
KEYS = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "init",
    "profiles", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip
IMAGE = re.compile(r"[a-z0-9][a-z0-9/_-]*:[A-Za-z0-9][A-Za-z0-9._-]+")
VARIABLE = re.compile(r"\$\{(\w+)")
REGISTRY = re.compile(r"https?://|index-url|\b[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?/[a-z]")


def instructions() -> Iterator[tuple[str, list[str]]]:
    """The lines of the Containerfile: instruction and words."""
    for line in (DEPLOY / "Containerfile").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, shlex.split(rest)


def test_compose_has_only_what_compose_knows() -> None:
    assert {name for name in COMPOSE if not name.startswith("x-")} == {"name", "services", "volumes"}
    for name, part in PARTS.items():
        assert set(part) <= KEYS, name
        assert set(part.get("depends_on", ())) <= set(PARTS), name
        named = {volume.partition(":")[0] for volume in part.get("volumes", ())}
        assert named <= set(COMPOSE["volumes"]), name


def test_each_service_has_a_container_and_each_container_is_watched() -> None:
    assert [part["command"] for name, part in OURS.items() if name != "found"] == [
        ["worker", service] for service in SERVICES
    ]
    for name, part in PARTS.items():
        assert name == "found" or part["healthcheck"]["test"][0] == "CMD", name
    waits = {state["condition"] for part in OURS.values() for state in part["depends_on"].values()}
    assert waits == {"service_healthy"}


def test_images_have_tags_and_nobody_names_a_registry() -> None:
    bases = [words[0] for name, words in instructions() if name == "FROM"]
    for image in (*(part["image"] for part in PARTS.values()), *bases):
        assert IMAGE.fullmatch(image), image
        assert not image.endswith(":latest")
    texts = [DEPLOY / "Containerfile", DEPLOY / "compose.yaml", ROOT / "requirements" / "image.txt"]
    for file in texts[:1] + texts[2:]:
        assert not REGISTRY.search(file.read_text("utf-8")), file
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert version
    assert {part["image"] for part in OURS.values()} == {f"gridcase:{version[1]}"}


def test_every_variable_is_a_setting_and_holds_what_the_example_says() -> None:
    for name, part in OURS.items():
        environment: Mapping[str, str] = part["environment"]
        assert set(environment) == set(IN_CONTAINERS), name
        for variable, value in environment.items():
            assert variable.removeprefix("GRIDCASE_").lower() in Settings.model_fields
            default = re.sub(r":\?[^}]+", "", value).removeprefix(f"${{{variable}:-").removesuffix("}")
            assert default == IN_CONTAINERS[variable].removesuffix("}"), variable
    asked = set(VARIABLE.findall((DEPLOY / "compose.yaml").read_text("utf-8")))
    assert asked == {*IN_CONTAINERS, "POSTGRES_PASSWORD"}


def test_the_example_is_up_to_date_and_its_values_are_settings(tmp_path: Path) -> None:
    text = (DEPLOY / ".env.example").read_text("utf-8")
    assert text == example_for_containers(), "do: python -m kernel.settings"
    file = tmp_path / ".env"
    file.write_text(text.replace("# GRIDCASE_", "GRIDCASE_").replace("PASSWORD=\n", "PASSWORD=secret\n", 1))
    found = read({}, file)
    assert found.database_url == "postgresql://gridcase:secret@postgres/gridcase"
    assert (found.kafka_bootstrap, found.health_port) == ("kafka:9092", 8080)


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_of_ours(name: str) -> None:
    assert parsed(typer.main.get_command(app), OURS[name]["command"]) == OURS[name]["command"][0]


def parsed(command: Any, words: Sequence[str]) -> str:
    """The command that these words call; wrong options and arguments raise."""
    group = command.make_context("gridcase", list(words))
    name, found, rest = command.resolve_command(group, [*group._protected_args, *group.args])
    found.make_context(name, rest, parent=group)
    return name


def test_a_command_that_is_not_ours_would_be_seen() -> None:
    for words in (["labour", "router"], ["worker", "router", "--shift", "a"], ["worker"]):
        with pytest.raises(Exception, match=r"No such|Missing"):
            parsed(typer.main.get_command(app), words)


@pytest.mark.parametrize(("ready", "code"), [(True, 0), (False, 1)])
async def test_the_container_is_healthy_if_the_worker_is_ready(ready: bool, code: int) -> None:
    kind, *words = OURS["router"]["healthcheck"]["test"]
    assert (kind, words[0]) == ("CMD", "python")
    condition = Condition(ready, "test")
    async with listening(Health(lambda: condition, lambda: condition, bytes), "127.0.0.1", 0) as port:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words[1:],
            env={**os.environ, "GRIDCASE_HEALTH_PORT": str(port)}, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert await process.wait() == code


def test_what_the_image_is_made_of_is_there_and_is_let_through() -> None:
    *_, last = [number for number, (name, _) in enumerate(instructions()) if name == "FROM"]
    lines = list(instructions())
    copied = {
        source
        for name, words in lines
        if name == "COPY" and not words[0].startswith("--from")
        for source in words[:-1]
    }
    assert {"schemas", "rules", "kernel", "services", "cities", "cli", "requirements/image.txt"} <= copied
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source.split("/")[0], line[1:]) for line in ignored if line.startswith("!")), (
            source
        )
    users = [words for name, words in lines[last:] if name == "USER"]
    assert users == [["10001:10001"]]


def test_the_image_is_installed_by_hash_with_versions_that_are_tested() -> None:
    pinned = re.compile(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)
    text = (ROOT / "requirements" / "image.txt").read_text("utf-8")
    tested = dict(pinned.findall((ROOT / "requirements" / "test.txt").read_text("utf-8")))
    found = dict(pinned.findall(text))
    assert {name: tested.get(name) for name in found} == found
    assert {"asyncpg", "aiokafka", "faust-streaming", "setuptools"} <= set(found)
    assert text.count("==") <= text.count("--hash=sha256:")
    installs = [" ".join(words) for name, words in instructions() if name == "RUN" and "install" in words]
    assert "--require-hashes --no-deps" in installs[0]
    assert all("--no-deps" in line for line in installs)
