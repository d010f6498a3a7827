"""Authorities and certificates for tests, made when they are needed and thrown away with their folder."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY: Final = timedelta(days=1)


class Authority:
    """Vouches for hosts and people; its own certificate lies in the folder as `<name>.pem`."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"{name} of the tests")
        made = self._begun(self._name, self._key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_public(made.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, addresses: Sequence[str] = ()) -> Path:
        """`<name>.pem` with key and certificate, for these addresses; `<name>.key` and `<name>.crt` apart."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._begun(_name(name), key.public_key())
        if addresses:
            hosts = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
            made = made.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        public = _public(made.sign(self._key, hashes.SHA256()))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self._folder / f"{name}.crt").write_bytes(public)
        (self._folder / f"{name}.key").write_bytes(private)
        (self._folder / f"{name}.key").chmod(0o600)
        both = self._folder / f"{name}.pem"
        both.write_bytes(private + public)
        return both

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return x509.CertificateBuilder(
            self._name, name, key, x509.random_serial_number(), now - _DAY, now + 30 * _DAY
        )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
