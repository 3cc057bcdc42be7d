"""One site a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from chadan.ops.serve import only_site
from chadan.platform.config import load
from chadan.platform.errors import ConfigError


def test_a_second_site_on_the_same_folder_is_refused_and_told_which_one_runs(tmp_path: Path) -> None:
    first = load({"CHADAN_DATA": str(tmp_path / "var"), "CHADAN_LISTEN": "127.0.0.1:8123"})
    second = load({"CHADAN_DATA": str(tmp_path / "var"), "CHADAN_LISTEN": "127.0.0.1:8124"})
    other = load({"CHADAN_DATA": str(tmp_path / "other"), "CHADAN_LISTEN": "127.0.0.1:8124"})
    with only_site(first):
        with (
            pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:8123 \(process \d+\)") as refused,
            only_site(second),
        ):
            pytest.fail("two sites run on one folder")
        assert refused.value.hint
        with only_site(other):
            pass
    with only_site(second):  # the first one has ended
        pass
