from __future__ import annotations

import argparse
import sys
import types

import pytest

from chadan import cli
from chadan.platform.errors import ConfigError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):
    """Registers a command whose `run` is the given function."""

    def register(run, **attributes) -> None:
        module = types.ModuleType("chadan_test_command")
        module.configure = lambda parser: parser.add_argument("--number", type=int, default=1)
        module.run = run
        for name, value in attributes.items():
            setattr(module, name, value)
        monkeypatch.setitem(sys.modules, "chadan_test_command", module)
        monkeypatch.setitem(cli.COMMANDS, "try", ("chadan_test_command", "a command"))

    return register


def raising(error: BaseException):
    def run(args: argparse.Namespace) -> int:
        raise error

    return run


def test_exit_code_and_arguments_reach_the_command(command) -> None:
    command(lambda args: args.number)
    assert cli.main(["try", "--number", "7"]) == 7
    assert cli.main(["--debug", "try"]) == 1


def test_error_is_one_line_without_traceback(command, capsys: pytest.CaptureFixture[str]) -> None:
    command(raising(ConfigError("The folder is gone.", hint="Make it.")))
    assert cli.main(["try"]) == 1
    assert capsys.readouterr().err == "chadan: The folder is gone. Make it.\n"


def test_unexpected_error_is_one_line_that_names_the_way_to_more(command, capsys: pytest.CaptureFixture[str]) -> None:
    command(raising(ValueError("two\nlines")))
    assert cli.main(["try"]) == 1
    out = capsys.readouterr().err
    assert out.count("\n") == 1 and "two lines" in out and "--debug" in out


@pytest.mark.parametrize("words", [["--debug", "try"], ["try", "--debug"]])
def test_debug_shows_the_traceback(command, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    command(raising(ConfigError("No.")))
    assert cli.main(words) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interruption_is_quiet(command, capsys: pytest.CaptureFixture[str]) -> None:
    command(raising(KeyboardInterrupt()))
    assert cli.main(["try"]) == 130
    assert capsys.readouterr().err == ""


def test_unknown_command_and_missing_command_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["fly"])
    assert caught.value.code == 2
    assert "fly" in capsys.readouterr().err
    assert cli.main([]) == 2
    assert cli.main(["--help"]) == 0


def test_rest_is_passed_on_where_the_command_wants_it(command) -> None:
    seen: list[list[str]] = []

    def run(args: argparse.Namespace) -> int:
        seen.append(args.rest)
        return 0

    command(run, PASSES_REST=True)
    assert cli.main(["try", "--", "-x", "--number", "2", "path"]) == 0
    assert cli.main(["try", "-x", "path"]) == 0
    assert seen[1] == ["-x", "path"]


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    assert caught.value.code == 0
    assert f"chadan {name}" in capsys.readouterr().out
