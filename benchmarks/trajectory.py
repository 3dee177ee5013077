"""Times the full analysis of one trajectory of the starter model, stage by stage.

    python -m benchmarks.trajectory [--groups 8] [--quick] [--output FOLDER]

Wall time depends on what else the machine does; processor time divided by the number of cores is what an idle machine
would need at best. Last measured 2026-11-28 on 2 quiet cores of an AMD EPYC, bf16, torch 2.14, 8 groups: 82 s (n = 1),
67 s of it Time-SHAP, 111 s of processor time; 1,050 denoising steps for 256 coalitions instead of 5,120.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import core  # noqa: F401  # isort: skip  # before torch: sets how its threads wait
import torch

from xai.trajectory.request import DEFAULT_GROUPS, TrajectoryRequest
from xai.trajectory.run import run_analysis


def main() -> None:
    """Analyse one MEL image and print what each stage took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trajectory", description=__doc__)
    parser.add_argument("--groups", type=int, default=DEFAULT_GROUPS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    folder = options.output or Path(tempfile.mkdtemp())
    wall, processor = time.perf_counter(), time.process_time()
    run_analysis(TrajectoryRequest(folder, groups=options.groups, quick=options.quick))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    data = json.loads((folder / "analysis.json").read_text(encoding="utf-8"))
    for stage, seconds in data["seconds"].items():
        print(f"{stage:14} {seconds:7.1f} s")
    played = data["time_shap"]
    print(f"{'all':14} {wall:7.1f} s, {processor:.1f} s of processor time on {torch.get_num_threads()} threads")
    print(f"{played['steps_taken']} denoising steps for {played['coalitions_played']} coalitions")


if __name__ == "__main__":
    main()
