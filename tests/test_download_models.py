"""The launchers of the download: what an old Python is told, and what a double-click on Windows does."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_an_old_python_can_read_it_and_is_told() -> None:
    tree = ast.parse((ROOT / "download_models.py").read_text(encoding="ascii"), feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr))]
    program = (
        "import sys, runpy; sys.version_info = (3, 6, 9, 'final', 0); "
        f"runpy.run_path({str(ROOT / 'download_models.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ISICGUI needs Python 3.10 or newer; this is Python 3.6" in done.stderr


def test_without_its_packages_it_sets_up_first(tmp_path: Path) -> None:
    """-S: a Python without packages; the set-up is a stand-in that says what it was asked for."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['download_models.py', '--to', 'x y']; "
        "import core.environment.launcher as launcher; launcher.main = lambda argv: print(argv) or 7; "
        f"import runpy; runpy.run_path({str(ROOT / 'download_models.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-S", "-I", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert ast.literal_eval(done.stdout) == ["models", "download", "--to", "x y"], done.stderr
    assert done.returncode == 7


def test_it_works_from_any_folder(tmp_path: Path) -> None:
    script = str(ROOT / "download_models.py")
    done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "--from-file" in done.stdout


def test_windows_launcher() -> None:
    raw = (ROOT / "download_models.bat").read_bytes()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    text = raw.decode("ascii")
    assert text.index(".venv") < text.index("py -3 -c") < text.index("python -c")
    assert 'if "%~1"=="" pause' in text
    assert '"%~dp0download_models.py" %*' in text
