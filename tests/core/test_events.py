"""Events as JSON: complete, plain, and without pictures."""

import json
from pathlib import Path

import numpy as np

from core.events import ImageDone, Preview, Step


def test_an_image_event_is_one_plain_json_object():
    event = ImageDone("MEL", 0, 1, Path("out/MEL/ISIC_0000001.png"), 7, "ab", 1, 2, 0.5, None, None)
    data = json.loads(json.dumps(event.to_json(), allow_nan=False))
    assert data["event"] == "image"
    assert data["class"] == "MEL"
    assert data["file"] == str(Path("out/MEL/ISIC_0000001.png"))
    assert data["rate"] is None


def test_pictures_stay_out_of_json():
    picture = np.zeros((2, 2, 3), np.uint8)
    data = Step("NV", 1, 20, 940, (1, 2), Preview(picture, picture)).to_json()
    assert data == {"event": "step", "class": "NV", "step": 1, "steps": 20, "timestep": 940, "images": [1, 2]}
