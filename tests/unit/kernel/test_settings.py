from pathlib import Path

import pytest

from kernel.settings import Settings, SettingsWrong, example, hide_password, read

ROOT = Path(__file__).resolve().parents[3]


def wrong(**environ: str) -> str:
    with pytest.raises(SettingsWrong) as fault:
        read(environ, None)
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_without_a_variable_the_defaults_hold() -> None:
    settings = read({}, None)
    assert settings.database_url == "sqlite:///.gridcase/yunxi.db"
    assert settings.tick_seconds == 0.25


def test_a_url_loses_its_driver() -> None:
    settings = read({"GRIDCASE_DATABASE_URL": "postgresql+asyncpg://me:x@host/city"}, None)
    assert settings.database_url == "postgresql://me:x@host/city"


def test_the_environment_wins_over_the_file_and_an_option_over_both(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("GRIDCASE_BATCH_MESSAGES=7\nGRIDCASE_STATES_MOST=8\nOTHER=1\n")
    settings = read({"GRIDCASE_STATES_MOST": "9"}, file)
    assert (settings.batch_messages, settings.states_most) == (7, 9)
    assert read({"GRIDCASE_STATES_MOST": "9"}, file, states_most=10).states_most == 10


def test_an_option_that_was_not_given_leaves_the_variable() -> None:
    assert read({"GRIDCASE_LOG_LEVEL": "info"}, None, log_level=None).log_level == "info"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GRIDCASE_TICK_SECONDS", "-1", "expected a number above 0 to 60, found '-1'"),
        ("GRIDCASE_BATCH_MESSAGES", "many", "expected a whole number from 0 to 100000, found 'many'"),
        ("GRIDCASE_HEALTH_PORT", "70000", "expected a whole number from -1 to 65535"),
        ("GRIDCASE_LOG_LEVEL", "loud", "expected debug or info or warning or error, found 'loud'"),
        ("GRIDCASE_DATABASE_URL", "mysql://x/y", "expected sqlite:///FILE or postgresql://"),
        ("GRIDCASE_DATABASE_URL", "postgresql+psycopg2://x/y", "expected sqlite:///FILE or postgresql://"),
        ("GRIDCASE_DATABASE_URL", "", "expected sqlite:///FILE"),
        ("GRIDCASE_HEALTH_HOST", "a b", "expected a host name or address"),
        (
            "GRIDCASE_KAFKA_BOOTSTRAP",
            "kafka",
            "expected HOST:PORT, several with commas between, found 'kafka'",
        ),
        ("GRIDCASE_KAFKA_PREFIX", "云溪.", "expected letters, figures, points and hyphens"),
        ("GRIDCASE_KAFKA_REPLICAS", "0", "expected a whole number from 1 to 9, found '0'"),
        ("GRIDCASE_KAFKA_SECURITY", "tls", "expected plaintext or ssl or sasl_plaintext or sasl_ssl, found"),
        ("GRIDCASE_KAFKA_MECHANISM", "GSSAPI", "expected SCRAM-SHA-512 or SCRAM-SHA-256 or PLAIN, found"),
        ("GRIDCASE_KAFKA_CA_FILE", "ca.pem", "expected nothing where GRIDCASE_KAFKA_SECURITY is plaintext"),
        ("GRIDCASE_KAFKA_USER", "router", "expected nothing where GRIDCASE_KAFKA_SECURITY is plaintext"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(name: str, value: str, expected: str) -> None:
    line = wrong(**{name: value})
    assert line.startswith(f"{name}: {expected}")
    assert "Do: " in line


def test_all_that_is_wrong_is_said_at_once() -> None:
    line = wrong(GRIDCASE_TICK_SECONDS="x", GRIDCASE_LOG_FORMAT="xml")
    assert "GRIDCASE_TICK_SECONDS" in line
    assert "GRIDCASE_LOG_FORMAT" in line


def test_secrets_are_json_and_never_shown() -> None:
    settings = read({"GRIDCASE_WEBHOOK_SECRETS": '{"https://a.example/hook": "whsec_x"}'}, None)
    assert settings.webhook_secrets == {"https://a.example/hook": "whsec_x"}
    for value in ("whsec_x", '["whsec_x"]', '{"a": ["whsec_x"]}'):
        line = wrong(GRIDCASE_WEBHOOK_SECRETS=value)
        assert line.startswith("GRIDCASE_WEBHOOK_SECRETS: expected a JSON object of texts")
        assert "whsec" not in line


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SECURITY": "sasl_ssl"}, "GRIDCASE_KAFKA_USER with GRIDCASE_KAFKA_PASSWORD or its file: expected"),
        ({"SECURITY": "sasl_ssl", "USER": "me"}, "one password where GRIDCASE_KAFKA_SECURITY is sasl_ssl"),
        ({"SECURITY": "sasl_ssl", "PASSWORD": "hunter2"}, "GRIDCASE_KAFKA_USER with"),
        (
            {"SECURITY": "sasl_ssl", "USER": "me", "PASSWORD": "hunter2", "PASSWORD_FILE": "p"},
            "one password where",
        ),
        ({"SECURITY": "ssl", "USER": "me"}, "GRIDCASE_KAFKA_USER: expected nothing where"),
        ({"SECURITY": "ssl", "KEY_FILE": "k"}, "GRIDCASE_KAFKA_CERTIFICATE_FILE: expected one for the key"),
        (
            {"SECURITY": "sasl_plaintext", "USER": "me", "PASSWORD": "hunter2", "MECHANISM": "PLAIN"},
            "GRIDCASE_KAFKA_MECHANISM: expected SCRAM where nothing is encrypted, found PLAIN",
        ),
        (
            {"SECURITY": "sasl_plaintext", "USER": "me", "PASSWORD": "hunter2", "CA_FILE": "ca.pem"},
            "GRIDCASE_KAFKA_CA_FILE: expected nothing where GRIDCASE_KAFKA_SECURITY is sasl_plaintext",
        ),
    ],
)
def test_what_would_not_let_us_in_to_kafka_or_not_be_used_is_refused(
    environ: dict[str, str], expected: str
) -> None:
    line = wrong(**{f"GRIDCASE_KAFKA_{name}": value for name, value in environ.items()})
    assert expected in line
    assert "hunter2" not in line


def test_the_password_at_kafka_is_never_shown() -> None:
    environ = {"SECURITY": "sasl_ssl", "USER": "me", "PASSWORD": "hunter2"}
    settings = read({f"GRIDCASE_KAFKA_{name}": value for name, value in environ.items()}, None)
    assert settings.kafka_password.get_secret_value() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_a_misspelt_setting_is_not_ignored() -> None:
    assert "(GRIDCASE_TICK_SECONDS?)" in wrong(GRIDCASE_TICK_SECOND="1")


def test_what_only_the_tests_read_is_no_setting() -> None:
    read({"GRIDCASE_SOAK": "1", "GRIDCASE_TEST_DATA": "/tmp", "PATH": "x"}, None)


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in wrong(GRIDCASE_DATABASE_URL="mysql://me:hunter2@host/db")
    assert hide_password("postgresql://me:hunter2@host/db") == "postgresql://me:•••@host/db"
    assert (
        hide_password("postgresql://me@host/db?sslkey=k&sslpassword=hunter2&sslmode=require")
        == "postgresql://me@host/db?sslkey=k&sslpassword=•••&sslmode=require"
    )
    assert hide_password("sqlite:///a.sqlite3") == "sqlite:///a.sqlite3"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read({}, None).tick_seconds = 1  # type: ignore[misc]


def test_the_example_is_up_to_date_and_reads_as_the_defaults(tmp_path: Path) -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == example(), "do: python -m kernel.settings"
    file = tmp_path / ".env"
    file.write_text(example().replace("# GRIDCASE_", "GRIDCASE_"))
    assert read({}, file) == read({}, None)
    assert example().count("GRIDCASE_") == len(Settings.model_fields)
