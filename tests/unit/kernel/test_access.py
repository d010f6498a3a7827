"""How one comes in to Kafka: files that are read, files that are wrong, and a password that nobody sees."""

import logging
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

pytest.importorskip("aiokafka")

from kernel.kafka.access import access_of
from kernel.kafka.cluster import Cluster, cluster_of
from kernel.settings import Settings, SettingsWrong, read
from tests.certificates import Authority


def settings(**given: str | Path) -> Settings:
    environ = {"bootstrap": "broker:9093", "security": "sasl_ssl", "user": "me", **given}
    if "password_file" not in given and environ["security"] != "ssl":
        environ["password"] = "hunter2"
    if environ["security"] == "ssl":
        del environ["user"]
    return read({f"GRIDCASE_KAFKA_{name.upper()}": str(value) for name, value in environ.items()}, None)


def wrong(**given: str | Path) -> str:
    with pytest.raises(SettingsWrong) as fault:
        access_of(settings(**given))
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_nobody_is_asked_by_default() -> None:
    assert access_of(read({"GRIDCASE_KAFKA_BOOTSTRAP": "broker:9092"}, None)) == {}


def test_hosts_and_certificates_are_checked_and_the_password_comes_from_its_file(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    (tmp_path / "password").write_text("hunter2\nsecond line\n")
    access = access_of(settings(ca_file=authority.file, password_file=tmp_path / "password"))
    context = access["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1
    assert access["sasl_plain_password"] == "hunter2"
    assert (access["security_protocol"], access["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")


def test_a_certificate_of_our_own_needs_no_name(tmp_path: Path) -> None:
    Authority(tmp_path).issue("me")
    for files in (
        {"certificate_file": tmp_path / "me.crt", "key_file": tmp_path / "me.key"},
        {"certificate_file": tmp_path / "me.pem"},
    ):
        access = access_of(settings(security="ssl", **files))
        assert set(access) == {"security_protocol", "ssl_context"}


def test_a_file_that_is_missing_or_another_is_named_with_its_setting(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue("me")
    authority.issue("you")
    gone, other = tmp_path / "gone", tmp_path / "other"
    other.write_bytes(b"")
    assert f"GRIDCASE_KAFKA_CA_FILE: expected a file that can be read, found {gone}" in wrong(ca_file=gone)
    assert "GRIDCASE_KAFKA_CA_FILE: expected certificates (PEM)" in wrong(ca_file=other)
    assert "GRIDCASE_KAFKA_PASSWORD_FILE: expected a file that can be" in wrong(password_file=gone)
    assert "GRIDCASE_KAFKA_PASSWORD_FILE: expected a password in the first" in wrong(password_file=other)
    assert "GRIDCASE_KAFKA_CERTIFICATE_FILE: expected a file" in wrong(certificate_file=gone)
    crt = tmp_path / "me.crt"
    assert "GRIDCASE_KAFKA_KEY_FILE: expected a file" in wrong(certificate_file=crt, key_file=gone)
    for key in (tmp_path / "you.key", locked(tmp_path / "me.key")):
        line = wrong(certificate_file=crt, key_file=key)
        assert "GRIDCASE_KAFKA_CERTIFICATE_FILE: expected a certificate and its key" in line


def locked(key: Path) -> Path:
    """The same key behind a password; nobody is asked for it at the terminal."""
    read_key = serialization.load_pem_private_key(key.read_bytes(), None)
    file = key.with_suffix(".locked")
    file.write_bytes(
        read_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
    )
    return file


def test_a_cluster_that_is_shown_has_no_password() -> None:
    cluster = cluster_of(settings())
    assert cluster.client("me")["sasl_plain_password"] == "hunter2"
    assert "hunter2" not in repr(cluster)
    assert cluster.user == "the user me"
    assert Cluster("broker:9092").user == "whoever asks"


def test_the_client_does_not_write_down_what_it_sends_to_come_in() -> None:
    """With the mechanism PLAIN the request is the password."""
    assert not logging.getLogger("aiokafka.conn").isEnabledFor(logging.DEBUG)
