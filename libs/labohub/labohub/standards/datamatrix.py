"""Data Matrix symbols (ECC 200), square, in ASCII encodation: what a scanner reads from paper.

Source: ISO/IEC 16022:2006, 5.2 (ASCII), 5.7 (error correction, GF(256) of 0x12D), annex F (placement), table 7 (sizes).
"""

from functools import cache
from typing import Final, NamedTuple

from labohub.errors import Refused

_PAD: Final = 129
_DIGIT_PAIRS: Final = 130
_POLYNOMIAL: Final = 0x12D


class DataMatrixRefused(Refused):
    """A text that is not ASCII, or too long for a symbol of 64 by 64."""

    code = "datamatrix.refused"


class _Size(NamedTuple):
    side: int  # modules, finder pattern included
    data: int  # codewords
    correction: int
    regions: int  # per side
    blocks: int


_SIZES: Final = tuple(
    _Size(*row)
    for row in (
        (10, 3, 5, 1, 1), (12, 5, 7, 1, 1), (14, 8, 10, 1, 1), (16, 12, 12, 1, 1), (18, 18, 14, 1, 1),
        (20, 22, 18, 1, 1), (22, 30, 20, 1, 1), (24, 36, 24, 1, 1), (26, 44, 28, 1, 1), (32, 62, 36, 2, 1),
        (36, 86, 42, 2, 1), (40, 114, 48, 2, 1), (44, 144, 56, 2, 1), (48, 174, 68, 2, 1), (52, 204, 84, 2, 2),
        (64, 280, 112, 4, 2),
    )
)  # fmt: skip


def data_matrix(text: str) -> tuple[str, ...]:
    """Return the rows of the smallest symbol that holds a text: `1` for a dark module, from the top.

    A quiet zone of one module must be left around it.

    Raises: DataMatrixRefused.
    """
    words = _codewords(text)
    size = next((each for each in _SIZES if each.data >= len(words)), None)
    if size is None:
        raise DataMatrixRefused("a text is too long for a symbol")
    data = _padded(words, size.data)
    correction = [0] * size.correction
    for block in range(size.blocks):
        correction[block :: size.blocks] = _correction(data[block :: size.blocks], size.correction // size.blocks)
    return _symbol(size, data + correction)


def _codewords(text: str) -> list[int]:
    """Return the ASCII encodation: two digits in one codeword."""
    if not text.isascii():
        raise DataMatrixRefused("a text is not ASCII")
    words: list[int] = []
    place = 0
    while place < len(text):
        if text[place : place + 2].isdigit() and place + 1 < len(text):
            words.append(_DIGIT_PAIRS + int(text[place : place + 2]))
            place += 2
        else:
            words.append(ord(text[place]) + 1)
            place += 1
    return words


def _padded(words: list[int], length: int) -> list[int]:
    padded = [*words, _PAD][:length]
    while len(padded) < length:
        pad = _PAD + 149 * (len(padded) + 1) % 253 + 1
        padded.append(pad - 254 if pad > 254 else pad)
    return padded


@cache
def _field() -> tuple[list[int], list[int]]:
    """Return the powers of two in the field (twice around), and the logarithms."""
    powers, logarithms, value = [0] * 510, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value = value << 1 ^ (_POLYNOMIAL if value & 0x80 else 0)
    return powers, logarithms


@cache
def _generator(degree: int) -> tuple[int, ...]:
    """Return the coefficients of the generator polynomial below its first, the highest power first."""
    powers, logarithms = _field()
    polynomial = [1]
    for root in range(1, degree + 1):
        longer = [*polynomial, 0]
        for place, coefficient in enumerate(polynomial, 1):
            longer[place] ^= powers[logarithms[coefficient] + root] if coefficient else 0
        polynomial = longer
    return tuple(polynomial[1:])


def _correction(data: list[int], count: int) -> list[int]:
    """Return the Reed-Solomon codewords of one block."""
    powers, logarithms = _field()
    generator = [logarithms[each] for each in _generator(count)]
    rest = [0] * count
    for word in data:
        factor = word ^ rest[0]
        rest = [*rest[1:], 0]
        if factor:
            shift = logarithms[factor]
            rest = [each ^ powers[shift + term] for each, term in zip(rest, generator, strict=True)]
    return rest


def _symbol(size: _Size, words: list[int]) -> tuple[str, ...]:
    """Return the modules: the finder pattern of each region, and inside it the bits."""
    inner = size.side // size.regions - 2
    bits = _placement(inner * size.regions)
    rows = []
    for row in range(size.side):
        y, in_y = divmod(row, inner + 2)
        modules = []
        for column in range(size.side):
            x, in_x = divmod(column, inner + 2)
            if in_x == 0 or in_y == inner + 1:
                dark = True
            elif in_y == 0:
                dark = in_x % 2 == 0
            elif in_x == inner + 1:
                dark = in_y % 2 == 1
            else:
                word, bit = bits[y * inner + in_y - 1, x * inner + in_x - 1]
                dark = bool(words[word] >> bit & 1) if word >= 0 else bool(bit)
            modules.append("1" if dark else "0")
        rows.append("".join(modules))
    return tuple(rows)


_UTAH: Final = ((-2, -2), (-2, -1), (-1, -2), (-1, -1), (-1, 0), (0, -2), (0, -1), (0, 0))
_CORNERS: Final = (  # from the end of the side when negative
    ((-1, 0), (-1, 1), (-1, 2), (0, -2), (0, -1), (1, -1), (2, -1), (3, -1)),
    ((-3, 0), (-2, 0), (-1, 0), (0, -4), (0, -3), (0, -2), (0, -1), (1, -1)),
    ((-3, 0), (-2, 0), (-1, 0), (0, -2), (0, -1), (1, -1), (2, -1), (3, -1)),
    ((-1, 0), (-1, -1), (0, -3), (0, -2), (0, -1), (1, -3), (1, -2), (1, -1)),
)


@cache
def _placement(side: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the codeword and the bit (7 the highest) of each module; a codeword of -1: a fixed module."""
    placed: dict[tuple[int, int], tuple[int, int]] = {}
    word = 0

    def corner(number: int) -> None:
        nonlocal word
        for bit, (row, column) in enumerate(_CORNERS[number]):
            placed[row % side, column % side] = (word, 7 - bit)
        word += 1

    def utah(row: int, column: int) -> None:
        nonlocal word
        if not (0 <= row < side and 0 <= column < side) or (row, column) in placed:
            return
        for bit, (down, right) in enumerate(_UTAH):
            y, x = row + down, column + right
            if y < 0:
                y, x = y + side, x + 4 - (side + 4) % 8
            if x < 0:
                y, x = y + 4 - (side + 4) % 8, x + side
            placed[y, x] = (word, 7 - bit)
        word += 1

    row, column = 4, 0
    while row < side or column < side:
        if (row, column) == (side, 0):
            corner(0)
        elif (row, column) == (side - 2, 0) and side % 4:
            corner(1)
            if side % 8 == 4:
                corner(2)
        elif (row, column) == (side + 4, 2) and side % 8 == 0:
            corner(3)
        while row >= 0 and column < side:
            utah(row, column)
            row, column = row - 2, column + 2
        row, column = row + 1, column + 3
        while row < side and column >= 0:
            utah(row, column)
            row, column = row + 2, column - 2
        row, column = row + 3, column + 1
    for offset, dark in (((1, 1), 1), ((1, 2), 0), ((2, 1), 0), ((2, 2), 1)):
        placed.setdefault((side - offset[0], side - offset[1]), (-1, dark))
    return placed
