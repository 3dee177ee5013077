"""Set-up for real, in copies of the launchers: real virtual environments, real pip, kills, and two at once.

No network: pip is pointed at a folder with one small wheel. uv is not to be had there, so this also shows the fallback.
"""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE, wait_until
from tests.support.wheels import write_wheel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
POSIX = pytest.mark.skipif(os.name != "posix", reason="the shell launcher and process groups are POSIX")

MAIN = """\
import json, os, sys
import tiny
print(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "tiny": tiny.VALUE, "utf8": sys.flags.utf8_mode}))
sys.exit(7 if sys.argv[1:] == ["fail"] else 0)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the real launchers, a one-line program and one requirement; its path is not a simple one."""
    folder = tmp_path / "проект ISIC (копия) ü"
    for name in ("bootstrap.py", "run_isicgui.sh", "core/__init__.py", "core/errors.py", "core/message.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "core" / "environment", folder / "core" / "environment")
    (folder / "main.py").write_text(MAIN, encoding="utf-8")
    (folder / "requirements.txt").write_text("tiny==1.0  # a comment: ж\n", encoding="utf-8")
    lock = f"tiny==0.5 \\\n    --hash=sha256:{'0' * 64}\n"  # for uv alone; pip takes what is required
    (folder / "requirements.lock").write_text(lock, encoding="utf-8")
    write_wheel(tmp_path / "wheels", "tiny", "1.0", {"tiny.py": "VALUE = '1.0'\n"})
    return folder


def _variables(project: Path) -> dict[str, str]:
    wheels = str(project.parent / "wheels")
    closed = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return closed | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels, "PIP_CONFIG_FILE": os.devnull,
                     "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}  # fmt: skip


def _start(project: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(project / "run_isicgui.sh"), *arguments],
        cwd=project.parent,
        env=_variables(project),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = _start(project, *arguments)
    out, err = process.communicate(timeout=4 * PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@POSIX
def test_first_start_then_nothing_to_do_then_a_new_requirement(project: Path) -> None:
    first = _run(project, "generate", "--name", "два слова")
    assert first.returncode == 0, first.stderr
    said = ast.literal_eval(first.stdout)  # nothing else on standard output: it belongs to the command
    assert said == {"argv": ["generate", "--name", "два слова"], "cwd": str(project.parent), "tiny": "1.0", "utf8": 1}
    assert "==> Creating" in first.stderr

    second = _run(project, "fail")
    assert (second.returncode, second.stderr) == (7, "")

    write_wheel(project.parent / "wheels", "tiny", "2.0", {"tiny.py": "VALUE = '2.0'\n"})
    (project / "requirements.txt").write_text("tiny==2.0\n", encoding="utf-8")
    third = _run(project)
    assert third.returncode == 0, third.stderr
    assert ast.literal_eval(third.stdout)["tiny"] == "2.0"
    assert "==> Creating" not in third.stderr

    moved = project.rename(project.with_name("moved away"))
    fourth = _run(moved, "x")
    assert (fourth.returncode, fourth.stderr) == (0, "")

    shutil.rmtree(next((moved / ".venv").glob("lib/*/site-packages/tiny-2.0.dist-info")))
    (next((moved / ".venv").glob("lib/*/site-packages")) / "tiny.py").unlink()
    fifth = _run(moved, "x")
    assert fifth.returncode == 0, fifth.stderr


def _stamp(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


@POSIX
@pytest.mark.slow
def test_interrupted_half_way_it_finishes_next_time(project: Path) -> None:
    settings = project / ".venv" / "pyvenv.cfg"
    for sign in (signal.SIGKILL, signal.SIGINT):
        before = _stamp(settings)
        process = _start(project, "x")
        assert process.stderr is not None
        assert "==> Creating" in process.stderr.readline()
        wait_until(lambda before=before: _stamp(settings) not in (None, before))  # half way: pip is not there yet
        os.killpg(process.pid, sign)
        _, err = process.communicate(timeout=4 * PATIENCE)
        if sign == signal.SIGINT:
            assert process.returncode == 130
            assert "Run the same command again" in err
    finished = _run(project, "x")
    assert finished.returncode == 0, finished.stderr
    assert ast.literal_eval(finished.stdout)["tiny"] == "1.0"


@POSIX
def test_two_at_once_set_up_once(project: Path) -> None:
    processes = [_start(project, "x") for _ in range(2)]
    results = [process.communicate(timeout=4 * PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    said = "".join(err for _, err in results)
    assert said.count("==> Creating") == 1
    assert said.count("Another set-up of this folder is running") == 1


@POSIX
def test_a_requirement_that_cannot_be_had_is_told_and_is_not_forgotten(project: Path) -> None:
    (project / "requirements.txt").write_text("tiny==9.0\n", encoding="utf-8")
    failed = _run(project, "x")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "The packages could not be installed" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert (project / ".venv" / "isicgui-installing").exists(), "a failed set-up must not pass for a finished one"


@POSIX
def test_a_link_to_the_launcher_finds_the_project(project: Path, tmp_path: Path) -> None:
    link = tmp_path / "isicgui"
    link.symlink_to(os.path.relpath(project / "run_isicgui.sh", tmp_path))
    (project / "bootstrap.py").write_text("import sys; print(sys.argv)\n", encoding="utf-8")
    done = subprocess.run([link, "a b"], capture_output=True, text=True, check=True, cwd="/")
    assert ast.literal_eval(done.stdout) == [str(project / "bootstrap.py"), "a b"]


@POSIX
def test_without_a_python_the_launcher_says_so(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "readlink"):
        (tools / name).symlink_to(str(shutil.which(name)))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="ascii")  # an old Python fails the launcher's question
    old.chmod(0o755)
    shell = str(shutil.which("sh"))
    done = subprocess.run([shell, project / "run_isicgui.sh"], capture_output=True, text=True, env={"PATH": str(tools)})
    assert done.returncode == 1
    assert "needs Python 3.10" in done.stderr


def test_an_old_python_can_read_bootstrap_and_is_told() -> None:
    source = (ROOT / "bootstrap.py").read_text(encoding="ascii")
    tree = ast.parse(source, feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr))]
    program = (
        "import sys, runpy; sys.version_info = (3, 6, 9, 'final', 0); "
        f"runpy.run_path({str(ROOT / 'bootstrap.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ISICGUI needs Python 3.10 or newer; this is Python 3.6" in done.stderr


def test_set_up_needs_the_standard_library_alone() -> None:
    """-S -I: without site-packages, without user packages, without environment variables."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import core.environment.launcher; "
        "print(sorted({name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-S", "-I", "-c", program], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == ["__main__", "core"] or ast.literal_eval(done.stdout) == ["core"]


def test_windows_launcher() -> None:
    raw = (ROOT / "run_isicgui.bat").read_bytes()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    text = raw.decode("ascii")
    assert text.index("py -3 -c") < text.index("python -c")  # the version launcher first
    assert 'if not "%RESULT%"=="0" if "%~1"=="" pause' in text
    assert '"%~dp0bootstrap.py" %*' in text
