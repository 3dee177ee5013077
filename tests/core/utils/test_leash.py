"""The leash by which a window holds its commands; how a window uses it is tested with the window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.utils.leash import INTERRUPTED, VARIABLE
from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]


def start(body: str, leash: str = "stdin") -> subprocess.Popen[str]:
    script = f"import sys, time\nsys.path.insert(0, {str(ROOT)!r})\nfrom core.utils.leash import obey_leash\n{body}"
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, VARIABLE: leash},
    )


def test_two_stops_are_two_interrupts() -> None:
    process = start("""
import signal
hits = []
def hit(*_):
    hits.append(1)
    print("hit", flush=True)
signal.signal(signal.SIGINT, hit)
obey_leash()
print("ready", flush=True)
while len(hits) < 2:
    time.sleep(0.01)
""")
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(2):
        process.stdin.write("stop\n")
        process.stdin.flush()
        assert process.stdout.readline() == "hit\n"
    assert process.wait(PATIENCE) == 0
    process.stdin.close()
    process.stdout.close()


def test_the_end_of_the_window_is_an_interrupt_and_then_the_end() -> None:
    body = """
import signal
signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
obey_leash(grace=3)
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""
    process = start(body)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    rest, _ = process.communicate(timeout=PATIENCE)
    assert rest == "interrupted\n"
    assert process.returncode == INTERRUPTED


def test_a_command_typed_by_a_person_keeps_its_input() -> None:
    process = start("print(obey_leash(), sys.stdin.read())", leash="")
    assert process.communicate("words", timeout=PATIENCE)[0] == "False words\n"


def test_what_the_command_starts_is_not_held_and_finds_no_input() -> None:
    process = start("""
import os, subprocess
print(obey_leash())
code = "import os, sys; print(os.environ.get('ISICGUI_LEASH'), sys.stdin.read() == '')"
print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout, end="")
""")
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    assert process.stdout.readline() == "None True\n"
    process.communicate(timeout=PATIENCE)
