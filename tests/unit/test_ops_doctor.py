from __future__ import annotations

from pathlib import Path

import pytest

from chadan.cli.run_tests import marks
from chadan.ops import doctor
from chadan.platform.config import load


def test_unknown_setting_is_a_failure_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHADAN_DATABSE_URL", "postgresql://typo")
    last = list(doctor.examine())[-1]
    assert (last.level, last.about) == ("fail", "settings")
    assert "CHADAN_DATABSE_URL" in last.text and last.way_out


def test_folder_that_cannot_be_written_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    finding = doctor.data_folder(load({"CHADAN_DATA": str(tmp_path / "var")}))
    assert finding.level == "fail" and "Permission denied" in finding.text and finding.way_out


def test_open_and_short_keys_are_noticed(tmp_path: Path) -> None:
    config = load({"CHADAN_DATA": str(tmp_path)})
    assert doctor.keys(config).level == "ok"
    config.secret_key_file.parent.mkdir()
    config.secret_key_file.write_text("k" * 40)
    config.secret_key_file.chmod(0o644)
    assert doctor.keys(config).way_out == f"chmod 600 {config.secret_key_file}"
    config.secret_key_file.write_text("short")
    for mode in (0o600, 0o644):  # what `serve` refuses is a failure, whoever else may read it
        config.secret_key_file.chmod(mode)
        assert doctor.keys(config).level == "fail"


@pytest.mark.parametrize(
    ("free", "level"), [(100 << 20, "fail"), (2 << 30, "warn"), (50 << 30, "ok")], ids=["none", "little", "plenty"]
)
def test_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": free}))
    assert doctor.disk_space(load({"CHADAN_DATA": str(tmp_path)})).level == level


def test_named_chromium_wins_even_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHADAN_CHROMIUM", "/nowhere/chromium")
    assert doctor.chromium() is None


def test_marks_leave_out_long_tests_unless_asked() -> None:
    assert marks(fault=False, long=False) == "not long"
    assert marks(fault=True, long=False) == "fault or not long"
    assert marks(fault=False, long=True) == "not (fault and long)"
    assert marks(fault=True, long=True) == "long or not long"
