"""Certificates of an authority that exists for one test, and files that hold secrets."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

TOKEN = "0123456789-abcdefghijklmnopqrst"
OTHER_TOKEN = "9876543210-abcdefghijklmnopqrst"


@dataclass(frozen=True)
class CertificateFiles:
    """What a server is given."""

    cert: Path
    key: Path

    @property
    def settings(self) -> dict[str, Any]:
        return {"tls_cert": self.cert, "tls_key": self.key}

    @property
    def flags(self) -> list[str]:
        return [f"--tls-cert={self.cert}", f"--tls-key={self.key}"]


class Authority:
    """Signs certificates; `ca` is the file for those who trust it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.ca = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca)

    def certify(self, *names: str, file: str = "server", until: datetime | None = None) -> CertificateFiles:
        """A certificate for these names, or for this machine."""
        cert = self._ca.issue_cert(*(names or ("127.0.0.1", "localhost")), not_after=until)
        files = CertificateFiles(self._folder / f"{file}.pem", self._folder / f"{file}.key")
        files.cert.write_bytes(b"".join(blob.bytes() for blob in cert.cert_chain_pems))
        write_secret(files.key, cert.private_key_pem.bytes().decode())
        return files

    def trusting(self) -> ssl.SSLContext:
        """A context for a bare client."""
        return ssl.create_default_context(cafile=self.ca)


def write_secret(path: Path, text: str) -> Path:
    """A file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path
