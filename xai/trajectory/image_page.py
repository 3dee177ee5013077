"""The report on one image: verdict first, then pictures, then numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from reports.model import Block, Bullets, Details, Facts, Figure, Paragraph, Report, Section, Table
from xai.explanation import signed
from xai.report_page import gate_verdict
from xai.trajectory.folders import Drawn
from xai.trajectory.plots import ROWS
from xai.trajectory.shift import TITLES
from xai.trajectory.words import long, say_logit


def report_on_image(data: Mapping[str, Any], drawn: Drawn) -> Report:
    """Return the report on one image.

    Parameters
    ----------
    data
        As in `analysis.json`.
    """
    image = data["image"]
    came = ("trajectory_all_steps.png", "probabilities_over_time.png")
    sections = [
        _verdict(data),
        *shown(drawn, "How the image formed", came, _how(data)),
        *_time(data["time_shap"], drawn),
        *shown(drawn, "Which regions the classifier uses", _step_names(drawn), _MAPS),
        _causal(data, drawn),
        *shown(drawn, "GradCAM", ["gradcam_overview.png"], _CAM),
        _about(data, drawn),
    ]
    title = f"Why {long(image['class'])}? The image with seed {image['seed']}"
    return Report(title, (), sections, f"Trajectory of {image['class']} {image['index']}")


def shown(drawn: Drawn, title: str, names: Iterable[str], words: str) -> Iterator[Section]:
    """Yield a section of those of the named pictures that could be drawn, if there is one."""
    found = pictures(drawn, names, title)
    if found:
        yield Section(title, [Paragraph(words, "muted"), *found])


def pictures(drawn: Drawn, names: Iterable[str], title: str) -> list[Figure]:
    """Return those of the named pictures that could be drawn."""
    found = [(name, drawn.pictures[name]) for name in names if name in drawn.pictures]
    return [Figure(picture, f"{title} ({name})", captioned=False) for name, picture in found]


_MAPS: Final = (
    "Red regions raise the logit of the class, blue ones lower it, compared with the image's own skin tone. All maps "
    "of one method share one scale, that of the colour bar, so that a pale map is a weak one. White outlines: the "
    "top 10 % of pixels of the first map; dotted: its bottom 10 %."
)
_CAM: Final = "Grad-CAM is coarse: it has one value per cell of the feature map, whatever the smooth image suggests."


def _verdict(data: Mapping[str, Any]) -> Section:
    sentences = [Paragraph(sentence) for sentence in data["verdict"]]
    logit = Paragraph(say_logit(data["classifier"]["temperature"]), "muted")
    return Section("Verdict", [gate_verdict(data["gate"]["level"]), *sentences, logit])


def _how(data: Mapping[str, Any]) -> str:
    kept = ", ".join(str(frame["step"]) for frame in data["frames"])
    return (
        f"From left to right step {kept} of {len(data['timesteps'])}: above the input of the network, below the "
        "predicted image. The last one is the image as it is saved."
    )


def _names(drawn: Drawn, start: str) -> list[str]:
    return [name for name in drawn.pictures if name.startswith(start)]


def _step_names(drawn: Drawn) -> list[str]:
    """Return the rows of panels, without the single overlays next to them."""
    return [name for name in _names(drawn, "xai_step_t_") if name.count("_") == 3]


def _time(played: Mapping[str, Any], drawn: Drawn) -> Iterator[Section]:
    rows = [
        (
            _span(group["first_step"], group["last_step"]),
            _span(group["first_timestep"], group["last_timestep"]),
            signed(group["phi"]),
            "exact" if group["standard_error"] is None else f"\u00b1 {group['standard_error']:.3f}",
        )
        for group in played["groups"]
    ]
    words = (
        "Which steps decide the class? Each bar is a Shapley value: what a group of steps adds to the logit, averaged "
        f"over every order of the groups. Here {played['neutral_action_in_words']}. The values "
        f"sum to {signed(played['v_all'] - played['v_none'])}: the logit of this image, {signed(played['v_all'])}, "
        f"minus that of the image with all steps ablated, {signed(played['v_none'])}."
    )
    yield from shown(drawn, "When the class appeared", ["time_shap_analysis.png"], words)
    table = Table(("steps", "timesteps", "logits", "standard error"), rows)
    yield Section("Time-SHAP in numbers", [table, Facts(list(_time_facts(played).items()))])


def _time_facts(played: Mapping[str, Any]) -> dict[str, object]:
    return {
        "method": played["method"],
        "error of the sum": f"{played['efficiency_error']:.1g} logits",
        "coalitions evaluated": played["coalitions_played"],
        "groups of steps computed": f"{played['segments_walked']}, instead of {played['segments_without_sharing']}",
        "orders sampled": played["orders_sampled"] or "none: the values are exact",
        "Hoeffding's bound": f"{played['hoeffding']['orders_needed_if_sampled']} sampled orders keep an error "
        f"below {played['hoeffding']['eps_logits']} logits with 95 % confidence (observed range "
        f"{played['marginal_range']:.2f})",
    }


def _span(first: float, last: float) -> str:
    return f"{first:g}" if first == last else f"{first:g} to {last:g}"


def _causal(data: Mapping[str, Any], drawn: Drawn) -> Section:
    csi = data["csi"]
    title = "Does the marked region matter?"
    plots = pictures(drawn, [*_names(drawn, "interventions_t_")[-1:], "statistical_analysis.png"], title)
    rows = [_causal_row("own", TITLES[name], shift) for name, shift in csi["interventions"].items()]
    for control, measured in csi["controls"].items():
        rows += [_causal_row(control, TITLES[name], shift) for name, shift in measured["interventions"].items()]
    meanings = [f"{ROWS[control]}: {measured['what']}" for control, measured in csi["controls"].items()]
    head = ("map", "intervention", "|dF| top", "|dF| bottom", "|dF| random", "CSI", "top \u2212 random")
    words = (
        f"Regions of {csi['pixels']} pixels each are changed in four ways, and |dF| is the change of the logit. "
        f"{csi['formula']}. Random: the top region itself at 20 random places. n = 1: these are measurements, not a "
        "test. Over many images the negative controls are consistent with zero for every classifier; two of them are "
        "the difference of two measurements. The comparisons use another map, and another class."
    )
    table = Table(head, rows, words=frozenset({0, 1}))
    return Section(title, [Paragraph(words, "muted"), *plots, table, Bullets(meanings)])


def _causal_row(map_row: str, title: str, shift: Mapping[str, Any]) -> Sequence[str]:
    keys = ("abs_dF_top", "abs_dF_bottom", "abs_dF_random")
    sizes = (f"{shift[key]:.3f}" if key in shift else "\u2013" for key in keys)
    return (ROWS[map_row], title, *sizes, signed(shift["csi"]), signed(shift["top_minus_random"]))


def _about(data: Mapping[str, Any], drawn: Drawn) -> Section:
    image, settings = data["image"], data["settings"]
    facts: dict[str, object] = {
        "explained": image["explained"],
        "generated with": f"{image['sampler']}, {image['steps']} steps, guidance {image['guidance']:g}",
        "weights": f"{image['weights']} (SHA-256 {image['weights_sha256'][:16]}\u2026)",
        "classifier": f"{data['classifier']['path']} (SHA-256 {data['classifier']['sha256'][:16]}\u2026)",
        "methods": ", ".join(settings["methods"]),
        "seconds": f"{sum(data['seconds'].values()):.0f}",
        "arrays": ", ".join(data["files"].values()),
    }
    blocks: list[Block] = [Details("Details", [Facts(list(facts.items()))])]
    if data["notes"]:
        blocks.append(Bullets(data["notes"]))
    if drawn.failed:
        failed = [f"{name}: {reason}" for name, reason in drawn.failed.items()]
        blocks += [Paragraph("Figures that failed; all numbers are complete:"), Bullets(failed)]
    return Section("How this was made", blocks)
