"""The end of a run: are the samples of its best weights copies of the photographs it trained on?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import InputRefusedError
from core.events import Notice
from core.images import open_picture
from diffusion.events import MemorisationJudged
from diffusion.trainer import DiffusionTrainer
from measures.features import judging_extractor
from measures.memorisation import Memorisation, judge_memorisation
from measures.memorisation_files import JSON_NAME, Names, save_memorisation


def judge(trainer: DiffusionTrainer, best: int) -> MemorisationJudged | Notice:
    """Judge samples, and write what was found into the run's folder; a notice says why it is not possible.

    In features of the classifier that judges where that is quick, which is on a GPU; else in pixels alone.

    Parameters
    ----------
    best
        Number of images at the evaluation whose samples are judged.
    """
    data = trainer.data
    samples = read_sheet(trainer.sheet_path(best), trainer.config.image_size)
    extractor = judging_extractor(trainer.device) if trainer.device.type == "cuda" else None
    try:
        result = judge_memorisation(samples, data.train.pixels, data.validation.pixels, extractor)
    except InputRefusedError as error:
        return Notice("memorisation", f"Whether the samples are copies cannot be judged: {error.message}")
    names = Names((), *data.names)
    save_memorisation(result, trainer.output, samples, data.train.pixels, names)
    return MemorisationJudged(
        excess=result.excess,
        low=result.low,
        high=result.high,
        flagged=result.flagged,
        n=result.n,
        sentence=sentence(result),
        file=trainer.output / JSON_NAME,
    )


def sentence(result: Memorisation) -> str:
    """Return what was found in plain words."""
    found = (
        f"{result.flagged} of {result.n} samples are as near to a training photograph as only {result.expected:.1%} of "
        f"photographs of other lesions are; beyond chance that is {result.excess:+.1%} "
        f"(95 % interval {result.low:+.1%} to {result.high:+.1%})"
    )
    verdict = "the generator copies" if result.low > 0 else "no sign that it copies"
    return f"{found}: {verdict}."


def read_sheet(path: Path, size: int) -> NDArray[np.uint8]:
    """Return the images of a sample sheet, uint8 (N, 3, size, size), row by row; what is left at its edges is no image.

    Raises
    ------
    InputRefusedError
        If it is no PNG, or damaged.
    """
    with open_picture(path, ("PNG",)) as picture:
        sheet = np.array(picture.convert("RGB"))
    rows, columns = sheet.shape[0] // size, sheet.shape[1] // size
    sheet = sheet[: rows * size, : columns * size]
    return sheet.reshape(rows, size, columns, size, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 3, size, size)
