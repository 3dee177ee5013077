"""Every text of the window passes through here; see docs/adr/0012-words-of-the-window.md."""

from __future__ import annotations

from gui.i18n.language import current, languages, set_language, tr, translate
from gui.i18n.marking import mark

__all__ = ["current", "languages", "mark", "set_language", "tr", "translate"]
