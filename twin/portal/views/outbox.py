"""The outbox of the demonstration, and the door for receipts of SMS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.kernel import demonstration
from twin.kernel.outbox import Letter, letters
from twin.kernel.receipts import ReceiptUnknown, note_receipt

_ADDRESS = re.compile(r"(https?://[^\s<>\"']+)")
_ENDS = ".,;:!?)"


@dataclass(frozen=True)
class Piece:
    """A stretch of a text; with `href` when it is an address of our own."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Shown:
    """A letter and its text in pieces."""

    letter: Letter
    pieces: list[Piece]


@require_safe
@never_cache
def outbox(request: HttpRequest) -> HttpResponse:
    """Mails and SMS of the demonstration, newest first; nowhere else is there such a page."""
    if not demonstration.is_open():
        raise Http404
    shown = [Shown(letter, pieces_of(letter.text)) for letter in letters()]
    return render(request, "portal/outbox.html", {"shown": shown})


def pieces_of(text: str) -> list[Piece]:
    """The text with our own addresses as links; those of others stay text, whoever wrote the message."""
    pieces: list[Piece] = []
    for part in _ADDRESS.split(text):
        address = part.rstrip(_ENDS) if _ADDRESS.fullmatch(part) else ""
        if address == settings.URL or address.startswith(f"{settings.URL}/"):
            pieces += [Piece(address, address), Piece(part[len(address) :])]
        else:
            pieces.append(Piece(part))
    return [piece for piece in pieces if piece.text]


@require_safe
@never_cache
def sms_receipt(request: HttpRequest, token: str) -> HttpResponse:
    """Where the SMS gateway reports; gateways know only GET, and the signed address is their proof."""
    state = request.GET.get("state", "")
    if not re.fullmatch(r"\d{1,2}", state, re.ASCII):
        return HttpResponseNotFound(content_type="text/plain")
    try:
        note_receipt(token, int(state))
    except ReceiptUnknown:
        return HttpResponseNotFound(content_type="text/plain")
    return HttpResponse("noted", content_type="text/plain")
