"""Do the tests notice when the code is wrong? Mutants of a room, drawn at random, against the tests of their module.

`python -m tests.tools.mutants --room readers --output rows.jsonl [--share 0.1] [--seed 1] [--modules core/tiff]`

The rooms are xai, readers (of photographs, tables and masks), measures and evaluation; `tests/tools/guards.py` says
which tests belong to which module. At the end it tells how many were killed, with a 95 % interval of Wilson.

Each mutant has one small fault: another comparison or operator, another number, a negated condition, a missing
statement or keyword. It is written into a copy of the tree, never into the tree itself, and the tests of its module run
in a fork of a process that has the heavy libraries loaded (Linux and macOS only). What draws pictures and pages is left
out, and so is what cannot change a result: texts, annotations, decorators, `field(...)`, `strict=`, how many inputs
share a pass through the network or a block of a matrix, and which stream of random numbers is drawn from.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import json
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.tools.guards import ROOMS, Guards

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 240
"""Of processor time: a mutant that keeps its tests busy for longer than this is noticed."""

SKIPPED = (
    "not memory_does_not_grow and not pyplot_stays_out and not a_kill_leaves_only_whole_parts "
    "and not an_experiment_without_effect and not covers_the_true_difference and not a_split_of_ham10000_by_image "
    "and not leak_of_single_classes and not numbers_do_not_fit_together"
)
"""Slow tests of other things than results, and slow ones beside which quicker ones stand."""

LIBRARIES = (
    "pytest numpy PIL.Image PIL.ImageDraw PIL.ImageOps tifffile asyncio unittest.mock hypothesis "
    "_hypothesis_pytestplugin xdist.plugin pytest_cov.plugin pytest_timeout anyio.pytest_plugin core.errors "
    "core.registry core.config.schema core.jobs.registry core.files.atomic core.files.reading core.keeping "
    "reports.model tests.support.patience tests.support.scheduling"
)
COMPUTING = (
    f"{LIBRARIES} torch torchvision.models torchvision.transforms.functional matplotlib.figure scipy.stats "
    "scipy.ndimage scipy.linalg scipy.sparse.linalg sklearn.metrics sklearn.neighbors skimage.metrics "
    "skimage.segmentation safetensors.torch click.testing core.models.classification.loading photographs.sources"
)
PRELOADED = {
    "xai": f"{COMPUTING} captum.attr diffusers core.generator.image_generator core.generator.reproduce "
    "measures.reference measures.bootstrap",
    "readers": LIBRARIES,
    "measures": COMPUTING,
    "evaluation": f"{COMPUTING} measures.reference measures.bootstrap measures.lpips reports.html reports.pdf",
}
"""What a process has loaded before it forks; nothing of the room itself."""

COMPARED: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}  # fmt: skip
SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Mult,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
LEFT_OUT = ("main", "to_json", "__str__", "chunk_size")
"""Functions for the command line, for texts, and for the number of inputs in a pass."""

STREAMS = ("default_rng", "SeedSequence", "generate_state", "manual_seed")
KEYWORDS = (
    "strict", "encoding", "indent", "exist_ok", "parents", "remedy", "maxsize", "internal_batch_size",
    "nt_samples_batch_size", "perturbations_per_eval",
)  # fmt: skip
"""Keywords of calls that change no result."""

Change = Callable[[], None]


class Places(ast.NodeVisitor):
    """Collects every small fault that a module can have, as (line, what, a function that makes it)."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str, Change]] = []

    def _note(self, node: ast.AST, what: str, change: Change) -> None:
        self.found.append((node.lineno, what, change))

    def _replace(self, node: ast.AST, what: str, **fields: object) -> None:
        self._note(node, what, lambda: [setattr(node, *field) for field in fields.items()] and None)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name not in LEFT_OUT:
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self.visit(default)
            self._body(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._body(node.body)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and not _is_chunk(node.target):
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(map(_is_chunk, node.targets)):
            self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        names = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
        if not names & {"TYPE_CHECKING", "__name__"}:
            self._condition(node)
            self._body(node.body)
            self._body(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._body(node.body)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._body(node.body)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
        self._body(node.body)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node)
        self.visit(node.body)
        self.visit(node.orelse)

    def _condition(self, node: ast.If | ast.IfExp) -> None:
        self._replace(node, "negated condition", test=ast.UnaryOp(ast.Not(), copy.copy(node.test)))
        self.visit(node.test)

    def _body(self, body: list[ast.stmt]) -> None:
        for place, statement in enumerate(body):
            text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not text and isinstance(statement, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue):
                self._note(statement, "missing statement", lambda p=place: body.__setitem__(p, ast.Pass()))
            if not text and not isinstance(statement, ast.Raise):
                self.visit(statement)

    def visit_Compare(self, node: ast.Compare) -> None:
        for place, operator in enumerate(node.ops):
            for other in COMPARED[type(operator)]:
                change = lambda p=place, o=other: node.ops.__setitem__(p, o())  # noqa: E731
                self._note(node, f"{type(operator).__name__} -> {other.__name__}", change)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._swap(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._swap(node)

    def _swap(self, node: ast.BinOp | ast.AugAssign) -> None:
        other = SWAPPED.get(type(node.op))
        if other is not None:
            self._replace(node, f"{type(node.op).__name__} -> {other.__name__}", op=other())
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        self._replace(node, f"{type(node.op).__name__} -> {other.__name__}", op=other())
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self._replace(node, f"without {type(node.op).__name__}", op=ast.UAdd() if _is_sign(node) else _Nothing())
        self.visit(node.operand)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, f"{node.value} -> {not node.value}", value=not node.value)
        elif isinstance(node.value, int):
            self._replace(node, f"{node.value} -> {node.value + 1}", value=node.value + 1)
            if node.value > 0:
                self._replace(node, f"{node.value} -> {node.value - 1}", value=node.value - 1)
        elif isinstance(node.value, float):
            for other in (node.value * 2, node.value / 2) if node.value else (1.0,):
                self._replace(node, f"{node.value} -> {other}", value=other)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("field", "TypeVar", "InputRefusedError", "UsageError", *STREAMS):
            return
        for keyword in node.keywords:
            if keyword.arg in KEYWORDS:
                continue
            if name != "Message":
                change = lambda k=keyword: node.keywords.remove(k)  # noqa: E731
                self._note(keyword.value, f"without {keyword.arg}=", change)
            self.visit(keyword.value)
        self.visit(node.func)
        for argument in node.args:
            self.visit(argument)


class _Nothing(ast.Not):
    """Stands for a `not` or `~` that was taken away; removed before the module is written."""


class _Without(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, _Nothing) else node


def _is_chunk(target: ast.expr) -> bool:
    name = target.id.lower() if isinstance(target, ast.Name) else ""
    return name in ("block", "_block", "_batch") or "chunk" in name or "batch_size" in name


def _is_sign(node: ast.UnaryOp) -> bool:
    return isinstance(node.op, ast.USub)


def places(source: str) -> list[tuple[int, str, Change]]:
    """Return all places of a module where a fault can be put."""
    visitor = Places()
    visitor.tree = ast.parse(source)
    visitor._body(visitor.tree.body)
    return [(line, what, lambda c=change: _made(visitor.tree, c)) for line, what, change in visitor.found]


def _made(tree: ast.Module, change: Change) -> str:
    change()
    return ast.unparse(ast.fix_missing_locations(_Without().visit(tree)))


def mutant(source: str, number: int) -> tuple[int, str, str]:
    """Return line, description and text of a mutant."""
    line, what, make = places(source)[number]
    return line, what, make()


def tree_copy(folder: Path) -> None:
    """Copy what git knows of, or would, into a folder."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def run_tests(files: tuple[str, ...], log: Path) -> int:
    """Run tests in a fork of this process; return pytest's answer, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        _be_tests(files, log)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_tests(files: tuple[str, ...], log: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(out, stream)
    code = 1
    try:
        import pytest

        options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=line", "-k", SKIPPED]
        answers = (int(pytest.main([*options, f"tests/{name}.py"])) for name in files)
        code = next((answer for answer in answers if answer not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)), 0)
    finally:
        os._exit(code)


def draw(modules: dict[str, str], share: float, least: int, seed: int) -> Iterator[tuple[str, int]]:
    """Yield modules and numbers of mutants: a share of all, at least a few of each module, in random order."""
    rng = random.Random(seed)
    chosen = []
    for name, source in modules.items():
        count = len(places(source))
        chosen += [(name, n) for n in rng.sample(range(count), min(count, max(least, round(share * count))))]
    rng.shuffle(chosen)
    yield from chosen


def main() -> None:
    """Draw, run, and write one line for each mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.mutants", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--least", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", choices=ROOMS, default="xai")
    parser.add_argument("--modules", help="some of the room's, joined by commas, such as xai/gate")
    options = parser.parse_args()
    guards = ROOMS[options.room]
    names = options.modules.split(",") if options.modules else list(guards)
    output = options.output.absolute()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        tree_copy(folder)
        os.chdir(folder)
        sys.path[0] = str(folder)
        os.environ.update(OMP_NUM_THREADS="1", MPLBACKEND="Agg")
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
        _preload(options.room)
        _run(folder, output, {name: guards[name] for name in names}, options)


def _preload(room: str) -> None:
    for name in PRELOADED[room].split():
        __import__(name)
    loaded = {name.replace("/", ".") for name in ROOMS[room]} & sys.modules.keys()
    if loaded:
        sys.exit(f"loaded before they are changed: {', '.join(sorted(loaded))}")
    gc.freeze()


def _run(folder: Path, output: Path, guards: Guards, options: argparse.Namespace) -> None:
    log = folder / "tests.log"
    sources = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in guards}
    survived = set()
    for time, (name, number) in enumerate(draw(sources, options.share, options.least, options.seed)):
        line, what, text = mutant(sources[name], number)
        path = folder / f"{name}.py"
        _write(path, text, 2 * time)
        code = run_tests(guards[name], log)
        _write(path, sources[name], 2 * time + 1)
        survived |= set() if code else {name}
        row = {"module": name, "line": line, "what": what, "number": number, "killed": code != 0, "code": code}
        with output.open("a", encoding="utf-8") as rows:
            rows.write(json.dumps(row) + "\n")
    _check(tuple(dict.fromkeys(file for name in sources.keys() - survived for file in guards[name])), log)
    _tell(output)


def _write(path: Path, text: str, time: int) -> None:
    """Write a module at a time of its own, so that Python never takes what it compiled of another one."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time, time))


def _check(files: tuple[str, ...], log: Path) -> None:
    """Run the tests that no mutant has survived without any mutant: they must not fail for another reason."""
    if files and run_tests(files, log) != 0:
        sys.exit(f"the tests fail without any mutant:\n{log.read_text()[-2000:]}")


def _tell(output: Path) -> None:
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    drawn, killed = Counter(r["module"] for r in rows), Counter(r["module"] for r in rows if r["killed"])
    for name in drawn:
        print(f"{name}: {killed[name]} of {drawn[name]}")
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN)
    low, high = wilson(killed.total(), drawn.total())
    print(f"all: {killed.total()} of {drawn.total()}, {low:.0%} to {high:.0%}")
    print(f"{seconds.ru_utime + seconds.ru_stime:.0f} s of processor time")


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    z, share = 1.959964, hits / total
    middle = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (middle - half) / (1 + z * z / total), (middle + half) / (1 + z * z / total)


if __name__ == "__main__":
    main()
