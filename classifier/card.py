"""The model card: data, licence, how it was trained, what it can do, what it must not be used for."""

from __future__ import annotations

from pathlib import Path

from classifier.config import ClassifierConfig
from classifier.data import Split
from classifier.report import Report, confusion_table, summary
from core.training.runtime import Checkpoint
from core.utils.atomic import write_text_atomic

_CARD = """# ResNet-18 lesion classifier (starter)

A small classifier of dermatoscopic images into the seven classes of ISIC 2018 Task 3, so that explanations and
measurements work before anybody has trained a better one. **For research only: it is no medical device, and nobody
should be examined, reassured or treated on its word.**

## Files
- `model.safetensors`: torchvision `resnet18(num_classes=7)` state dict, fp16; load it into the fp32 network.
- `classifier.json`: classes in order, input size, mean and standard deviation, temperature, measured quality. The same
  JSON is in the metadata of the weights under the key `isicgui`.

Input: RGB on the 0..1 scale, the central square resized to {size}x{size} (bilinear, antialiased), minus mean
{mean}, divided by {std}. Divide the logits by `temperature` before a softmax that is to be
read as a probability.

## Data, licence, credit
HAM10000 / ISIC 2018 Task 3, CC BY-NC 4.0, "ViDIR Group, Department of Dermatology, Medical University of Vienna". The
weights inherit these terms: **CC BY-NC 4.0, non-commercial, credit required.**

- Tschandl P, Rosendahl C, Kittler H. The HAM10000 dataset, a large collection of multi-source dermatoscopic images of
  common pigmented skin lesions. Scientific Data 5:180161 (2018). doi:10.1038/sdata.2018.161
- Codella N, Rotemberg V, Tschandl P, et al. Skin Lesion Analysis Toward Melanoma Detection 2018. arXiv:1902.03368
  (2019)

Trained on {train_images} images of {train_lesions} lesions, selected on {validation_images} images of
{validation_lesions} others, measured on lesions that served neither. No lesion has images in two of the three
splits (`split_hash` is the SHA-256 of the held-out lesion ids). Naevi were thinned to one image a lesion beforehand.

## Training
From random weights (no ImageNet pretraining), {images_seen} draws of images (epoch {epoch} of the run, the one with the
best balanced accuracy on the validation lesions, {best:.3f}; that number is optimistic because it was used to choose),
{minutes:.0f} minutes of wall-clock time up to there on {hardware}; precision `{precision}`. All classes drawn equally
often; random turns, mirrors, scales, shifts and mild changes of colour; AdamW {rate}, cosine schedule, label
smoothing {smoothing}, batch {batch}.

## Measured
- Held-out lesions: {summary}.
{extra}
Chance is 0.143. Rows are true classes, columns predictions, on the held-out lesions:

{table}

## Known faults
- Trained from scratch on few images: published classifiers with ImageNet pretraining reach 0.80 and more. Melanoma is
  missed often (see its recall above); the rare classes rest on few held-out lesions, hence the wide interval.
- One clinic's patients, cameras and habits, mostly light skin; other cameras, skin tones, crops or rulers, hair and ink
  can change the answer.
- Labels of naevi are mostly by follow-up or consensus, not histology.
- It answers with one of seven classes to whatever it is shown, a photograph of a cat included.
"""


def write_card(
    folder: Path,
    config: ClassifierConfig,
    state: Checkpoint,
    fitted: tuple[Split, Split],
    report: Report,
    extra: Report | None,
    hardware: str,
) -> None:
    """Write `README.md` into `folder`; `fitted` are the training and the validation split."""
    train, validation = fitted
    text = _CARD.format(
        size=config.image_size, mean=state["mean"], std=state["std"],
        train_images=len(train), train_lesions=len(set(train.lesions)),
        validation_images=len(validation), validation_lesions=len(set(validation.lesions)),
        images_seen=state["images_seen"], epoch=state["epoch"], best=state["best"], minutes=state["seconds"] / 60,
        precision=config.precision,
        hardware=hardware,
        rate=config.learning_rate, smoothing=config.label_smoothing, batch=config.batch_size,
        summary=summary(report), table=confusion_table(report),
        extra=f"- ISIC 2018 Task 3 validation images, lesions of their own: {summary(extra)}.\n" if extra else "",
    )  # fmt: skip
    write_text_atomic(folder / "README.md", text)
