"""The real engine behind the process, from request to overlay; torch stays where it belongs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, sys
from dataclasses import replace
from pathlib import Path
from core.cancel import CancelToken
from core.generation import GenerationRequest
from gui.workers.local_engine import LocalEngine
from gui.explain.map_drawing import draw_maps
from gui.workers.process_engine import ProcessEngine
from xai.explanation import ExplainOptions

def main(folder):
    engine = ProcessEngine(LocalEngine)
    info = engine.warm_up()
    request = GenerationRequest((("MEL", 2),), folder / "models", folder / "out", steps=3, device="cpu")
    told = engine.estimate_run(request)
    memory = engine.memory()
    events = list(engine.generate(request, CancelToken()))
    image = folder / "out" / "MEL" / "ISIC_0000001.png"
    options = ExplainOptions(classifier=folder / "classifier", device="cpu")
    found = list(engine.explain(image, replace(options, methods=("ig", "gradcam")), "MEL", CancelToken()))
    drawn = draw_maps(found, "jet")
    table = engine.compare(tuple(found))
    page = engine.keep(tuple(found), image, folder / "kept", "jet")
    saved = engine.explain_to_disk(image, options)
    again = engine.make_again(image, folder / "models")
    loaded = sorted({"torch", "diffusers", "torchvision", "matplotlib"} & set(sys.modules))
    engine.close()
    print(json.dumps({
        "devices": [device.key for device in info.devices],
        "events": [event.name for event in events],
        "foreseen": [told.device, told.image_size],
        "memory": [[device.key, 0 < device.free <= device.total] for device in memory],
        "written": events[-1].written,
        "overlay": drawn[0].overlay.shape,
        "colors": drawn[0].colors.shape,
        "agreement": [[pair["a"], pair["b"], -1 <= pair["spearman"] <= 1] for pair in table],
        "maps": [[one.method, one.target] for one in found],
        "kept": sorted(file.name for file in page.parent.iterdir()),
        "saved": saved.is_file(),
        "again": [again.max_difference, list(again.pixels.shape), list(again.notes)],
        "loaded": loaded,
    }))

if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""


def test_from_request_to_overlay_without_torch_in_the_windows_process(tmp_path: Path) -> None:
    write_tiny_pack(tmp_path / "models" / "tiny")
    write_tiny_classifier(tmp_path / "classifier")
    script = tmp_path / "talk.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ISICGUI_HOME": str(tmp_path / "home"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["loaded"] == []
    assert told["devices"][0] == "cpu"
    assert told["foreseen"] == ["cpu", 16]
    assert told["memory"] == [[key, True] for key in told["devices"]]
    assert told["events"][0] == "started"
    assert told["events"][-1] == "finished"
    assert told["events"].count("image") == told["written"] == 2
    assert told["events"].count("step") == 6
    assert told["overlay"][2] == 3
    assert told["colors"][1] == 3
    assert told["again"] == [0, [16, 16, 3], []]
    assert told["agreement"] == [["ig", "gradcam", True]]
    assert told["maps"] == [["ig", "MEL"], ["gradcam", "MEL"]]
    assert {"report.html", "analysis.json", "ISIC_0000001_ig_MEL.npz"} <= set(told["kept"])
    assert told["saved"]
