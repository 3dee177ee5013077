"""`python -m scripts.counts`: count how the program is built, and write the table into `docs/architecture.md`.

What is counted
---------------
files entered
    Files of the program of which a function is called while one request is carried out: one image of a starter model
    by `generate`, the same by Start in the window with its engine in the same process, one map by `explain`.
stays, returns
    The walk of that request of `generate` from file to file. A stay begins where a function of another file is called
    from a function that has not called it before; it is a return if the file was entered earlier.
circles
    Sets of modules that import each other, imports inside functions included, those for types alone left out.
transports, stops, contracts
    Modules that start processes for jobs; exceptions that say that a job was stopped; shapes of functions that carry
    out a job of the registry.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
ROOMS: Final = (
    "core", "dataset", "photographs", "measures", "training", "download", "legacy", "reports", "xai", "diffusion",
    "classifier", "evaluation", "cli", "gui",
)  # fmt: skip
BEGIN, END = "<!-- counts: begin -->", "<!-- counts: end -->"
_PROCESS: Final = re.compile(r"\bQProcess\(|\bcontext\.Process\(|\bmultiprocessing\.Process\(")


class Walk:
    """Notes which functions of the program are called, on every thread, while it is entered as a context."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._steps: list[str] = []
        self._calls: set[tuple[str, str, str, str]] = set()

    def __enter__(self) -> Walk:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def counted(self) -> dict[str, int]:
        """Return files entered, stays and returns."""
        stays = [name for place, name in enumerate(self._steps) if place == 0 or self._steps[place - 1] != name]
        return {"files": len(self.files), "stays": len(stays), "returns": len(stays) - len(set(stays))}

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame.f_code.co_name == "<module>":
            return
        name = _own(frame.f_code.co_filename)
        if name is None:
            return
        self.files.setdefault(name, frame.f_code.co_name)
        caller = frame.f_back
        place = _own(caller.f_code.co_filename) if caller else None
        if caller is None or place in (None, name):
            return
        call = (str(place), caller.f_code.co_name, name, frame.f_code.co_name)
        if call not in self._calls:
            self._calls.add(call)
            self._steps.append(name)


def _own(path: str) -> str | None:
    """Return the name of a file of the program, from the project's folder; None for any other."""
    if not path.startswith(f"{ROOT}{os.sep}"):
        return None
    name = Path(path).relative_to(ROOT).as_posix()
    return name if name.split("/")[0] in ROOMS else None


def walk_generate(folder: Path) -> Walk:
    """Make one image."""
    from cli.app import main

    with Walk() as walk:
        main(["generate", "--classes", "MEL=1", "--steps", "2", "--device", "cpu", "--output", str(folder / "output")])
    return walk


def walk_explain(folder: Path) -> Walk:
    """Explain one image."""
    from cli.app import main

    words = ["--classes", "MEL=1", "--steps", "2", "--device", "cpu", "--output", str(folder / "output")]
    main(["generate", *words])
    image = folder / "output/MEL/ISIC_0000001.png"
    with Walk() as walk:
        main(["explain", str(image), "--methods", "gradcam", "--device", "cpu", "--output", str(folder / "explained")])
    return walk


def walk_start(folder: Path) -> Walk:
    """Press Start in the window, for one image, and wait until it is shown."""
    from core.utils.logger import setup_logging
    from core.utils.path_manager import PathManager
    from gui.app import make_application, make_stage
    from gui.workers.local_engine import LocalEngine
    from scripts import walk as scenes

    app = make_application(["counts"])
    window = make_stage(app, LocalEngine(), PathManager(), setup_logging(console=False).ring).window
    session, walk = window.session, Walk()

    def lead() -> Iterator[scenes.Wait]:
        yield lambda: session.catalog.catalog is not None and session.engine.info is not None
        session.classes.check_all(False)
        session.classes.set_checked("MEL", True)
        session.classes.set_count("MEL", 1)
        session.settings.set("generation.steps", 2)
        yield 500
        with walk:
            session.start()
            yield lambda: not session.run.busy
            yield 500

    leader = scenes.Walk(lead())
    leader.ended.connect(lambda _: window.close())
    window.show()
    app.exec()
    return walk


WALKS: Final[Mapping[str, Callable[[Path], Walk]]] = {
    "generate": walk_generate,
    "Start in the window": walk_start,
    "explain": walk_explain,
}


def measure_walks() -> dict[str, dict[str, int]]:
    """Return the counts of every walk, each measured in a process of its own with an empty home."""
    found = {}
    for name in WALKS:
        with tempfile.TemporaryDirectory() as folder:
            places = {"ISICGUI_HOME": f"{folder}/home", "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "scripts.counts", name, folder]
            done = subprocess.run(
                command, cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, check=True
            )
            found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def own_files() -> Iterator[Path]:
    """Yield the Python files of the program that git knows, tests left out."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    yield from (ROOT / name for name in listed.splitlines() if not name.startswith("tests/"))


def size_of_rooms() -> dict[str, tuple[int, int]]:
    """Return files and lines of each room; what lies beside them is the room ""."""
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path in own_files():
        first = path.relative_to(ROOT).parts[0]
        room = first if first in ROOMS else ""
        files[room] += 1
        lines[room] += path.read_bytes().count(b"\n")
    return {room: (files[room], lines[room]) for room in (*ROOMS, "")}


def circles() -> list[set[str]]:
    """Return the sets of modules that import each other."""
    import grimp

    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    return [circle for circle in _strongly_connected(imports) if len(circle) > 1]


def _strongly_connected(edges: Mapping[str, Iterable[str]]) -> Iterator[set[str]]:
    """Yield the strongly connected parts of a graph: modules that reach each other."""
    onward = {node: _reachable(edges, node) for node in edges}
    seen: set[str] = set()
    for node in edges:
        if node not in seen:
            part = {other for other in onward[node] if node in onward.get(other, ())} | {node}
            seen |= part
            yield part


def _reachable(edges: Mapping[str, Iterable[str]], start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        for other in edges.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def contracts() -> dict[str, list[str]]:
    """Return the transports, the stops and the shapes of jobs that there are."""
    importlib.import_module("cli.app")
    from core.jobs.registry import known_jobs, resolve

    runs = [resolve(job.run) for job in known_jobs().values()]
    shapes = sorted({", ".join(inspect.signature(run).parameters) for run in runs})
    starting = [p for p in own_files() if _PROCESS.search(p.read_text(encoding="utf-8"))]
    return {
        "transports": [p.relative_to(ROOT).as_posix() for p in starting if p.name != Path(__file__).name],
        "stops": sorted(_stop_exceptions()),
        "contracts": shapes,
    }


def _stop_exceptions() -> Iterator[str]:
    for path in own_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and "Stop" in node.name and _raises(node):
                yield node.name


def _raises(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith(("Exception", "Error")) for base in node.bases)


def render() -> str:
    """Return the tables."""
    walks, rooms, found, rings = measure_walks(), size_of_rooms(), contracts(), circles()
    files, lines = (sum(counts[place] for counts in rooms.values()) for place in (0, 1))
    walk = walks["generate"]
    entered = " / ".join(str(walks[name]["files"]) for name in WALKS)
    rows = [
        ("files entered: `generate` / Start in the window / `explain`", entered, "40 / 85 / 40"),
        ("the walk of `generate`: stays / returns", f"{walk['stays']} / {walk['returns']}", "fewer"),
        ("files, lines without tests", f"{files}, {lines:,}", "400, 60,000"),
        ("circles of imports among modules", str(len(rings)), "0"),
        ("transports / stops / contracts for a job", " / ".join(str(len(found[key])) for key in found), "1 / 1 / 1"),
    ]
    table = ["| | here | goal |", "|---|---|---|", *(f"| {what} | {here} | {goal} |" for what, here, goal in rows)]
    sizes = ["| room | files | lines |", "|---|---|---|"]
    sizes += [f"| {f'`{room}/`' if room else 'beside the rooms'} | {n} | {m:,} |" for room, (n, m) in rooms.items()]
    return "\n".join([*table, "", *sizes])


def write(tables: str) -> None:
    """Put the tables between their marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{tables}\n{END}{rest.split(END)[1]}", encoding="utf-8")


def main(words: list[str]) -> None:
    """Measure one walk for the process that asks, or everything."""
    if words:
        walk: Any = WALKS[words[0]](Path(words[1]))
        sys.stderr.write("\n".join(sorted(walk.files)) + "\n")
        sys.stdout.write(json.dumps(walk.counted()) + "\n")
    else:
        write(render())


if __name__ == "__main__":
    main(sys.argv[1:])
