"""Cells as bytes for journals and books.

`[version u8][cells u32]` then per column `[code u8][base i64][scale i64][values]`:
value = base + scale × stored, stored in the smallest unsigned width that holds it.
Columns beyond 63 bits are kept as decimal text. Little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from twin.metering.errors import BookDamaged
from twin.metering.rules.cells import KEYS, SUMS, Cells, Column, Keys, joined

_VERSION = 1
_HEAD = struct.Struct("<BI")
_COLUMN = struct.Struct("<Bqq")
_WIDTHS = ((0, None), (1, np.dtype("<u1")), (2, np.dtype("<u2")), (4, np.dtype("<u4")), (8, np.dtype("<u8")))
_DTYPES = {code: dtype for code, dtype in _WIDTHS if dtype is not None}
_TEXT = 255
_NARROW = 2**61
_WORTH_JOINING = 3
_COLUMNS = len(KEYS) + len(SUMS)


def pack(cells: Cells) -> bytes:
    """The cells as bytes."""
    parts = [_HEAD.pack(_VERSION, len(cells))]
    if len(cells):
        parts.extend(_packed(column) for column in cells.columns())
    return b"".join(parts)


def pack_all(parts: Sequence[Cells]) -> list[bytes]:
    """`pack` of each, to the byte; what is asked of every column is asked once for all parts together."""
    filled = [part for part in parts if len(part)]
    whole = joined(filled)
    columns = whole.columns()
    if len(filled) < _WORTH_JOINING or not all(map(_is_narrow, columns)):
        return [pack(part) for part in parts]
    lengths = np.array([len(part) for part in filled])
    starts = np.cumsum(lengths) - lengths
    packed = zip(*(_packed_runs(column, starts, lengths) for column in columns), strict=True)
    heads = (_HEAD.pack(_VERSION, length) for length in lengths.tolist())
    bodies = iter([b"".join((head, *run)) for head, run in zip(heads, packed, strict=True)])
    return [next(bodies) if len(part) else pack(part) for part in parts]


def unpack(data: bytes | memoryview) -> Cells:
    """The cells of `pack`; raises `BookDamaged` on anything else."""
    view = memoryview(data)
    try:
        version, length = _HEAD.unpack_from(view, 0)
        if version != _VERSION:
            raise BookDamaged(f"Packed totals of version {version} are not known.")
        if not length:
            return Cells.empty()
        return _unpack_columns(view, length)
    except (struct.error, ValueError, KeyError) as error:
        raise BookDamaged(f"Packed totals cannot be read: {error}.") from error


def _unpack_columns(view: memoryview, length: int) -> Cells:
    offset = _HEAD.size
    columns: list[Column] = []
    for _ in range(_COLUMNS):
        code, base, scale = _COLUMN.unpack_from(view, offset)
        offset += _COLUMN.size
        column, offset = _values(view, offset, code, base, scale, length)
        columns.append(column)
    return Cells(*columns)


def _values(view: memoryview, offset: int, code: int, base: int, scale: int, length: int) -> tuple[Column, int]:
    if code == 0:
        return np.full(length, base, dtype=np.int64), offset
    if code == _TEXT:
        end = offset + scale
        texts = bytes(view[offset:end]).decode("ascii").split(",")
        return np.array([int(text) for text in texts], dtype=object), end
    stored = np.frombuffer(view, dtype=_DTYPES[code], count=length, offset=offset)
    values = np.multiply(stored, scale, dtype=np.int64) if scale != 1 else stored.astype(np.int64)
    if base:
        values += base
    return values, offset + code * length


def _packed(column: Column) -> bytes:
    if column.dtype == np.object_:
        text = ",".join(str(value) for value in column).encode("ascii")
        return _COLUMN.pack(_TEXT, 0, len(text)) + text
    base = int(column.min())
    spread = int(column.max()) - base
    if not spread:
        return _COLUMN.pack(0, base, 1)
    if spread >= 2**63:
        return _packed(column.astype(object))
    offsets = column - base
    scale = int(np.gcd.reduce(offsets))
    code = _width(spread // scale)
    return _COLUMN.pack(code, base, scale) + (offsets // scale).astype(_DTYPES[code]).tobytes()


def _is_narrow(column: Column) -> bool:
    """Whether differences of its values are certain to fit into 63 bits."""
    return column.dtype != np.object_ and int(column.max()) < _NARROW and int(column.min()) > -_NARROW


def _packed_runs(column: Column, starts: Keys, lengths: Keys) -> list[bytes]:
    """`_packed` of every run of the column."""
    bases = np.minimum.reduceat(column, starts)
    spreads = np.maximum.reduceat(column, starts) - bases
    if not spreads.any():
        return [_COLUMN.pack(0, base, 1) for base in bases.tolist()]
    offsets = column - np.repeat(bases, lengths)
    scales = np.maximum(np.gcd.reduceat(offsets, starts), 1)
    stored = offsets // np.repeat(scales, lengths)
    runs = []
    ends = starts + lengths
    for base, spread, scale, start, end in zip(
        bases.tolist(), spreads.tolist(), scales.tolist(), starts.tolist(), ends.tolist(), strict=True
    ):
        if not spread:
            runs.append(_COLUMN.pack(0, base, 1))
            continue
        code = _width(spread // scale)
        runs.append(_COLUMN.pack(code, base, scale) + stored[start:end].astype(_DTYPES[code]).tobytes())
    return runs


def _width(largest: int) -> int:
    for code in (1, 2, 4):
        if largest < 1 << (8 * code):
            return code
    return 8
