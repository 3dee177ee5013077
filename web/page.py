"""The page: what is filled in on the left, the image in the making and what can be done with the finished ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import gradio as gr
import numpy as np
from PIL import Image

from core.errors import ISICGUIError
from core.jobs.registry import Request
from core.samplers import DEFAULT_SAMPLER, SAMPLERS
from core.taxonomy import CLASSES
from web.studio import MOST_IMAGES, MOST_STEPS, Form, Pixels, Requests, Shown, Studio, in_words, recipe_of
from web.texts import by_language

KEPT_S: Final = 3600
"""Seconds after which a visit that nobody closed, and files that were shown, are deleted."""

_SIDE: Final = 384
"""Of the pictures on the page, in pixels of the screen."""

View = tuple[Any, ...]
"""(image in the making, finished images, status)."""

MakeRequest = Callable[..., Request]


def build_page(studio: Studio) -> tuple[gr.Blocks, gr.I18n]:
    """Return the page, on which jobs of one studio are asked for, and its words, which `launch` takes."""
    words = gr.I18n(**by_language())
    return _Page(studio, words).build(), words


class _Page:
    def __init__(self, studio: Studio, words: gr.I18n) -> None:
        self._studio, self._words = studio, words

    def build(self) -> gr.Blocks:
        words = self._words
        with gr.Blocks(title="ISICGUI", delete_cache=(KEPT_S, KEPT_S), analytics_enabled=False) as page:
            self._token = gr.State(None, time_to_live=KEPT_S, delete_callback=self._studio.forget)
            gr.Markdown("# ISICGUI")
            gr.Markdown(words("about"))
            with gr.Row():
                with gr.Column(scale=2):
                    self._settings()
                    self._ways()
                with gr.Column(scale=3):
                    self._results()
            self._connect()
            page.load(lambda: self._studio.welcome().token, outputs=self._token, show_progress="hidden")
        page.queue(default_concurrency_limit=1)
        built: gr.Blocks = page
        return built

    def _settings(self) -> None:
        words = self._words
        names = [(f"{one.code}: {one.name}", one.code) for one in CLASSES]
        self._class = gr.Dropdown(names, value="MEL", label=words("class"), elem_id="class")
        with gr.Row():
            self._count = gr.Slider(1, MOST_IMAGES, value=1, step=1, label=words("count"), elem_id="count")
            self._seed = gr.Number(42, precision=0, minimum=0, label=words("seed"), elem_id="seed")
        with gr.Row():
            samplers = [(str(one.title), key) for key, one in SAMPLERS.items()]
            self._sampler = gr.Dropdown(samplers, value=DEFAULT_SAMPLER, label=words("sampler"))
            self._steps = gr.Slider(0, MOST_STEPS, value=0, step=1, label=words("steps"), elem_id="steps")
            self._guidance = gr.Slider(0, 10, value=0, step=0.1, label=words("guidance"))
        self._form = [self._class, self._count, self._seed, self._sampler, self._steps, self._guidance]

    def _ways(self) -> None:
        words = self._words
        self._starts: list[tuple[gr.Button, list[Any], Callable[..., Request]]] = []
        with gr.Tabs():
            with gr.Tab(words("from_noise"), id="noise"):
                self._starts.append((self._button("noise"), [], lambda ask: ask.from_noise()))
            with gr.Tab(words("variation"), id="variation"):
                picture = gr.Image(label=words("image"), sources=["upload"], height=_SIDE, elem_id="variation-image")
                strength = gr.Slider(
                    0.05, 1, value=0.5, step=0.05, label=words("strength"), info=words("strength_hint")
                )
                self._starts.append((self._button("variation"), [picture, strength], Requests.variation))
            with gr.Tab(words("inside"), id="inside"):
                drawn = gr.ImageEditor(
                    label=words("draw"), sources=["upload"], height=_SIDE, elem_id="drawn",
                    brush=gr.Brush(default_size=12, colors=["#ffffff"], color_mode="fixed"),
                )  # fmt: skip
                mask = gr.Image(label=words("mask"), sources=["upload"], image_mode="L", elem_id="mask")
                self._starts.append((self._button("inside"), [drawn, mask], _painted))
            with gr.Tab(words("between"), id="between"):
                gr.Markdown(words("between_hint"))
                self._starts.append((self._button("between"), [self._token], self._between))
        self._stop = gr.Button(words("stop"), variant="stop", elem_id="stop")

    def _button(self, name: str) -> gr.Button:
        return gr.Button(self._words("generate"), variant="primary", elem_id=f"go-{name}")

    def _results(self) -> None:
        words = self._words
        self._status = gr.Textbox(show_label=False, interactive=False, lines=2, elem_id="status")
        self._preview = gr.Image(label=words("preview"), interactive=False, height=_SIDE, elem_id="preview")
        self._gallery = gr.Gallery(
            label=words("result"),
            columns=4,
            object_fit="contain",
            elem_id="gallery",
            interactive=False,
            format="png",
            height=_SIDE,
        )
        self._chosen = gr.State(-1)
        with gr.Row():
            self._explain = gr.Button(words("explain"), elem_id="explain")
            self._again = gr.Button(words("reproduce"), elem_id="reproduce")
            self._download = gr.DownloadButton(cast(str, words("download")), elem_id="download")
        with gr.Row():
            self._map = gr.Image(label=words("map"), interactive=False, height=_SIDE, elem_id="map")
            with gr.Column():
                self._check = gr.Textbox(label=words("check"), interactive=False, lines=4, elem_id="check")
                with gr.Accordion(words("recipe"), open=False, elem_id="recipe-fold"):
                    self._recipe = gr.JSON(show_label=False, elem_id="recipe", max_height=_SIDE)

    def _connect(self) -> None:
        running: list[Any] = []
        for button, inputs, make in self._starts:
            running.append(
                button.click(
                    self._job(make),
                    [self._token, *self._form, *inputs],
                    [self._token, self._preview, self._gallery, self._status],
                    concurrency_id="engine",
                )
            )
        self._stop.click(None, cancels=running)
        self._gallery.select(self._choose, [self._token], [self._chosen, self._recipe], show_progress="hidden")
        self._explain.click(
            self._explained, [self._token, self._chosen], [self._token, self._map, self._check], concurrency_id="engine"
        )
        self._again.click(
            self._reproduced, [self._token, self._chosen], [self._token, self._status], concurrency_id="engine"
        )
        self._download.click(self._packed, self._token, self._download)

    def _job(self, make: Callable[..., Request]) -> Callable[..., Iterator[View]]:
        def carry_out(token: str | None, *values: Any) -> Iterator[View]:
            visitor = self._studio.visitor(token)
            form, inputs = values[: len(self._form)], values[len(self._form) :]
            before = list(visitor.images)
            try:
                request = make(Requests(self._studio, visitor, _form_of(*form)), *inputs)
                for shown in self._studio.follow(visitor, request):
                    yield visitor.token, _enlarged(shown.preview), [*before, *shown.images], _status_of(shown)
            except ISICGUIError as error:
                raise gr.Error(in_words(error), duration=None) from error

        return carry_out

    def _between(self, ask: Requests, token: str | None) -> Request:
        images = self._studio.visitor(token).images
        if len(images) < 2:
            raise gr.Error("Generate two images first.")
        return ask.between(images[0], images[-1])

    def _choose(self, token: str | None, event: gr.SelectData) -> tuple[int, Any]:
        images = self._studio.visitor(token).images
        return event.index, recipe_of(images[event.index]) if event.index < len(images) else None

    def _image(self, token: str | None, chosen: int) -> tuple[Any, Path]:
        visitor = self._studio.visitor(token)
        if not visitor.images:
            raise gr.Error("Generate an image first.")
        return visitor, visitor.images[chosen if 0 <= chosen < len(visitor.images) else -1]

    # the token is given back so that the visit's time begins anew
    def _explained(self, token: str | None, chosen: int) -> tuple[str | None, str, str]:
        try:
            overlay, result, reasons = self._studio.explain(*self._image(token, chosen))
        except ISICGUIError as error:
            raise gr.Error(in_words(error), duration=None) from error
        return token, str(overlay), f"{result}\n{reasons}".strip()

    def _reproduced(self, token: str | None, chosen: int) -> tuple[str | None, str]:
        try:
            difference = self._studio.reproduce(*self._image(token, chosen))
        except ISICGUIError as error:
            raise gr.Error(in_words(error), duration=None) from error
        return token, f"The largest pixel difference is {difference} of 255."

    def _packed(self, token: str | None) -> str:
        visitor, _ = self._image(token, -1)
        return str(visitor.packed())


def _form_of(code: str, count: float, seed: float | None, sampler: str, steps: float, guidance: float) -> Form:
    return Form(code, int(count), int(seed or 0), sampler, int(steps) or None, float(guidance) or None)


def _enlarged(preview: Pixels | None) -> Pixels | None:
    """Return a picture as large as its place on the page."""
    if preview is None:
        return None
    return np.asarray(Image.fromarray(preview).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))


def _status_of(shown: Shown) -> str:
    lines = list(shown.notes)
    if shown.steps:
        finished = f"{len(shown.images)} of {shown.total} images finished. " if shown.total else ""
        lines.append(f"{finished}Step {shown.step} of {shown.steps}.")
    return "\n".join(lines)


def _painted(ask: Requests, drawn: dict[str, Any] | None, mask: Pixels | None) -> Request:
    """Return the request for the inside of what was painted over an image, or of a mask file."""
    background = None if drawn is None else drawn.get("background")
    picture = None if background is None else np.asarray(background)[..., :3]
    if mask is None and drawn is not None and picture is not None:
        layers = [np.asarray(layer)[..., 3] > 0 for layer in drawn.get("layers", ()) if layer is not None]
        mask = np.any(layers, axis=0).astype(np.uint8) * 255 if layers else None
    return ask.inside(picture, mask)
