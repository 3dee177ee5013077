"""The house rules that no linter checks: sizes, start-up imports, requirements, and what must lie in the repository."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import tomli

from core import ROOMS
from core.doctor import SUMS_NAME, read_requirements, read_sums
from core.version import __version__

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "torchvision", "diffusers", "captum", "matplotlib", "scipy", "sklearn", "accelerate", "jinja2"}
MAX_LINES = 500
MAX_BYTES = 32 * 1024**2

NOT_IMPORTED = {
    "pyqt5-qt5": "holds Windows at the newest Qt that exists for it; PyQt5 imports it",
    "tensorboard": "torch.utils.tensorboard imports it",
}
"""Requirements that no product file imports, with the reason why they are there all the same."""


@cache
def product_files() -> tuple[Path, ...]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return (*sorted(ROOT.glob("*.py")), *found)


@cache
def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in product_files()}


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level name of everything that a file imports, at its head or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


@cache
def project() -> dict[str, Any]:
    return tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_room_is_held_by_the_contracts() -> None:
    linter = project()["tool"]["importlinter"]
    assert sorted(linter["root_packages"]) == sorted(ROOMS)
    below = next(
        contract for contract in linter["contracts"] if "core.generator" in contract.get("forbidden_modules", ())
    )
    inside = {
        path.stem for path in (ROOT / "core").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert set(below["source_modules"]) == {f"core.{name}" for name in inside - {"__init__", "generator"}}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> set[str]:
    """Return every name in requirements.txt, also those for other systems."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith(("#", "-")))
    return {canonical(match[0]) for match in names if match}


def test_no_product_file_is_longer_than_one_can_hold_in_mind() -> None:
    long = {str(path.relative_to(ROOT)): count for path in product_files() if (count := _lines(path)) > MAX_LINES}
    assert long == {}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("banned", ["terminate", "processEvents"])
def test_the_window_neither_kills_threads_nor_spins_the_event_loop(banned: str) -> None:
    guilty = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees().items()
        if path.is_relative_to(ROOT / "gui")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == banned
    ]
    assert guilty == []


@pytest.mark.parametrize(
    ("module", "file"), [("main", "main.py"), ("cli.app", "cli/app.py"), ("gui.app", "gui/app.py")]
)
def test_starting_does_not_load_what_takes_seconds(module: str, file: str) -> None:
    if not (ROOT / file).exists():
        pytest.skip(f"{file} is not there yet")
    program = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert module.partition(".")[0] in loaded
    assert loaded & HEAVY == set()
    assert module == "gui.app" or not {"PyQt5", "gui"} & loaded


OF_THE_PAGE = {"gradio", "fastapi"}
"""What `requirements-web.txt` brings."""


def test_every_imported_package_is_required_and_every_required_one_imported() -> None:
    providers = metadata.packages_distributions()
    own = {*ROOMS, "main", "bootstrap"}
    names = {name for tree in trees().values() for name in imports(tree)} - own - set(sys.stdlib_module_names)
    users = {path for path, tree in trees().items() if OF_THE_PAGE & set(imports(tree))}
    assert {path.relative_to(ROOT).parts[0] for path in users} == {"web"}
    names -= OF_THE_PAGE  # an optional extra
    unknown = {name for name in names if name not in providers}
    assert unknown == set(), "imported but not installed"
    # `packages_distributions` names every distribution with files below that name; one that is required will do.
    not_required = {name for name in names if not {canonical(d) for d in providers[name]} & required()}
    assert not_required == set(), "imported but not in requirements.txt"
    used = {canonical(distribution) for name in names for distribution in providers[name]}
    assert required() - used <= set(NOT_IMPORTED), "in requirements.txt but not imported"


def test_torch_and_torchvision_are_left_to_match() -> None:
    by_name = {canonical(r.name): str(r.specifier) for r in read_requirements(ROOT / "requirements.txt")}
    assert by_name["torch"] == ">=2.10"  # CVE-2026-24747 below
    assert by_name["torchvision"] == ">=0.25"  # the release for torch 2.10


def test_what_is_installed_is_what_is_required() -> None:
    for requirement in read_requirements(ROOT / "requirements.txt"):
        assert requirement.specifier.contains(metadata.version(requirement.name), prereleases=True), requirement


def test_licence_and_citation() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in licence
    assert "Version 3, 29 June 2007" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(__version__)}$", text, re.MULTILINE)
    assert 'version = { attr = "core.version.__version__" }' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_changelog_knows_this_version() -> None:
    assert f"\n## {__version__} - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def written_files() -> list[Path]:
    """Return every text that people read, the code included, that lies in the repository."""
    top = [path for path in ROOT.iterdir() if path.suffix in {".md", ".py"}]
    below = [path for room in (*ROOMS, "docs", "starter", "benchmarks", "scripts") for path in (ROOT / room).rglob("*")]
    return [path for path in (*top, *below) if path.suffix in {".md", ".py"}]


def test_documents_and_pictures_that_are_named_are_there() -> None:
    named = {
        (path, match[0])
        for path in written_files()
        for match in re.finditer(r"\bdocs/[\w/-]+\.(?:md|png)\b", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 20
    assert {(str(path.relative_to(ROOT)), name) for path, name in named if not (ROOT / name).is_file()} == set()


def test_links_between_documents_lead_somewhere() -> None:
    links = {
        (path, match[1])
        for path in written_files()
        if path.suffix == ".md"
        for match in re.finditer(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    }
    assert len(links) > 20
    assert {(str(path.relative_to(ROOT)), link) for path, link in links if not (path.parent / link).exists()} == set()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
@pytest.mark.parametrize("name", ["run_isicgui.sh", ".ci/run"])
def test_launchers_can_be_run(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    assert b"\r" not in (ROOT / name).read_bytes()


def test_the_starters_weights_are_the_listed_ones() -> None:
    weights = {path for suffix in ("safetensors", "pth", "bin") for path in (ROOT / "starter").rglob(f"*.{suffix}")}
    if not weights:
        pytest.skip("no starter model is there yet")
    assert {path.suffix for path in weights} == {".safetensors"}, "weights that cannot carry code"
    assert [path.name for path in weights if path.stat().st_size > MAX_BYTES] == []
    listed = read_sums(ROOT / "starter")
    how = f"in each folder of starter: sha256sum *.safetensors > {SUMS_NAME}"
    assert set(listed) == weights, how
    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in weights} == listed, how
