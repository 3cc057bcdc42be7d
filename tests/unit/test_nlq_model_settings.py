"""Settings of the optional model: off by default, and refused where they are half or not safe."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from chadan.platform.config import load
from chadan.platform.errors import ConfigError
from chadan.platform.http_call import is_ours


def test_there_is_no_model_unless_one_is_set() -> None:
    assert load({}).model is None


@pytest.mark.parametrize("url", ["https://models.example.com/v1", "http://127.0.0.1:11434/v1/", "http://[::1]:1/v1"])
def test_where_a_model_may_be(url: str) -> None:
    model = load({"CHADAN_MODEL_URL": url, "CHADAN_MODEL_NAME": "tiny"}).model
    assert model is not None and model.url == url.rstrip("/") and model.key == ""


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"CHADAN_MODEL_URL": "http://models.example.com/v1", "CHADAN_MODEL_NAME": "tiny"}, "https"),
        ({"CHADAN_MODEL_URL": "http://10.0.0.7/v1", "CHADAN_MODEL_NAME": "tiny"}, "https"),
        ({"CHADAN_MODEL_URL": "http://localhost.example.com/v1", "CHADAN_MODEL_NAME": "tiny"}, "https"),
        ({"CHADAN_MODEL_URL": "https://me:secret@models.example.com/v1", "CHADAN_MODEL_NAME": "tiny"}, "password"),
        ({"CHADAN_MODEL_URL": "https://models.example.com/v1?key=1", "CHADAN_MODEL_NAME": "tiny"}, "query"),
        ({"CHADAN_MODEL_URL": "file:///etc/passwd", "CHADAN_MODEL_NAME": "tiny"}, "must look like"),
        ({"CHADAN_MODEL_URL": "https://models.example.com:x/v1", "CHADAN_MODEL_NAME": "tiny"}, "no address"),
        ({"CHADAN_MODEL_URL": "https://models.example.com/v1"}, "CHADAN_MODEL_NAME"),
        ({"CHADAN_MODEL_NAME": "tiny"}, "without CHADAN_MODEL_URL"),
        ({"CHADAN_MODEL_KEY_FILE": "/nowhere"}, "without CHADAN_MODEL_URL"),
    ],
)
def test_what_stops_the_start(env: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load(env)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "mode", "says"), [("key", 0o644, "chmod 600"), ("", 0o600, "no key"), (None, 0, "Cannot read")]
)
def test_a_key_file_that_will_not_do(tmp_path: Path, content: str | None, mode: int, says: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    env = {
        "CHADAN_MODEL_URL": "https://models.example.com/v1",
        "CHADAN_MODEL_NAME": "tiny",
        "CHADAN_MODEL_KEY_FILE": str(path),
    }
    with pytest.raises(ConfigError, match=says):
        load(env)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        *(("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("192.168.1.9", True), ("8.8.8.8", True)),
        *(("169.254.169.254", False), ("fe80::1", False), ("224.0.0.1", False), ("0.0.0.0", False)),
        *(("::ffff:169.254.169.254", False), ("2002:a9fe:a9fe::1", False), ("fd00::5", True)),
    ],
)
def test_addresses_that_the_settings_may_name(address: str, allowed: bool) -> None:
    assert is_ours(ip_address(address)) is allowed
