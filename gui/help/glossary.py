"""The words of the field, each explained in a sentence or two that a newcomer can follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gui.i18n import tr


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means here."""

    name: str
    meaning: str


def terms() -> tuple[Term, ...]:
    """Return the glossary in the language of the window, in alphabetical order."""
    return tuple(sorted((Term(*pair) for pair in _pairs()), key=lambda term: term.name.casefold()))


def matching(found: Iterable[Term], text: str) -> list[Term]:
    """Return the terms that contain all words of a text; those that contain them in their name come first."""
    wanted = text.casefold().split()
    hits = [term for term in found if all(word in f"{term.name} {term.meaning}".casefold() for word in wanted)]
    return sorted(hits, key=lambda term: not all(word in term.name.casefold() for word in wanted))


def _pairs() -> tuple[tuple[str, str], ...]:
    return (*_about_denoising(), *_about_settings(), *_about_evidence(), *_about_maps(), *_about_judging())


def _about_denoising() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Seed"),
            tr(
                "The number from which all random numbers of an image are derived. The same seed "
                "with the same settings and models gives the same image again."
            ),
        ),
        (
            tr("Denoising step"),
            tr(
                "One pass of the network: it predicts the clean image from the noisy one, and the "
                "sampler removes part of the noise."
            ),
        ),
        (
            tr("Timestep"),
            tr(
                "How noisy an image is on its way from pure noise to the finished image. High "
                "timesteps are almost pure noise, timestep 0 is the finished image."
            ),
        ),
        (
            tr("Noisy image and predicted image"),
            tr(
                "The noisy image, xₜ, is the input of the network at a step. The predicted image, "
                "x₀, is its estimate of the finished image at that step."
            ),
        ),
        (
            tr("Trajectory"),
            tr("All denoising steps of one image, from noise to the finished image."),
        ),
        (
            tr("Sampler"),
            tr(
                "The rule by which the predictions of the network turn noise into an image. "
                "Samplers differ in how many steps they need; each gives other images for the same "
                "seed."
            ),
        ),
    )


def _about_settings() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Guidance"),
            tr(
                "How strongly a model of several classes is pushed towards the target class. 1 is "
                "no push. A strong push gives images that are more typical and less varied."
            ),
        ),
        (
            tr("Precision"),
            tr(
                "The number format of the network's computations. fp32 is exact and slow; bf16 and "
                "fp16 need half the memory and are faster where the hardware supports them. Images "
                "differ slightly between formats."
            ),
        ),
        (
            tr("Batch size"),
            tr("How many images are generated at once. It changes the speed and the memory needed."),
        ),
        (
            tr("Colour correction"),
            tr(
                "Shifts the colours of a finished image towards statistics of real images of its "
                "class, where such statistics are next to the models and a model needs them."
            ),
        ),
        (
            tr("Checkpoint"),
            tr("The weights of a network in a file. A folder with weights, settings and a model card is a model pack."),
        ),
        (
            tr("Recipe"),
            tr(
                "The generation parameters that are stored inside each image, enough to reproduce "
                "it: class, seed, sampler, steps, models and more."
            ),
        ),
        (
            tr("Run"),
            tr("One generation job: a number of images of some classes with the same settings."),
        ),
    )


def _about_evidence() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Classifier"),
            tr(
                "A network that assigns probabilities to the classes of an image. It makes no "
                "diagnosis: it was trained on a limited set of images and can be wrong."
            ),
        ),
        (
            tr("Logit"),
            tr(
                "The score a classifier gives a class before the scores are turned into "
                "probabilities. Attributions are given in logits, because logits are additive."
            ),
        ),
        (
            tr("Attribution"),
            tr(
                "How much each part of an image supports or opposes a class according to the "
                "classifier. It explains the classifier, not the skin."
            ),
        ),
        (
            tr("Baseline"),
            tr(
                "The reference image that an explanation compares with, for example plain skin. "
                "Another baseline gives another map."
            ),
        ),
    )


def _about_maps() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Integrated Gradients"),
            tr(
                "Follows the logit on the path from the baseline to the image and attributes the "
                "change to the pixels. The attributions sum to the logit difference "
                "(completeness); the completeness error says how closely."
            ),
        ),
        (
            tr("Shapley value"),
            tr(
                "The contribution of each region of an image: its effect averaged over all orders "
                "in which the regions can be added to the baseline."
            ),
        ),
        (
            tr("Grad-CAM"),
            tr(
                "Shows the coarse regions in which the last convolutional layers respond to the "
                "class. The map is only as fine as these layers."
            ),
        ),
        (
            tr("Occlusion"),
            tr("Covers one region after another and records how the logit changes."),
        ),
        (
            tr("Reliability check"),
            tr(
                "Checks whether a classifier and an attribution map can be relied on. Green: "
                "checks passed. Amber: caution. Red: checks failed, so the map is not shown as an "
                "explanation. The reason is always given."
            ),
        ),
        (
            tr("Faithfulness"),
            tr(
                "Whether a map shows what the classifier really uses: removing the regions it "
                "marks must change the logit more than removing random regions."
            ),
        ),
    )


def _about_judging() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Kernel distance"),
            tr(
                "How far apart two sets of images are in some features; called KID (Kernel Inception Distance) only "
                "with those of the Inception network. Lower is closer; few images give a wide confidence interval."
            ),
        ),
        (
            tr("Memorisation"),
            tr("When a generator reproduces its training images instead of generating new ones."),
        ),
        (
            tr("Balanced accuracy"),
            tr(
                "The share of correct predictions of a classifier, averaged over the classes, so that "
                "rare ones count too."
            ),
        ),
        (
            tr("Data set card"),
            tr("A page that says how a data set was made, what it is for and what it must not be used for."),
        ),
    )
