"""How one comes in to the brokers: what the settings say, with the files they name read.

A file that is missing or holds something else is a wrong setting, found before anything is connected.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kernel.settings import PREFIX, Settings, SettingsWrong


def access_of(settings: Settings) -> Mapping[str, Any]:
    """The arguments by which every aiokafka client comes in; empty where nobody asks who we are."""
    way = settings.kafka_security
    if way == "plaintext":
        return {}
    found: dict[str, Any] = {"security_protocol": way.upper()}
    if way in {"ssl", "sasl_ssl"}:
        found["ssl_context"] = _context(settings)
    if way in {"sasl_plaintext", "sasl_ssl"}:
        found["sasl_mechanism"] = settings.kafka_mechanism
        found["sasl_plain_username"] = settings.kafka_user
        found["sasl_plain_password"] = _password(settings)
    return found


def _context(settings: Settings) -> ssl.SSLContext:
    """Certificates and host names are always checked: no setting leaves it out."""
    context = ssl.create_default_context()
    if file := settings.kafka_ca_file:
        text = _text("kafka_ca_file", file)
        try:
            context = ssl.create_default_context(cadata=text or "none")  # nothing would mean the machine's
        except (ssl.SSLError, ValueError) as error:
            raise _wrong("kafka_ca_file", "certificates (PEM)", f"{file} without one") from error
    if file := settings.kafka_certificate_file:
        _text("kafka_certificate_file", file)
        if settings.kafka_key_file:
            _text("kafka_key_file", settings.kafka_key_file)
        try:
            context.load_cert_chain(file, settings.kafka_key_file or None, password=_nobody)
        except (ssl.SSLError, ValueError) as error:
            pair = " and ".join(filter(None, (file, settings.kafka_key_file)))
            expected = "a certificate and its key (PEM, without a password)"
            raise _wrong("kafka_certificate_file", expected, f"{pair}: {error}") from error
    return context


def _nobody() -> str:
    """A key with a password is not opened, and nobody is asked for it at a terminal."""
    return ""


def _password(settings: Settings) -> str:
    if not settings.kafka_password_file:
        return settings.kafka_password.get_secret_value()
    lines = _text("kafka_password_file", settings.kafka_password_file).splitlines()
    if not lines or not lines[0]:
        raise _wrong("kafka_password_file", "a password in the first line", "an empty one")
    return lines[0]


def _text(name: str, file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except OSError as error:
        raise _wrong(name, "a file that can be read", f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _wrong(name, "a text file", f"{file} with other bytes") from error


def _wrong(name: str, expected: str, found: str) -> SettingsWrong:
    return SettingsWrong(wrong=f"{PREFIX}{name.upper()}: expected {expected}, found {found}")
