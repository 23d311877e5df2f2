"""The installation's key: where it comes from, what it signs (webhooks.md §1.4, §1.5)."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from tallystick.ground.keys import SECRET_NAME, InstallationKey, load_key

BODY = '{"webhook_type":"invoice.voided","invoice":{"name":"Café <b>&","note":"\\u2028"}}'.encode()
ISSUER = "https://api.example.com"
#: no database is there: a given key must not look for one
NOWHERE = "postgresql://127.0.0.1:1/nowhere"


def pem_of(key: PrivateKeyTypes, passphrase: bytes | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def pem() -> bytes:
    return pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def test_the_token_verifies_with_the_published_key(pem: bytes) -> None:
    key = InstallationKey(pem)
    token = key.jwt_signature(BODY, ISSUER)
    claims = jwt.decode(token, base64.b64decode(key.public_key_base64()), algorithms=["RS256"], issuer=ISSUER)
    assert claims == {"data": BODY.decode(), "iss": ISSUER}
    assert jwt.get_unverified_header(token) == {"alg": "RS256"}


def test_every_attempt_has_the_same_signature(pem: bytes) -> None:
    assert InstallationKey(pem).jwt_signature(BODY, ISSUER) == InstallationKey(pem).jwt_signature(BODY, ISSUER)


def test_the_published_key_is_wrapped(pem: bytes) -> None:
    text = InstallationKey(pem).public_key_base64()
    *lines, last = text.splitlines()
    assert text.endswith("\n")
    assert {len(line) for line in lines} == {60}
    assert 0 < len(last) <= 60
    assert base64.b64decode(text).startswith(b"-----BEGIN PUBLIC KEY-----\n")


def test_the_setting_may_be_a_path_or_base64(pem: bytes, tmp_path: Path) -> None:
    file = tmp_path / "given.pem"
    file.write_bytes(pem)
    settings = [str(file), base64.b64encode(pem).decode(), base64.encodebytes(pem).decode()]
    published = {load_key(setting, NOWHERE).public_key_base64() for setting in settings}
    assert published == {InstallationKey(pem).public_key_base64()}


@pytest.mark.parametrize("setting", ["/nowhere/key.pem", "not base64!", base64.b64encode(b"no key").decode()])
def test_a_setting_without_a_key_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="TALLYSTICK_RSA_PRIVATE_KEY"):
        load_key(setting, NOWHERE)


def test_unfit_keys_are_refused(pem: bytes) -> None:
    secret = serialization.load_pem_private_key(pem, None)
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for unfit in (pem_of(small), pem_of(ec.generate_private_key(ec.SECP256R1())), pem_of(secret, b"passphrase")):
        with pytest.raises(ValueError, match="TALLYSTICK_RSA_PRIVATE_KEY"):
            InstallationKey(unfit)


def test_a_missing_key_is_made_once(database_url: str) -> None:
    assert load_key(None, database_url).public_key_base64() == load_key("", database_url).public_key_base64()


def test_processes_that_start_at_once_end_with_one_key(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("update installation_secrets set name = 'kept for other tests'")
    program = (
        "import sys\n"
        "from tallystick.ground.keys import load_key\n"
        "print(load_key(None, sys.argv[1]).public_key_base64())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, database_url], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    published = {process.communicate()[0] for process in processes}
    assert published == {load_key(None, database_url).public_key_base64() + "\n"}
    with psycopg.connect(database_url) as connection:
        connection.execute("delete from installation_secrets where name = %s", [SECRET_NAME])
        connection.execute("update installation_secrets set name = %s", [SECRET_NAME])
