from __future__ import annotations

from pathlib import Path

import pytest

from chadan.platform import bootstrap


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "run.txt").write_text("one==1\n")
    return tmp_path


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []

    def make(venv: Path) -> None:
        done.append("make")
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").touch()

    def fill(root: Path, which: str) -> None:
        done.append(f"fill {which}")
        (root / ".venv" / f".chadan-{which}.txt").write_bytes((root / "requirements" / f"{which}.txt").read_bytes())

    monkeypatch.setattr(bootstrap, "make", make)
    monkeypatch.setattr(bootstrap, "fill", fill)
    return done


def test_first_use_makes_and_fills_once(project: Path, steps: list[str]) -> None:
    bootstrap.install(project, "run")
    bootstrap.install(project, "run")
    assert steps == ["make", "fill run"]
    assert bootstrap.installed(project, "run")


def test_half_made_environment_is_made_anew(project: Path, steps: list[str]) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").touch()
    assert not bootstrap.installed(project, "run")
    bootstrap.install(project, "run")
    assert steps == ["make", "fill run"]


def test_changed_requirements_are_installed_into_the_same_environment(project: Path, steps: list[str]) -> None:
    bootstrap.install(project, "run")
    (project / "requirements" / "run.txt").write_text("one==2\n")
    assert not bootstrap.installed(project, "run")
    bootstrap.install(project, "run")
    assert steps == ["make", "fill run", "fill run"]


def test_missing_requirements_are_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([str(tmp_path), "run"]) == 1
    assert capsys.readouterr().err.startswith("chadan: Cannot read requirements/run.txt")
