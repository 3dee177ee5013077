"""The page in a real browser: draw a mask, get an image, download, reload in a run, two tabs, a dead engine.

Needs the optional extra, Playwright and Chromium; without them it is skipped.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.support.patience import PATIENCE
from tests.support.tiny_models import write_tiny_pack

pytest.importorskip("gradio", reason="the optional extra of the page is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

ROOT = Path(__file__).resolve().parents[2]
MS = 1000 * PATIENCE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    models = write_tiny_pack(tmp_path_factory.mktemp("models") / "tiny", image_size=32)
    with subprocess.Popen(
        [sys.executable, "main.py", "web", "--port", "7899", "--models", str(models)], cwd=ROOT, text=True,
        stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        assert process.stderr is not None
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://[\d.:]+", line)))
        yield address, process
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, server: tuple[str, Any]) -> Iterator[Any]:
    opened = opened_page(browser, server[0])
    yield opened
    opened.close()


def opened_page(browser: Any, address: str, locale: str = "en-US") -> Any:
    opened = browser.new_page(viewport={"width": 1280, "height": 1000}, locale=locale)
    opened.set_default_timeout(MS)
    opened.goto(address)
    opened.wait_for_selector("#go-noise")
    return opened


def generated(page: Any, images: int = 1) -> None:
    page.click("#go-noise")
    page.wait_for_function(f"document.querySelectorAll('#gallery img').length >= {images}")


def test_an_image_is_generated_explained_and_downloaded(page: Any, tmp_path: Path) -> None:
    generated(page)
    page.wait_for_function("document.querySelector('#status textarea').value.includes('1 of 1 images finished')")
    page.click("#explain")
    page.wait_for_selector("#map img")
    assert page.input_value("#check textarea").splitlines()[0] in ("passed", "caution", "failed")
    page.click("#download")
    with page.expect_download() as saved:
        page.click("#download")
    saved.value.save_as(tmp_path / "images.zip")
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert "0001_MEL.png" in archive.namelist()


def test_a_mask_that_is_drawn_changes_the_image_there(page: Any, tmp_path: Path) -> None:
    Image.fromarray(np.full((256, 256, 3), 180, np.uint8)).save(tmp_path / "skin.png")
    page.get_by_role("tab").nth(2).click()
    with page.expect_file_chooser() as chooser:
        page.click("#drawn button[aria-label=Upload]")
    chooser.value.set_files(tmp_path / "skin.png")
    page.wait_for_timeout(2000)  # the editor says nowhere that it has drawn the image
    page.click("#drawn button[aria-label=Brush]")
    place = page.locator("#drawn canvas").first.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(x - 20, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 10, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    page.click("#go-inside")
    page.wait_for_selector("#gallery img")


def test_a_reload_during_a_run_leaves_a_page_that_works(page: Any) -> None:
    page.fill("#count input[type=number]", "16")
    page.fill("#steps input[type=number]", "100")
    page.click("#go-noise")
    page.wait_for_function("document.querySelector('#status textarea').value.includes('Step')")
    page.reload()
    page.wait_for_selector("#go-noise")
    generated(page)


def test_two_tabs_at_once_are_both_served_and_see_their_own(browser: Any, server: tuple[str, Any]) -> None:
    tabs = [opened_page(browser, server[0]) for _ in range(2)]
    for tab in tabs:
        tab.click("#go-noise")
    for tab in tabs:
        tab.wait_for_selector("#gallery img")
        assert tab.locator("#gallery img").count() == 1
        tab.close()


def test_a_dead_engine_is_said_and_the_next_click_works(page: Any, server: tuple[str, Any]) -> None:
    page.fill("#count input[type=number]", "16")
    page.fill("#steps input[type=number]", "100")
    page.click("#go-noise")
    page.wait_for_function("document.querySelector('#status textarea').value.includes('Step')")
    workers = [one for one in psutil.Process(server[1].pid).children() if "spawn_main" in " ".join(one.cmdline())]
    assert workers
    for worker in workers:
        worker.kill()
    page.wait_for_selector(".toast-wrap, [data-testid=toast-body]")
    page.fill("#count input[type=number]", "1")
    page.fill("#steps input[type=number]", "3")
    generated(page)


@pytest.mark.parametrize(("locale", "word"), [("ru-RU", "Сгенерировать"), ("zh-CN", "生成"), ("en-US", "Generate")])
def test_the_page_speaks_the_browsers_language(browser: Any, server: tuple[str, Any], locale: str, word: str) -> None:
    page = opened_page(browser, server[0], locale)
    page.wait_for_function(f"document.querySelector('#go-noise').innerText.includes('{word}')")
    page.close()
