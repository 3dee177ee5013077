"""`python -m scripts.counts`: count how the program is built, and write the table into `docs/architecture.md`.

What is counted
---------------
files entered
    Python files of the program, `__init__.py` aside, of which a function is called while one request is carried out:
    one image of a starter model by `generate`, the same by Start in the window with its engine in the same process,
    one map by `explain`. What is called only because a module is imported does not count.
    `python -m scripts.counts generate FOLDER` prints them with the functions that call them.
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
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
ROOMS: Final = (
    "core", "dataset", "photographs", "measures", "training", "download", "legacy", "reports", "xai", "diffusion",
    "classifier", "evaluation", "cli", "gui", "web",
)  # fmt: skip
BEGIN, END = "<!-- counts: begin -->", "<!-- counts: end -->"
_PROCESS: Final = re.compile(r"\bQProcess\(|\bcontext\.Process\(|\bmultiprocessing\.Process\(")


class Walk:
    """Notes which functions of the program are called, on every thread, while it is entered as a context.

    What runs because a module is being imported (its own lines, bodies of classes, decorators) is left out: it belongs
    to no request. Threads that exist when the context is entered are noted only if they `listen`.
    """

    def __init__(self) -> None:
        self.callers: dict[str, list[str]] = {}
        """Files entered, in order, each with the functions of other files that call it."""
        self._steps: list[str] = []
        self._calls: set[tuple[str, str, str, str]] = set()
        self._importing: Counter[int] = Counter()
        self._is_on = False

    def __enter__(self) -> Walk:
        self._is_on = True
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_on = False
        sys.setprofile(None)
        threading.setprofile(None)

    def listen(self) -> None:
        """Follow this thread and those that Python starts from now on."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def counted(self) -> dict[str, int]:
        """Return files entered, stays and returns."""
        stays = [name for place, name in enumerate(self._steps) if place == 0 or self._steps[place - 1] != name]
        return {"files": len(self.callers), "stays": len(stays), "returns": len(stays) - len(set(stays))}

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if frame.f_code.co_name == "<module>":
            self._importing[threading.get_ident()] += {"call": 1, "return": -1}.get(event, 0)
        elif event == "call" and self._is_on and not self._importing[threading.get_ident()]:
            name = _own(frame.f_code.co_filename)
            if name is not None:
                self._enter(name, frame)

    def _enter(self, name: str, frame: FrameType) -> None:
        callers = self.callers.setdefault(name, [])
        caller = frame.f_back
        place = _own(caller.f_code.co_filename) if caller else None
        if caller is None or place in (None, name):
            return
        call = (str(place), caller.f_code.co_name, name, frame.f_code.co_name)
        if call not in self._calls:
            self._calls.add(call)
            self._steps.append(name)
            callers.append(f"{place} {call[1]} -> {call[3]}")


@cache
def _own(path: str) -> str | None:
    """Return the name of a file of the program, from the project's folder; None for any other and for `__init__.py`."""
    if not path.startswith(f"{ROOT}{os.sep}"):
        return None
    name = Path(path).relative_to(ROOT)
    return name.as_posix() if name.parts[0] in ROOMS and name.suffix == ".py" and name.stem != "__init__" else None


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

    walk = Walk()
    walk.listen()  # now: the engine's and the gallery's threads are older than the press of the button
    app = make_application(["counts"])
    window = make_stage(app, LocalEngine(), PathManager(), setup_logging(console=False).ring).window
    session = window.session
    _listen_in_threads_of_qt(walk)

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


def _listen_in_threads_of_qt(walk: Walk) -> None:
    """Follow the threads that Qt starts, of which Python's `threading` knows nothing."""
    from gui.gallery.scan_thread import ScanThread
    from gui.workers.stream import StreamThread

    kinds: tuple[Any, ...] = (ScanThread, StreamThread)
    for kind in kinds:

        def run(thread: Any, unfollowed: Callable[[Any], None] = kind.run) -> None:
            walk.listen()
            unfollowed(thread)

        kind.run = run


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
        for name, callers in walk.callers.items():
            sys.stderr.write("\n    ".join([name, *callers]) + "\n")
        sys.stdout.write(json.dumps(walk.counted()) + "\n")
    else:
        write(render())


if __name__ == "__main__":
    main(sys.argv[1:])
