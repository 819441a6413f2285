"""Mails over SMTP, encrypted unless the server is this machine or the setting says otherwise."""

from __future__ import annotations

import smtplib
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit

from twin.kernel.adapters.addresses import Gateway, GatewayUnusable, read_gateway
from twin.kernel.clock import now
from twin.kernel.masking import mask_text
from twin.kernel.ports.mail import Mail
from twin.kernel.ports.outcomes import Refused, TryLater

_PORTS = {"smtp": 587, "smtps": 465}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_OPTIONS = {"from", "reply_to", "starttls"}
_TIMEOUT = 20


class SmtpServer:
    """The server that `TWIN_SMTP_URL` names; `installation` is the public address, of which Message-IDs are made."""

    keeps_text = False

    def __init__(self, url: str, installation: str) -> None:
        self._gateway = read_gateway("TWIN_SMTP_URL", url, _PORTS)
        self._sender = _sender_of(self._gateway)
        self._reply_to = self._gateway.options.get("reply_to", "")
        self._starttls = _is_starttls_wanted(self._gateway)
        self._domain = urlsplit(installation).hostname or "localhost"

    def send(self, mail: Mail) -> str:
        """The Message-ID. A mail of which the answer got lost is tried again: it arrives twice under one Message-ID."""
        message = self._compose(mail)
        try:
            with self._connected() as server:
                server.send_message(message, from_addr=parseaddr(self._sender)[1], to_addrs=[_wire_address(mail.to)])
        except smtplib.SMTPRecipientsRefused as refused:
            raise _by_code(*next(iter(refused.recipients.values()))) from None
        except smtplib.SMTPAuthenticationError as refused:
            raise TryLater(f"The mail server refuses the user of TWIN_SMTP_URL ({refused.smtp_code}).") from None
        except smtplib.SMTPResponseException as refused:
            raise _by_code(refused.smtp_code, refused.smtp_error) from None
        except smtplib.SMTPNotSupportedError as lacking:
            raise self._lacking(lacking) from None
        except (smtplib.SMTPException, OSError) as failed:
            raise TryLater(f"{self._gateway!r}: {type(failed).__name__} {mask_text(str(failed))}") from None
        return str(message["Message-ID"])

    def _connected(self) -> smtplib.SMTP:
        place = self._gateway
        context = ssl.create_default_context()
        if place.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(place.host, place.port, timeout=_TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(place.host, place.port, timeout=_TIMEOUT)
        try:
            if self._starttls:
                server.starttls(context=context)
            if place.user:
                server.login(place.user, place.password)
        except BaseException:
            server.close()
            raise
        return server

    def _compose(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=WIRE)
        try:
            message["Subject"] = mail.subject
            message["From"] = self._sender
            message["To"] = Address(addr_spec=_wire_address(mail.to))
        except (ValueError, MessageError, IndexError):
            raise Refused("The address or the subject cannot be written into a mail.") from None
        if self._reply_to:
            message["Reply-To"] = self._reply_to
        message["Date"] = format_datetime(now())
        message["Message-ID"] = f"<twin-{mail.number}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        if mail.html:
            message.add_alternative(mail.html, subtype="html")
        return message

    def _lacking(self, error: smtplib.SMTPNotSupportedError) -> Refused | TryLater:
        if "SMTPUTF8" in str(error):
            return Refused("The mail server cannot write to addresses with letters beyond ASCII.")
        return TryLater("The mail server offers no STARTTLS or no sign-in, which TWIN_SMTP_URL wants.")


def _sender_of(gateway: Gateway) -> str:
    sender = gateway.options.get("from", "")
    address = parseaddr(sender)[1]
    if "@" not in address:
        raise GatewayUnusable("TWIN_SMTP_URL must name the sender: smtp://HOST/?from=Twin%20%3Ctwin@example.com%3E.")
    if unknown := gateway.options.keys() - _OPTIONS:
        raise GatewayUnusable(f"TWIN_SMTP_URL knows {', '.join(sorted(_OPTIONS))}, not {', '.join(sorted(unknown))}.")
    return sender


def _is_starttls_wanted(gateway: Gateway) -> bool:
    """Always beyond this machine, unless told otherwise: passwords and links must not travel readable."""
    wanted = gateway.options.get("starttls", "no" if gateway.host in _LOOPBACK else "required")
    if wanted not in ("required", "no"):
        raise GatewayUnusable("TWIN_SMTP_URL: starttls is `required` or `no`.")
    return gateway.scheme == "smtp" and wanted == "required"


def _wire_address(address: str) -> str:
    """The address with its domain in ASCII, as every server understands it."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise Refused("The domain of the address does not exist in this form.") from None


def _by_code(code: int, answer: bytes | str) -> Refused | TryLater:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    said = f"{code} {mask_text(text)}"
    return Refused(said) if code >= 500 else TryLater(said)
