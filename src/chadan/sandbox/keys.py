"""The sandbox's keys, made at its first start and kept in its folder: real ones, and worth nothing."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True, slots=True)
class Keys:
    """Private keys as PEM: `*_merchant` belong to the shop, `*_gateway` to the other side."""

    epay1_key: str
    epay2_merchant: str
    epay2_gateway: str
    alipay_merchant: str
    alipay_gateway: str
    wechat_merchant: str
    wechat_gateway: str
    wechat_apiv3: str


PID = "1001"
ALIPAY_APP = "9021000100000001"
ALIPAY_SELLER = "2088000000000001"
WECHAT_MCHID = "1900000001"
WECHAT_APPID = "wx00000000sandbox1"
WECHAT_SERIAL = "5AB0C0FFEE00000000000000000000000000CAFE"
WECHAT_KEY_ID = "PUB_KEY_ID_0119000000012026000000000000000001"


def keys_in(folder: Path) -> Keys:
    """The folder's keys; made on first use, readable for their owner alone."""
    path = folder / "keys.json"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        made = Keys(
            epay1_key=secrets.token_hex(16),
            epay2_merchant=_private(),
            epay2_gateway=_private(),
            alipay_merchant=_private(),
            alipay_gateway=_private(),
            wechat_merchant=_private(),
            wechat_gateway=_private(),
            wechat_apiv3=secrets.token_hex(16),
        )
        temporary = folder / f".keys.{os.getpid()}"
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(asdict(made)))
        temporary.replace(path)
    return Keys(**json.loads(path.read_text()))


def _private() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@cache
def loaded(private_pem: str) -> rsa.RSAPrivateKey:
    """The key behind the PEM."""
    key = serialization.load_pem_private_key(private_pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the sandbox's keys are RSA keys")
    return key


def public_pem(private_pem: str) -> str:
    """The public half."""
    return (
        loaded(private_pem)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
