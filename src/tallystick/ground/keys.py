"""The installation's RSA key pair and the RS256 token of outgoing webhooks made with it.

Not for signatures with a shared secret (core/signing.py) and not for API keys or passwords.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from textwrap import wrap

import jwt
import psycopg
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tallystick.ground.db import plain_url

SETTING = "TALLYSTICK_RSA_PRIVATE_KEY"
SECRET_NAME = "rsa_private_key"
_BITS = 2048
_WRAP_AT = 60


class InstallationKey:
    """The one RSA key of an installation, shared by all its organizations (webhooks.md §1.4)."""

    __slots__ = ("_key", "_public_key_base64")

    def __init__(self, pem: bytes) -> None:
        """Read a private key from PEM text; ValueError unless it is RSA, unencrypted, of 2048 bits or more."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # What the cause says could quote key material.
            raise ValueError(f"{SETTING}: not an unencrypted private key in PEM form") from None
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _BITS:
            raise ValueError(f"{SETTING}: needs an RSA key of {_BITS} bits or more")
        self._key = key
        self._public_key_base64 = _base64_of_public(key)

    def public_key_base64(self) -> str:
        """Return base64 of the public key's PEM text, in lines of 60 characters, the last ended too (§1.5)."""
        return self._public_key_base64

    def jwt_signature(self, body: bytes, issuer: str) -> str:
        """Return `X-Lago-Signature` for the algorithm `jwt`: a compact RS256 token (webhooks.md §1.4).

        The claims are `data`, the UTF-8 body as one string, and `iss`; nothing in it changes with time, so every
        attempt of a delivery has the same signature.
        """
        claims = {"data": body.decode(), "iss": issuer}
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"typ": None})


def load_key(setting: str | None, database_url: str) -> InstallationKey:
    """Return the key the setting gives (path of a PEM file, or base64 of its text), else the one of the installation.

    That one is made and kept in the database, which every machine shares, when there is none yet. ValueError for a
    setting that holds no usable key, OSError when its file cannot be read, psycopg.Error when the database cannot.
    """
    if not setting:
        return InstallationKey(_kept_pem(database_url).encode())
    if os.path.isfile(setting):
        return InstallationKey(Path(setting).read_bytes())
    try:
        pem = base64.b64decode("".join(setting.split()), validate=True)
    except ValueError:
        raise ValueError(f"{SETTING}: neither the path of a PEM file nor base64 of one") from None
    return InstallationKey(pem)


def _kept_pem(database_url: str) -> str:
    """The stored key, after making it when it is missing; of processes that start at once the first decides for all."""
    found = "select value from installation_secrets where name = %s"
    made = (
        "insert into installation_secrets (name, value, created_at) values (%s, %s, now()) "
        "on conflict (name) do nothing"
    )
    with psycopg.connect(plain_url(database_url), autocommit=True) as connection:
        row = connection.execute(found, [SECRET_NAME]).fetchone()
        if row is None:
            connection.execute(made, [SECRET_NAME, _new_pem().decode()])
            row = connection.execute(found, [SECRET_NAME]).fetchone()
    assert row is not None
    return str(row[0])


def _new_pem() -> bytes:
    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _base64_of_public(key: rsa.RSAPrivateKey) -> str:
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "".join(line + "\n" for line in wrap(base64.b64encode(pem).decode(), _WRAP_AT))
