"""What `tr`, `translate` and the numbers of a language give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pytest
import torch
from PyQt5.QtCore import QLocale

from core.errors import ModelTruncatedError
from core.files.atomic import explain_os_error
from core.message import Message, joined
from core.models.discovery import discover
from core.taxonomy import CLASS_CODES, class_name
from gui.common.problem import describe
from gui.i18n import current, language, set_language, tr, translate
from gui.i18n.numbers import duration, local, moment, number, percent, size_text
from xai.faithfulness import measure_faithfulness


@pytest.fixture
def speak() -> Iterator[object]:
    before = QLocale()
    yield set_language
    set_language("en")
    QLocale.setDefault(before)


def test_an_engine_sentence_is_said_in_the_language(speak, tmp_path):
    speak("ru")
    error = explain_os_error(OSError(28, "No space left on device"), tmp_path)
    problem = describe(error)
    assert "No space" not in problem.message + problem.remedy
    assert problem.title == tr("The disk is full") == "Диск заполнен"
    assert str(tmp_path) in problem.message
    assert str(error).startswith("There is no space left")


def test_why_a_class_is_not_available_is_said_in_the_language(speak, tmp_path):
    speak("zh")
    reason = discover(tmp_path / "gone").classes["MEL"].reason
    assert translate(reason) == f"文件夹 {tmp_path / 'gone'} 不存在"
    assert reason == f"the folder {tmp_path / 'gone'} does not exist"


def test_parts_of_a_message_are_translated_too(speak):
    speak("ru")
    inner = Message("{name} is empty (0 bytes)", name="a.pth")
    assert translate(Message("{code}: {reason}", code="MEL", reason=inner)) == "MEL: a.pth пуст (0 байт)"
    assert translate(joined([inner, Message("Check the path.")])) == "a.pth пуст (0 байт) Проверьте путь."
    assert tr("Why?") == "Почему?"
    assert tr("{code}, step {step} of {steps}").format(code=inner, step=1, steps=2).startswith("a.pth пуст")


def test_what_a_map_was_measured_to_be_has_the_numbers_of_the_language(speak):
    def logits(pixels):
        return torch.stack([pixels.mean((1, 2, 3)), pixels.amax((1, 2, 3))], dim=1)

    generator = torch.Generator().manual_seed(0)
    mask = np.zeros((16, 16), bool)
    mask[:4, :6] = True
    values = np.random.default_rng(0).normal(size=(16, 16))
    measures = measure_faithfulness(
        logits, 1, torch.rand(1, 3, 16, 16, generator=generator), values, mask=mask
    ).measures
    speak("ru")
    words = [translate(measure.words) for measure in measures]
    assert all(re.search(r"\d,\d\d", sentence) for sentence in words), words
    assert not any(re.search(r"\d\.\d", sentence) for sentence in words), words


def test_what_is_no_message_stays_as_it_is(speak):
    speak("ru")
    assert translate("plain") == "plain"
    assert tr("never gathered") == "never gathered"
    assert tr("") == ""
    assert str(ModelTruncatedError("x")) == "x"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("en", ("1234.50", "50%", "12 MB", "2 min 05 s", "2026-11-20 14:02:09", "\N{MINUS SIGN}0.5")),
        ("ru", ("1234,50", "50%", "12 МБ", "2 мин 05 с", "20.11.2026 14:02:09", "\N{MINUS SIGN}0,5")),
        ("zh", ("1234.50", "50%", "12 MB", "2 分 05 秒", "2026-11-20 14:02:09", "\N{MINUS SIGN}0.5")),
    ],
)
def test_numbers_follow_the_language(speak, code, said):
    speak(code)
    when = datetime(2026, 11, 20, 14, 2, 9).astimezone()
    assert (number(1234.5, 2), percent(0.5), size_text(12e6), duration(125), moment(when), local("-0.5")) == said


def test_gaps_take_the_decimal_sign_of_the_language(speak):
    speak("ru")
    assert tr("{rate:.2f} img/s").format(rate=0.5) == "0,50 изобр./с"
    assert tr("{code} {made} of {count}").format(code="v1.2", made=1, count=2) == "v1.2: 1 из 2"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(["ru-RU"], "ru"), (["zh-Hans-CN", "en-US"], "zh"), (["de-DE", "ru"], "ru"), (["fr"], "en"), ([], "en")],
)
def test_the_system_is_followed_as_far_as_there_are_languages(speak, monkeypatch, wanted, code):
    monkeypatch.setattr(QLocale, "uiLanguages", lambda self: wanted)
    assert speak("system") == code == current()


@pytest.mark.parametrize("code", ["ru", "zh"])
def test_every_class_has_a_name_in_the_language(speak, code):
    speak(code)
    assert not {translate(class_name(lesion)) for lesion in CLASS_CODES} & {str(class_name(c)) for c in CLASS_CODES}


def test_no_translation_says_nothing_at_all():
    for code in ("ru", "zh"):
        texts = language.load(code)
        assert texts.gettext("Start") not in ("", "Start")
