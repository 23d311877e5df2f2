"""The installation's key: where it comes from, what it signs (webhooks.md §1.4, §1.5)."""

from __future__ import annotations

import base64
import stat
import subprocess
import sys
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from tallystick.ground.keys import FILE_NAME, InstallationKey, load_key

BODY = '{"webhook_type":"invoice.voided","invoice":{"name":"Café <b>&","note":"\\u2028"}}'.encode()
ISSUER = "https://api.example.com"


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
    published = {load_key(setting, tmp_path).public_key_base64() for setting in settings}
    assert published == {InstallationKey(pem).public_key_base64()}
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("setting", ["/nowhere/key.pem", "not base64!", base64.b64encode(b"no key").decode()])
def test_a_setting_without_a_key_is_refused(setting: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="TALLYSTICK_RSA_PRIVATE_KEY"):
        load_key(setting, tmp_path)


def test_unfit_keys_are_refused(pem: bytes) -> None:
    secret = serialization.load_pem_private_key(pem, None)
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    for unfit in (pem_of(small), pem_of(ec.generate_private_key(ec.SECP256R1())), pem_of(secret, b"passphrase")):
        with pytest.raises(ValueError, match="TALLYSTICK_RSA_PRIVATE_KEY"):
            InstallationKey(unfit)


def test_a_missing_key_is_made_once(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    first, second = load_key(None, home), load_key("", home)
    assert first.public_key_base64() == second.public_key_base64()
    assert [file.name for file in home.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((home / FILE_NAME).stat().st_mode) == 0o600


def test_processes_that_start_at_once_end_with_one_key(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys; from tallystick.ground.keys import load_key; "
        "print(load_key(None, pathlib.Path(sys.argv[1])).public_key_base64())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    published = {process.communicate()[0] for process in processes}
    assert published == {load_key(None, tmp_path).public_key_base64() + "\n"}
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
