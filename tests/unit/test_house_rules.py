"""Rules of the repository that a reader should be able to rely on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from chadan.platform.config import EXPORT_ROWS, KNOWN, load
from chadan.platform.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
)
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MOST_LINES = 400


def tracked() -> list[Path]:
    """The files git knows; outside a repository (a release archive) every source file."""
    try:
        said = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [*MODULES, *DOCS, *(ROOT / "requirements").glob("*.txt")]
    return [path for line in said.splitlines() if (path := ROOT / line).is_file()]


def test_every_module_is_one_module() -> None:
    long = {
        str(path.relative_to(ROOT)): lines for path in MODULES if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long, f"over {MOST_LINES} lines: cut them in two"


def test_lock_files_name_no_host() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", path.read_text()), path.name
    assert not (ROOT / "uv.lock").exists()


def test_every_requirement_has_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        for pin in re.split(r"\n(?=[a-zA-Z])", path.read_text()):
            if re.match(r"[a-zA-Z0-9._-]+(\[.*\])?==", pin):
                assert "--hash=sha256:" in pin, pin.splitlines()[0]


def test_no_third_party_script_or_style_is_in_the_tree() -> None:
    names = [path.name for path in tracked()]
    assert not [name for name in names if name.endswith((".min.js", ".min.css")) or name == "package-lock.json"]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_the_docs_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (path.parent / target).exists(), target


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text()
    assert set(re.findall(r"^\| `(CHADAN_\w+)`", text, re.MULTILINE)) == set(KNOWN)


def test_the_two_readmes_are_in_step() -> None:
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    for pattern in (r"^#+ ", r"^- ", r"^\| ", r"```sh"):
        assert len(re.findall(pattern, english, re.MULTILINE)) == len(re.findall(pattern, chinese, re.MULTILINE)), (
            pattern
        )
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) for text in (english, chinese)]
    assert links[0] ^ links[1] == {"README.md", "README.zh-CN.md"}


def test_ci_runs_exactly_the_test_command() -> None:
    lines = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if "chadan" in line and not line.startswith("cd ")] == ["exec ./chadan test"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CHADAN_NONSENSE", "1", "Unknown setting"),
        ("CHADAN_LISTEN", "8000", "CHADAN_LISTEN"),
        ("CHADAN_DEBUG", "yes", "CHADAN_DEBUG"),
        ("CHADAN_ORIGIN", "orders.example.com", "CHADAN_ORIGIN"),
        ("CHADAN_LANGUAGE", "fr", "CHADAN_LANGUAGE"),
        ("CHADAN_DATABASE_URL", "mysql://root@db/x", "postgresql://"),
        ("CHADAN_DATABASE_URL", "postgresql://db", "user and a database"),
        ("CHADAN_WEB_WORKERS", "0", "CHADAN_WEB_WORKERS"),
        ("CHADAN_EXPORT_ROWS", "owner", "CHADAN_EXPORT_ROWS"),
        ("CHADAN_EXPORT_DAYS", "-1", "CHADAN_EXPORT_DAYS"),
        ("CHADAN_LOG_LEVEL", "LOUD", "CHADAN_LOG_LEVEL"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load({name: value})


def test_debug_pages_never_leave_the_machine() -> None:
    with pytest.raises(ConfigError, match="loopback"):
        load({"CHADAN_DEBUG": "1", "CHADAN_LISTEN": "0.0.0.0:8000"})


def test_export_limits_override_role_by_role() -> None:
    limits = load({"CHADAN_EXPORT_ROWS": "support=10, buyer=5"}).export_rows
    assert limits == EXPORT_ROWS | {"support": 10, "buyer": 5}


def test_an_external_database_url_is_taken_apart() -> None:
    external = load({"CHADAN_DATABASE_URL": "postgresql://me:p%40ss@db:5433/orders?sslmode=require"}).external
    assert external is not None
    assert (external.host, external.port, external.name) == ("db", 5433, "orders")
    assert (external.user, external.password, external.options) == ("me", "p@ss", (("sslmode", "require"),))
