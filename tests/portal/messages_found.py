"""Every text of the pages that is marked for translation, found in the sources."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from babel.messages.extract import extract
from django.utils import translation
from django.utils.translation.template import templatize

from twin.api.document import openapi_document
from twin.api.urls import api
from twin.portal.api_reference_page import chapters

ROOT: Final = Path(__file__).resolve().parent.parent.parent / "twin"
KEYWORDS: Final = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# Context, singular and plural of one text.
Key = tuple[str | None, str, str | None]
# What Django's templatize writes for each marked text of a template.
_CALL: Final = re.compile(r"\b(n?gettext|pgettext)\((.*?)\)(?= *(?:X|\n|$| ))", re.DOTALL)
_TEXT: Final = re.compile(r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", re.DOTALL)


def texts_in_sources() -> set[Key]:
    """All of them, from Python and from templates."""
    found: set[Key] = set()
    for path in ROOT.rglob("*.py"):
        with path.open("rb") as source:
            for _, texts, _, context in extract("python", source, keywords=KEYWORDS):
                found.add(_key(texts, context))
    for path in ROOT.glob("*/templates/**/*.html"):
        found |= _texts_in_template(path)
    return found | {(None, text, None) for text in texts_of_the_reference()}


def texts_of_the_reference() -> set[str]:
    """What the reference says of each address and field, in the words of the document."""
    with translation.override("en"):
        operations = [one for chapter in chapters(openapi_document(api, None)) for one in chapter.operations]
    fields = [field for one in operations for field in (*one.takes, *one.body, *one.answer)]
    return {
        text
        for text in (*(text for one in operations for text in (one.title, one.more)), *(field.text for field in fields))
        if text
    }


def _key(texts: object, context: str | None) -> Key:
    if isinstance(texts, tuple):
        return (context, str(texts[0]), str(texts[1]) if len(texts) > 1 else None)
    return (context, str(texts), None)


def _texts_in_template(path: Path) -> set[Key]:
    found: set[Key] = set()
    for call in _CALL.finditer(templatize(path.read_text(encoding="utf-8"))):
        texts = [ast.literal_eval(text) for text in _TEXT.findall(call[2])]
        if call[1] == "pgettext":
            found.add((texts[0], texts[1], None))
        else:
            found.add((None, texts[0], texts[1] if call[1] == "ngettext" else None))
    return found
