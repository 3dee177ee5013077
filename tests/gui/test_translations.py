"""The catalogues say all that the window says, and nothing else; no text of the window is outside of them."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from core.message import Message
from gui.i18n import language, languages, mark
from gui.i18n.language import FOLDER, load
from gui.i18n.lookup import look_up
from scripts import translations as tool


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return tool.template(tool.gather())


@pytest.mark.parametrize("code", tool.LANGUAGES)
def test_no_text_is_missing_stale_or_doubtful(code, texts):
    told = tool.problems(code, texts, tool.read(code))
    assert told == [], "python scripts/translations.py gathers the texts; translate what it names"


@pytest.mark.parametrize("code", tool.LANGUAGES)
def test_what_the_window_reads_is_what_was_translated(code):
    assert tool.is_compiled(code), "python scripts/translations.py compiles the catalogues"


def test_every_language_that_can_be_chosen_has_a_catalogue():
    assert set(languages()) == set(tool.LANGUAGES)
    for code in languages():
        assert gettext.find("isicgui", FOLDER, [code])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", {0: "0 images", 1: "1 image", 2: "2 images", 21: "21 images"}),
        (
            "ru",
            {1: "1 изображение", 2: "2 изображения", 5: "5 изображений", 11: "11 изображений", 21: "21 изображение"},
        ),
        ("zh", {1: "1 幅图像", 2: "2 幅图像"}),
    ],
)
def test_plurals(code, words):
    catalogue, text = load(code), "%n image(s)"
    assert {n: catalogue.ngettext(text, text, n).replace("%n", str(n)) for n in words} == words


def test_what_a_language_lacks_is_english(tmp_path, monkeypatch):
    monkeypatch.setattr("gui.i18n.language.FOLDER", tmp_path)
    assert load("ru").gettext("Start") == "Start"


def test_texts_with_a_value_named_n_are_translated():
    """A text with ``{n}`` has no plural forms: asked for as if it had, it came out in English."""
    wanted = tool.template(tool.gather())
    for code in ("ru", "zh"):
        shown = load(code)
        for entry in wanted:
            if isinstance(entry.id, str) and "{n}" in entry.id:
                assert look_up(shown, entry.id, 3) != entry.id


def test_a_message_with_a_value_named_n_is_shown_translated(monkeypatch):
    message = Message("The download makes no progress: {reason} ({n} attempts).", reason="?", n=3)
    monkeypatch.setattr(language._InForce, "texts", load("ru"))
    assert language.translate(message) == "Загрузка не продвигается: ? (попыток: 3)."


def test_equal_texts_are_kept_apart_by_their_context():
    catalog = Catalog(locale="ru", fuzzy=False)
    catalog.add("Done", "Готово")
    catalog.add("Done", "Закончить", context="button")
    shown = tool.as_the_window_reads(catalog)
    assert look_up(shown, mark("Done")) == "Готово"
    assert look_up(shown, mark("Done", "button")) == "Закончить"
    assert look_up(shown, mark("Open", "button")) == "Open"


def as_if_all_had_plurals(texts: gettext.NullTranslations, text: str, n: int = -1) -> str:
    """Look a text up as the window once did."""
    return texts.gettext(text) if n < 0 else texts.ngettext(text, text, n)


def test_the_check_sees_what_the_window_would_show_in_english(monkeypatch):
    wanted, catalog = Catalog(), Catalog(locale="ru", fuzzy=False)
    wanted.add("{n} of them", locations=[("gui/some.py", 1)])
    catalog.add("{n} of them", "их {n}")
    assert tool.problems("ru", wanted, catalog) == []
    monkeypatch.setattr(tool, "look_up", as_if_all_had_plurals)
    (told,) = tool.problems("ru", wanted, catalog)
    assert "shown in English" in told


def test_a_plural_needs_its_number():
    wanted, catalog = Catalog(), Catalog(locale="ru", fuzzy=False)
    wanted.add("{n} file(s)", locations=[("gui/some.py", 1)])
    catalog.add("{n} file(s)", "файлов: {n}")
    (told,) = tool.problems("ru", wanted, catalog)
    assert "plural without %n" in told


SOURCE = """
from core.message import Message
WORDS = mark("in a table")
TWICE = mark("Done", "state"), tr("Done", context="button")
Message("{context} of a message", context="value")
f"{tr('in an f-string')} {tr('%n file(s)', 3)}"
text.tr("by an attribute")
Message("of the engine {name:.1f}", name=1.0)
tr(WORDS)
tr("in " "pieces")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for room in tool.ROOMS:
        (tmp_path / room).mkdir()
    (tmp_path / "gui" / "some.py").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def test_texts_are_found_wherever_they_stand(project):
    assert {(found.text, found.context) for found in tool.gather(project)} >= {("Done", "state"), ("Done", "button")}
    assert {found.text for found in tool.gather(project) if not found.context} == {
        "in a table",
        "in an f-string",
        "%n file(s)",
        "by an attribute",
        "of the engine {name:.1f}",
        "{context} of a message",
        "in pieces",
    }


@pytest.mark.parametrize(
    ("entry", "said", "fault"),
    [
        ("one", "", "not translated"),
        ("{a} of {b}", "{a}", "gaps"),
        ("{a:.1f}", "{a}", "gaps"),
        ("{a!r}", "{a}", "gaps"),
        ("Wait…", "Ждите", "ends"),
        ("one ", "один", "ends"),
        ("a\nb", "а б", "ends"),
        (("%n file(s)", "%n file(s)"), ("%n файл", "%n файла", "файлов"), "gaps"),
        (("%n file(s)", "%n file(s)"), ("%n файл", "%n файла", ""), "not translated"),
    ],
)
def test_planted_faults_are_told(entry, said, fault):
    wanted, catalog = Catalog(), Catalog(locale="ru", fuzzy=False)
    wanted.add(entry, locations=[("gui/some.py", 1)])
    catalog.add(entry, said)
    (told,) = tool.problems("ru", wanted, catalog)
    assert fault in told


def test_missing_stale_and_fuzzy_texts_are_told():
    wanted, catalog = Catalog(), Catalog(locale="ru", fuzzy=False)
    wanted.add("new", locations=[("gui/some.py", 1)])
    wanted.add("guessed", locations=[("gui/some.py", 2)])
    catalog.add("old", "старое")
    catalog.add("guessed", "угадано", flags=["fuzzy"])
    assert [words.split(":")[1].strip() for words in tool.problems("ru", wanted, catalog)] == [
        "fuzzy",
        "missing",
        "stale",
    ]


def test_an_update_keeps_translations_and_drops_what_is_gone(project, tmp_path):
    locale = tmp_path / "locale"
    first = tool.update("ru", tool.template(tool.gather(project)), locale)
    assert not any(entry.string for entry in first if entry.id and not entry.pluralizable)
    source, _ = tool.files("ru", locale)
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace('msgid "in a table"\nmsgstr ""', 'msgid "in a table"\nmsgstr "в таблице"'), "utf-8")
    (project / "gui" / "some.py").write_text('tr("in a table")', encoding="utf-8")
    second = tool.update("ru", tool.template(tool.gather(project)), locale)
    assert {entry.id: entry.string for entry in second if entry.id} == {"in a table": "в таблице"}
    assert tool.is_compiled("ru", locale)
    source.write_text(source.read_text(encoding="utf-8").replace("в таблице", "в списке"), "utf-8")
    assert not tool.is_compiled("ru", locale)
