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
                "The number that all random numbers of an image follow from. The same seed with the same settings and "
                "models gives the same image again."
            ),
        ),
        (
            tr("Denoising step"),
            tr(
                "One pass of the network: it looks at the noisy image and guesses the clean one, and the sampler takes "
                "away part of the noise."
            ),
        ),
        (
            tr("Timestep"),
            tr(
                "How noisy an image is on its way from pure noise to a picture. High timesteps are almost pure noise, "
                "timestep 0 is the finished image."
            ),
        ),
        (
            tr("Noisy image and predicted image"),
            tr(
                "The noisy image, xₜ, is what the network is given at a step. The predicted image, x₀, is what it "
                "believes at that step the finished image will look like."
            ),
        ),
        (
            tr("Trajectory"),
            tr("The whole way of one image from noise to picture, step by step."),
        ),
        (
            tr("Sampler"),
            tr(
                "The rule by which the guesses of the network turn noise into an image. Samplers differ in how many "
                "steps they need; each gives other images for the same seed."
            ),
        ),
    )


def _about_settings() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Guidance"),
            tr(
                "How strongly a model that knows several classes is pushed towards the wanted one. 1 is no push. A "
                "strong push gives images that are more typical and less varied."
            ),
        ),
        (
            tr("Precision"),
            tr(
                "The number format the network computes in. fp32 is exact and slow; bf16 and fp16 need half the memory "
                "and are faster where the hardware has them. Images differ slightly between formats."
            ),
        ),
        (
            tr("Batch size"),
            tr("How many images are made at once. It changes the speed and the memory needed."),
        ),
        (
            tr("Colour correction"),
            tr(
                "Shifts the colours of a finished image towards statistics of real images of its class, where such "
                "statistics lie beside the models and a model needs them."
            ),
        ),
        (
            tr("Checkpoint"),
            tr("The weights of a network in a file. A folder with weights, settings and a model card is a model pack."),
        ),
        (
            tr("Recipe"),
            tr(
                "Everything that is needed to make an image again: class, seed, sampler, steps, models and more. It is "
                "written inside each image."
            ),
        ),
        (
            tr("Run"),
            tr("One piece of work: a number of images of some classes with the same settings."),
        ),
    )


def _about_evidence() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Classifier"),
            tr(
                "A network that says which class a picture looks like to it. It is no doctor: it was trained on a "
                "limited set of pictures and can be wrong."
            ),
        ),
        (
            tr("Logit"),
            tr(
                "The score a classifier gives a class before the scores are turned into probabilities. Explanations "
                "are counted in logits, because logits add up."
            ),
        ),
        (
            tr("Attribution"),
            tr(
                "How much each part of a picture counts for or against a class in the eyes of the classifier. It "
                "explains the classifier, not the skin."
            ),
        ),
        (
            tr("Baseline"),
            tr(
                "The picture without evidence that an explanation compares with, for example plain skin. Another "
                "baseline asks another question and gives another map."
            ),
        ),
    )


def _about_maps() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("Integrated Gradients"),
            tr(
                "Follows the score on the way from the baseline to the picture and shares the change out among the "
                "pixels. The shares add up to the change; the gap says how closely they do."
            ),
        ),
        (
            tr("Shapley value"),
            tr(
                "The fair share of each part of a picture: its effect averaged over all orders in which the parts can "
                "be added to the baseline."
            ),
        ),
        (
            tr("Grad-CAM"),
            tr(
                "Shows in which coarse region the classifier's last layers find their evidence. The map is only as "
                "fine as these layers."
            ),
        ),
        (
            tr("Occlusion"),
            tr("Covers one place after another and notes how the score changes."),
        ),
        (
            tr("Gate"),
            tr(
                "Checks whether a classifier and a map deserve to be believed. Green: evidence. Amber: doubtful. Red: "
                "not evidence, so no map is shown as such. The reason is always given."
            ),
        ),
        (
            tr("Faithfulness"),
            tr(
                "Whether a map tells what the classifier really uses: taking away what it calls important must change "
                "the score more than taking away random parts."
            ),
        ),
    )


def _about_judging() -> tuple[tuple[str, str], ...]:
    return (
        (
            tr("KID"),
            tr(
                "Kernel Inception Distance: how far two sets of pictures lie apart in the eyes of a network. Smaller "
                "is closer; few pictures give a wide error."
            ),
        ),
        (
            tr("Memorisation"),
            tr("When a generator repeats pictures it was trained on instead of making new ones."),
        ),
        (
            tr("Balanced accuracy"),
            tr("The share of right answers of a classifier, averaged over the classes, so that rare ones count too."),
        ),
        (
            tr("Data set card"),
            tr("A page that says how a data set was made, what it is for and what it must not be used for."),
        ),
    )
