"""SMS over HTTP in the shape of Kannel's `sendsms`."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlencode

from twin.kernel.adapters.addresses import GatewayUnusable, read_gateway
from twin.kernel.masking import mask_text
from twin.kernel.ports.outcomes import OutcomeUnknown, Refused, TryLater
from twin.kernel.ports.sms import ShortMessage

_PORTS = {"http": 13013, "https": 443}
_TIMEOUT = 20
_LONGEST_ANSWER = 2000
# Delivered, failed, buffered, taken by the SMSC, refused by the SMSC.
_ALL_RECEIPTS = 1 | 2 | 4 | 8 | 16

_UNICODE = 2
# GSM 03.38 with its extension: one byte a letter, 160 of them in an SMS.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)
# The other answers of 4xx are about the message; these are about us or the moment.
_OUR_FAULT = (401, 407, 408, 429)


class KannelGateway:
    """The gateway that `TWIN_SMS_URL` names; what else stands in its query goes with every message."""

    keeps_text = False

    def __init__(self, url: str) -> None:
        self._gateway = read_gateway("TWIN_SMS_URL", url, _PORTS)
        if not self._gateway.options.get("from"):
            raise GatewayUnusable("TWIN_SMS_URL must name the sender: http://USER:PASSWORD@HOST:13013/PATH?from=TWIN.")

    def send(self, message: ShortMessage) -> str:
        """What the gateway answered. Without an answer after the request was written: `OutcomeUnknown`."""
        connection = self._connection()
        try:
            connection.connect()
        except OSError as failed:
            raise TryLater(f"{self._gateway!r}: {type(failed).__name__}") from None
        try:
            connection.request("GET", f"{self._gateway.path or '/'}?{self._query(message)}")
            answer = connection.getresponse()
            said = answer.read(_LONGEST_ANSWER).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as failed:
            raise OutcomeUnknown(f"{self._gateway!r}: {type(failed).__name__} while waiting for the answer") from None
        finally:
            connection.close()
        return _read_answer(answer.status, mask_text(said))

    def _connection(self) -> http.client.HTTPConnection:
        place = self._gateway
        if place.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(place.host, place.port, timeout=_TIMEOUT, context=context)
        return http.client.HTTPConnection(place.host, place.port, timeout=_TIMEOUT)

    def _query(self, message: ShortMessage) -> str:
        named = {
            "username": self._gateway.user,
            "password": self._gateway.password,
            **self._gateway.options,
            "to": message.to,
            "text": message.text,
            "charset": "UTF-8",
            "dlr-mask": str(_ALL_RECEIPTS),
            "dlr-url": message.receipt_url,
        }
        if not _GSM.issuperset(message.text):
            named["coding"] = str(_UNICODE)
        return urlencode(named)


def _read_answer(status: int, said: str) -> str:
    if 200 <= status < 300:
        return said[:200] or str(status)
    told = f"{status} {said}"
    # Kannel says 403 both of a number it has no way to and of a wrong password.
    if status >= 500 or status in _OUR_FAULT or "authorization" in said.lower():
        raise TryLater(told)
    raise Refused(told)
