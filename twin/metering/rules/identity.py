"""The 16-byte key of an event id, and the fingerprint of its billing fields."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np

from twin.kernel.period import instant_text

KEY_BYTES = 16

_UUID_LENGTH = 36
_DASHES = np.array([8, 13, 18, 23])
_DIGITS = np.array([place for place in range(_UUID_LENGTH) if place not in (8, 13, 18, 23)])
_canonical_uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_VARIANT_PLACE = 16  # among the 32 digits
# Two bits that no UUID of RFC 9562 has: a hash can never be some other event's UUID.
_RESERVED = 0xE0
_NIBBLE = np.full(256, 255, dtype=np.uint8)
_NIBBLE[[ord(digit) for digit in "0123456789abcdef"]] = np.arange(16, dtype=np.uint8)


def key_of(event_id: str) -> bytes:
    """A UUID in its canonical spelling is its own key; any other id is hashed to 128 bits."""
    if len(event_id) == _UUID_LENGTH and _canonical_uuid.fullmatch(event_id):
        return bytes.fromhex(event_id.replace("-", ""))
    digest = bytearray(hashlib.blake2b(event_id.encode(), digest_size=KEY_BYTES).digest())
    digest[8] |= _RESERVED
    return bytes(digest)


def text_of(event_id: str) -> str | None:
    """What has to be kept beside the key to tell the id again: nothing for a canonical UUID."""
    return None if _canonical_uuid.fullmatch(event_id) else event_id


def id_of(key: bytes, text: str | None) -> str:
    """The id that an event was sent with."""
    return str(UUID(bytes=key)) if text is None else text


def keys_of(ids: Sequence[str]) -> tuple[bytes, list[str | None] | None]:
    """`key_of` and `text_of` for a batch: joined keys, and texts or None when all are UUIDs."""
    joined = "".join(ids)
    if joined.isascii() and len(joined) == _UUID_LENGTH * len(ids):
        letters = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
        if all(len(event_id) == _UUID_LENGTH for event_id in ids):
            keys = _uuid_keys(letters.reshape(-1, _UUID_LENGTH))
            if keys is not None:
                return keys, None
    return b"".join(map(key_of, ids)), [text_of(event_id) for event_id in ids]


def _uuid_keys(letters: np.ndarray) -> bytes | None:
    nibbles = _NIBBLE[letters[:, _DIGITS]]
    variant = nibbles[:, _VARIANT_PLACE]
    if (letters[:, _DASHES] != ord("-")).any() or (nibbles == 255).any() or (variant & 0b1100 != 0b1000).any():
        return None
    joined: bytes = ((nibbles[:, ::2] << 4) | nibbles[:, 1::2]).tobytes()
    return joined


def canonical_attributes(attributes: Mapping[str, str]) -> str:
    """The attribute set as text: sorted, compact, the same for the same set."""
    return json.dumps(dict(sorted(attributes.items())), ensure_ascii=False, separators=(",", ":"))


def fingerprint(meter: str, quantity: int, event_time: datetime, attributes: Mapping[str, str]) -> bytes:
    """SHA-256 of the canonical billing fields; tells one conflicting payload from another."""
    fields = [meter, quantity, instant_text(event_time), canonical_attributes(attributes)]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).digest()
