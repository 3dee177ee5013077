"""What images are compared by."""

from __future__ import annotations

import numpy as np
import torch

from measures.features import equal_length, load_extractor
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


def test_every_image_counts_alike_whatever_it_excites(tmp_path):
    extractor = load_extractor(write_tiny_classifier(tmp_path / "tiny"))
    images = np.stack([draw_lesion(code) for code in ("MEL", "NV", "VASC")]).transpose(0, 3, 1, 2)
    features = extractor(images)
    assert np.allclose((features**2).mean(1), 1)
    assert np.allclose(features[1:], extractor(images[1:]), atol=1e-5)
    assert not np.allclose(features[0], features[2], atol=0.1)


def test_direction_is_kept_and_nothing_stays_nothing():
    rows = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert torch.allclose(equal_length(rows), torch.tensor([[0.6, 0.8], [0.0, 0.0]]) * 2**0.5)
