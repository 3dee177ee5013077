"""How strongly real images usually move a classifier: the yardstick of the gate's "weak evidence".

`python -m xai.strength CLASSIFIER FOLDER` prints the value for `strength_p5` in `classifier.json`, measured on
photographs that the classifier was not trained on, sorted into one folder for each class.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from core.errors import InputRefusedError
from core.message import Message
from core.models.classification.loading import to_tensor
from core.taxonomy import CLASS_CODES
from xai.baselines import make_baselines
from xai.classifier import Classifier, load_classifier
from xai.explain import STRENGTH_BASELINE
from xai.subject import Subject, read_subject

PERCENTILE = 5


def strength_p5(classifier: Classifier, subjects: Iterable[Subject]) -> float:
    """Return the 5th percentile of |logit of the label - its logit at the skin baseline| over labelled pictures.

    Raises
    ------
    InputRefusedError
        If no picture has a label that the classifier knows.
    """
    strengths = [_strength(classifier, s) for s in subjects if s.label in classifier.index]
    if not strengths:
        raise InputRefusedError(
            Message("There is no image with a class of the classifier."),
            remedy=Message("Sort the images into folders named MEL, NV and so on."),
        )
    return float(np.percentile(strengths, PERCENTILE))


def _strength(classifier: Classifier, subject: Subject) -> float:
    (baseline,) = make_baselines(STRENGTH_BASELINE, subject.image)
    with torch.no_grad():
        image, plain = classifier.logits(torch.cat([to_tensor(subject.image), to_tensor(baseline)]))
    index = classifier.index[str(subject.label)]
    return abs(float(image[index] - plain[index]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the strength of a classifier on a folder of class folders."""
    parser = argparse.ArgumentParser(prog="python -m xai.strength", description=__doc__)
    parser.add_argument("classifier", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    images = [path for code in CLASS_CODES for path in sorted((options.folder / code).glob("*.[jp][pn]g"))]
    strength = strength_p5(load_classifier(options.classifier), map(read_subject, images))
    sys.stdout.write(f"{strength:.4f}\n")


if __name__ == "__main__":
    main()
