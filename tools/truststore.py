"""Write certificates as a Java truststore: `python truststore.py CERTIFICATES.pem TRUSTSTORE.p12`.

Runs in the main environment, since it needs `cryptography`; the set-up itself needs only Python.
"""

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

PASSWORD = b"changeit"
"""Java's customary one; a truststore holds nothing secret."""


def write_truststore(certificates: bytes, target: Path) -> None:
    """Write PEM certificates as a truststore that Java opens with its customary password."""
    entries = [
        pkcs12.PKCS12Certificate(certificate, str(number).encode())
        for number, certificate in enumerate(x509.load_pem_x509_certificates(certificates))
    ]
    target.write_bytes(pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(PASSWORD)))


if __name__ == "__main__":
    write_truststore(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]))
