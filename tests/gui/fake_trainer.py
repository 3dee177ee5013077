"""A stand-in for commands such as `main.py train`: writes a folder and says what a script tells it to, step by step.

The script is the JSON file that FAKE_TRAINING names: a list of events, of ``{"wait": "FILE"}`` (until that file is
there), of ``{"exit": N}`` and of ``{"last words": TEXT}``. OUTPUT in texts is the run's folder. A stop gives 130.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.utils.leash import obey_leash

LOGGED = {"step": "loss", "evaluated": "evaluated", "finished": "finished"}


def main() -> int:
    obey_leash()
    arguments = sys.argv[1:]
    output = Path(arguments[arguments.index("--output") + 1])
    output.mkdir(parents=True, exist_ok=True)
    (output / "arguments.json").write_text(json.dumps(arguments), encoding="utf-8")
    if arguments[0] == "train":
        begin(output, arguments)
    script = Path(os.environ["FAKE_TRAINING"]).read_text(encoding="utf-8")
    try:
        for line in json.loads(script.replace("OUTPUT", output.as_posix())):
            if "exit" in line:
                return line["exit"]
            carry_out(line, output)
    except KeyboardInterrupt:
        (output / "last.pt").write_bytes(b"kept")
        say({"event": "finished", "status": "stopped", "run": str(output), "output": str(output), "images": 1})
        return 130
    return 0


def begin(output: Path, arguments: list[str]) -> None:
    if "--resume" not in arguments:
        data = arguments[arguments.index("--data") + 1]
        config = {"kind": arguments[1], "name": "fake", "data": data, "timestamp": "2026-11-20T12:00:00+00:00"}
        (output / "config.json").write_text(json.dumps({**config, "settings": {}}), encoding="utf-8")


def carry_out(line: dict, output: Path) -> None:
    if "wait" in line:
        while not Path(line["wait"]).exists():
            time.sleep(0.01)
    elif "last words" in line:
        print(line["last words"], file=sys.stderr, flush=True)
    else:
        say(line)
        if line["event"] in LOGGED:
            row = {**line, "event": LOGGED[line["event"]]}
            with (output / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(row) + "\n")


def say(event: dict) -> None:
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    sys.exit(main())
