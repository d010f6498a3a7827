"""The typed environment: every setting, read once by the composition root and passed on as arguments.

`.env.example` and the table of the docs are written from here: `python -m kernel.settings`.
"""

import json
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kernel.errors import Fault

PREFIX: Final = "GRIDCASE_"
OF_TESTS: Final = frozenset({"GRIDCASE_TEST_DATA", "GRIDCASE_SOAK", "GRIDCASE_SOAK_MINUTES"})
"""Variables that only the tests read; they are no settings and no mistakes."""

_SCHEMES: Final = {
    "sqlite": "sqlite",
    "sqlite+aiosqlite": "sqlite",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "postgresql+asyncpg": "postgresql",
}
_IN_QUERY: Final = re.compile(r"([?&][a-z]*password=)[^&]*")
_URLS: Final = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_TEXTS: Final = {
    "database_url": _URLS,
    "kafka_bootstrap": "HOST:PORT, several with commas between",
    "kafka_prefix": "letters, figures, points and hyphens",
    "kafka_ca_file": "a file",
    "kafka_certificate_file": "a file",
    "kafka_key_file": "a file",
    "kafka_user": "a name",
    "kafka_password": "a password",
    "kafka_password_file": "a file",
    "webhook_secrets": "a JSON object of texts",
}

_HIDDEN: Final = frozenset({"webhook_secrets", "kafka_password"})
"""Settings whose values are shown to nobody."""

_OF_TLS: Final = ("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
_OF_SASL: Final = ("kafka_user", "kafka_password", "kafka_password_file")

HEAD: Final = (
    "# Settings with their defaults: copy to .env, or export. Written by `python -m kernel.settings`."
)
HEAD_OF_CONTAINERS: Final = """\
# For deploy/compose.yaml: copy to deploy/.env and choose a password. Written by `python -m kernel.settings`.

# The password of the database that compose.yaml starts.
POSTGRES_PASSWORD="""

IN_CONTAINERS: Final[Mapping[str, str]] = {
    "GRIDCASE_DATABASE_URL": "postgresql://gridcase:${POSTGRES_PASSWORD}@postgres/gridcase",
    "GRIDCASE_KAFKA_BOOTSTRAP": "kafka:9092",
    "GRIDCASE_KAFKA_REPLICAS": "1",
    "GRIDCASE_LOG_FORMAT": "json",
    "GRIDCASE_HEALTH_HOST": "0.0.0.0",  # noqa: S104 - a container's own network
    "GRIDCASE_HEALTH_PORT": "8080",
}
"""Settings that deploy/compose.yaml makes other than their defaults."""

DeliveryKind: TypeAlias = Literal["faust", "stock", "plain"]
"""By whom messages are fetched from Kafka: Faust in whole batches, Faust as it comes, or aiokafka alone."""

Security: TypeAlias = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
"""How one comes in to Kafka, in its own words: with TLS or without, with name and password or without."""

Mechanism: TypeAlias = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]

Host = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9.:_-]+$")]


class SettingsWrong(Fault):
    """{wrong}. Do: correct or unset it; .env.example lists every setting with its default."""

    exit_code: ClassVar[int] = 3


class Settings(BaseSettings):
    """Everything that may differ from one installation to the next. Units stand in the names."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = Field(
        "sqlite:///.gridcase/yunxi.db",
        description="Where the city lives; the default is the demonstration's.",
    )
    kafka_bootstrap: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._-]+:[0-9]{1,5}(,[A-Za-z0-9._-]+:[0-9]{1,5})*)?$",
        description="Kafka brokers, HOST:PORT with commas between; empty where topics lie in the database.",
    )
    kafka_prefix: str = Field(
        "",
        max_length=60,
        pattern=r"^[A-Za-z0-9.-]*$",
        description="How the names of all topics and groups begin, where several cities share the brokers.",
    )
    kafka_replicas: int = Field(
        3, ge=1, le=9, description="Copies of each topic; all but one of them acknowledge every message."
    )
    kafka_delivery: DeliveryKind = Field(
        "faust",
        description="Who fetches from Kafka: faust in whole batches, its stock streams, or plain aiokafka.",
    )
    kafka_security: Security = Field(
        "plaintext",
        description="How to come in to Kafka: ssl is encrypted, sasl_ssl asks for name and password as well.",
    )
    kafka_ca_file: str = Field(
        "", description="Authorities (PEM) that may vouch for the brokers; empty: those of this machine."
    )
    kafka_certificate_file: str = Field(
        "", description="Our own certificate (PEM), for brokers that ask for one."
    )
    kafka_key_file: str = Field(
        "", description="Its key (PEM, without a password); empty where it lies beside the certificate."
    )
    kafka_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="How name and password are proven to Kafka."
    )
    kafka_user: str = Field("", description="Our name at Kafka.")
    kafka_password: SecretStr = Field(SecretStr(""), description="Its password; better in a file.")
    kafka_password_file: str = Field("", description="File whose first line is the password.")
    batch_messages: int = Field(
        0, ge=0, le=100_000, description="Messages in one transaction, at most; 0: 1000, on Kafka 4000."
    )
    batch_timers: int = Field(1000, ge=1, le=100_000, description="Timers in one transaction, at most.")
    tick_seconds: float = Field(
        0.25,
        gt=0,
        le=60,
        description="After how long a worker without messages looks at its timers; four times as long once "
        "none came for forty such looks.",
    )
    look_seconds: float = Field(
        1.0,
        ge=0,
        le=60,
        description="After how long an idle worker looks for unparked messages and at its topics' ends.",
    )
    clock_skew_seconds: float = Field(
        0.0, ge=0, le=300, description="More than the clocks of all machines differ; 0 within one process."
    )
    pause_seconds: float = Field(
        0.05,
        gt=0,
        le=60,
        description="Pause after a failed port; doubled with each in a row, six times at most.",
    )
    failures_most: int = Field(
        30, ge=1, description="Failures of a port in a row that end the worker; 30 take about 80 seconds."
    )
    states_most: int = Field(100_000, ge=1, description="States that each processor keeps in memory.")
    parked_streams_most: int = Field(100, ge=0, description="Parked streams (挂起) that end a worker.")
    message_bytes_most: int = Field(
        262_144,
        ge=1024,
        le=16_777_216,
        description="Size of a message from outside; beyond it is a dead letter.",
    )
    call_timeout_seconds: float = Field(
        10.0, gt=0, le=300, description="How long a call to a webhook may take."
    )
    webhook_secrets: dict[str, str] = Field(
        default_factory=dict[str, str],
        description='Secret of each webhook address, as JSON: {"https://unit.example/hook": "whsec_…"}.',
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="The least level that is logged."
    )
    log_format: Literal["console", "json"] = Field("console", description="For people or for machines.")
    health_host: Host = Field("127.0.0.1", description="Address of /livez, /readyz and /metrics.")
    health_port: int = Field(
        -1,
        ge=-1,
        le=65_535,
        description="Their port; 0 takes a free one, -1 opens none. `up` counts on for each service.",
    )
    stall_warn_seconds: float = Field(
        60.0,
        ge=1,
        le=86_400,
        description="After how long a worker that leaves messages unread says so, if nothing holds it up.",
    )
    stall_end_seconds: float = Field(
        120.0, ge=2, le=86_400, description="After how long it ends, to be started again."
    )

    @field_validator("database_url")
    @classmethod
    def _of_two_kinds(cls, url: str) -> str:
        """The URL without its driver; SQLite and PostgreSQL are all there is."""
        scheme, separator, rest = url.partition("://")
        name = _SCHEMES.get(scheme)
        if not separator or name is None or not rest.strip("/"):
            raise ValueError(_URLS)
        return f"{name}://{rest}"

    @field_validator("webhook_secrets", mode="before")
    @classmethod
    def _of_json(cls, secrets: object) -> object:
        """A variable is text; what it holds is JSON."""
        return json.loads(secrets or "{}") if isinstance(secrets, str) else secrets

    @model_validator(mode="after")
    def _fitting_together(self) -> Self:
        """What the way in to Kafka needs, and nothing that it would not use."""
        way = self.kafka_security
        found = {name for name in (*_OF_TLS, *_OF_SASL) if _text(getattr(self, name))}
        unused = [] if "ssl" in way.split("_") else [name for name in _OF_TLS if name in found]
        if not way.startswith("sasl"):
            unused += [name for name in _OF_SASL if name in found]
        elif len(found & {"kafka_password", "kafka_password_file"}) != 1 or "kafka_user" not in found:
            raise ValueError(
                f"{_variable('kafka_user')} with {_variable('kafka_password')} or its file: expected a name "
                f"and one password where {_variable('kafka_security')} is {way}, found something else"
            )
        if unused:
            raise ValueError(
                f"{_variable(unused[0])}: expected nothing where {_variable('kafka_security')} is {way}, "
                "found a value that would not be used"
            )
        if "kafka_key_file" in found and "kafka_certificate_file" not in found:
            raise ValueError(f"{_variable('kafka_certificate_file')}: expected one for the key, found none")
        if (way, self.kafka_mechanism) == ("sasl_plaintext", "PLAIN"):
            raise ValueError(
                f"{_variable('kafka_mechanism')}: expected SCRAM where nothing is encrypted, found PLAIN"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `read` hands over: the environment is looked at in one place."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def read(
    environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env"), **given: Any
) -> Settings:
    """The settings of this process: `given` before the environment before `.env` before the defaults.

    All that is wrong is one `SettingsWrong`, each named by its variable.
    """
    found: dict[str, Any] = {}
    if env_file is not None and env_file.is_file():
        found |= _ours({name: value or "" for name, value in dotenv_values(env_file).items()})
    found |= _ours(os.environ if environ is None else environ)
    found |= {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**found)
    except ValidationError as error:
        raise SettingsWrong(wrong="; ".join(_line(fault["loc"], fault) for fault in error.errors())) from None


def hide_password(url: str) -> str:
    """A database URL that may be shown: the password is dots, and so is that of a key."""
    url = _IN_QUERY.sub(r"\1•••", url)
    head, at, tail = url.rpartition("@")
    scheme, separator, credentials = head.partition("://")
    user, colon, _ = credentials.partition(":")
    return f"{scheme}{separator}{user}:•••@{tail}" if at and colon else url


def example(head: str = HEAD, here: Mapping[str, str] | None = None) -> str:
    """The text of an `.env.example`: each setting with its default, or with what it is `here`."""
    lines = [head]
    for name, field in Settings.model_fields.items():
        value = (here or {}).get(_variable(name), _default(name))
        lines += ["", f"# {field.description}", f"# {_variable(name)}={value}"]
    return "\n".join(lines) + "\n"


def example_for_containers() -> str:
    """The text of deploy/.env.example: what holds in containers unless deploy/.env says otherwise."""
    return example(HEAD_OF_CONTAINERS, IN_CONTAINERS)


def reference() -> str:
    """The table of the settings for docs/reference."""
    lines = ["# Settings", "", "| variable | default | values | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{_variable(name)}` | `{_default(name)}` | {_bounds(name)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _default(name: str) -> object:
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        return "{}"
    return _text(field.default) if isinstance(field.default, SecretStr) else field.default


def _ours(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.upper().removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.upper().startswith(PREFIX) and name.upper() not in OF_TESTS
    }


def _line(place: tuple[int | str, ...], fault: Mapping[str, Any]) -> str:
    """One wrong setting in words: variable, expected, found."""
    if not place:
        return str(fault["ctx"]["error"])
    name = str(place[0])
    variable = _variable(name)
    if fault["type"] == "extra_forbidden":
        alike = get_close_matches(name, Settings.model_fields, 1, 0.5)
        guess = f" ({_variable(alike[0])}?)" if alike else ""
        return f"{variable}: expected a setting that exists{guess}"
    if name in _HIDDEN:
        return f"{variable}: expected {_bounds(name)}, found something else"
    found = hide_password(str(fault["input"]))
    return f"{variable}: expected {_bounds(name)}, found {found!r}"


def _bounds(name: str) -> str:
    """Which values a setting takes, in words."""
    field = Settings.model_fields[name]
    if name in _TEXTS or field.annotation is str:
        return _TEXTS.get(name, "a host name or address")
    choices = getattr(field.annotation, "__args__", ())
    if choices:
        return " or ".join(choices)
    kind = "a whole number" if field.annotation is int else "a number"
    words = {"ge": "from", "gt": "above", "le": "to"}
    limits = [
        f"{word} {limit}"
        for part in field.metadata
        for key, word in words.items()
        if (limit := getattr(part, key, None)) is not None
    ]
    return " ".join([kind, *limits])


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    for place, text in ((root, example()), (root / "deploy", example_for_containers())):
        (place / ".env.example").write_text(text, encoding="utf-8")
        print(place / ".env.example")  # noqa: T201 - it says what it wrote
