"""One call for those who only want the picture."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PIL import Image

from core.taxonomy import CLASS_INDEX
from core.utils.path_manager import PathManager
from xai.explain import explain_image
from xai.explanation import ExplainOptions
from xai.report import save_explanations


def run_xai_analysis(
    image_path: Path | str,
    device: str | None = None,
    classifier_path: Path | str | None = None,
    save_dir: Path | str | None = None,
) -> tuple[Image.Image, Path]:
    """Explain one image by Integrated Gradients with a skin-tone baseline, and keep everything on disk.

    Parameters
    ----------
    device
        `auto` if None.
    classifier_path
        `classifier.pth` or a classifier folder; the starter classifier if None.
    save_dir
        Where the files go; a new folder under `<output>/xai_results` if None.

    Returns
    -------
    The overlay with the gate's mark, and the file it was saved to. Where there is no evidence it says so.

    Raises
    ------
    InputRefusedError, ModelRefusedError, DeviceError, OutputError
    """
    image = Path(image_path)
    classifier = None if classifier_path is None else Path(classifier_path)
    explanations = explain_image(image, ExplainOptions(classifier=classifier, device=device or "auto"))
    saved = save_explanations(explanations, default_folder(image) if save_dir is None else Path(save_dir))
    with Image.open(saved.overlays[0]) as overlay:
        return overlay.convert("RGB"), saved.overlays[0]


def default_folder(image: Path) -> Path:
    """Return a new folder for the analysis of an image: `<output>/xai_results/<timestamp>_<CLASS>_<stem>`.

    The output folder is the one that holds the class folder in which the image is, else the image's own; then there
    is no class in the name. Each class has an image of each number: the stem alone would not say which it is.
    """
    parent = image.absolute().parent
    is_classed = parent.name in CLASS_INDEX
    output, code = (parent.parent, f"{parent.name}_") if is_classed else (parent, "")
    stamp = datetime.now().strftime("%Y%m%d_%H%M%S_%f")[:-3]
    return output / "xai_results" / f"{stamp}_{code}{PathManager.safe_component(image.stem)}"
