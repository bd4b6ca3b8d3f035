"""Detecting the encoding of a text file from its bytes, and reading it as UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from learnrate.data.sources import Source
from learnrate.data.wording import shortened
from learnrate.errors import DataError, option

__all__ = ["as_utf8", "refuse_wrong_encoding"]

_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_CANDIDATES = [
    "gb18030",
    "big5",
    "cp932",
    "cp949",
    "euc_jp",
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
]
_NAMES = {
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR (CP949)",
    "euc_jp": "EUC-JP",
    "cp1252": "Windows-1252 (Latin-1)",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp1253": "Windows-1253",
}


def as_utf8(source: Source, encoding: str | None) -> tuple[Source, list[str]]:
    """A text file, converted to UTF-8 where necessary, and notes on its encoding.

    Parameters
    ----------
    source : Source
        The file.
    encoding : str or None
        The encoding; detected from the bytes if None.

    Raises
    ------
    DataError
        If it is not text, or its encoding cannot be detected.
    """
    notes: list[str] = []
    with source.reading(), source.open() as stream:
        start = stream.read(1 << 16)
    if encoding is None:
        encoding, notes = _find(source, start)
    elif encoding == "utf-8":
        return source, notes
    if encoding == "utf-8":
        if b"\r" in start and b"\n" not in start:  # line ends of old Macs
            opener = _recoded(source.open, "utf-8", old_mac=True)
            return replace(source, opener=opener, compression="", path=None), notes
        return source, notes
    opener = _recoded(source.open, encoding)
    return replace(source, opener=opener, compression="", path=None), notes


def _recoded(
    opener: Callable[[], Any], encoding: str, *, old_mac: bool = False
) -> Callable[[], Any]:
    """A function that opens the same text as UTF-8."""
    return lambda: io.BufferedReader(_Recoding(opener(), encoding, old_mac), 1 << 16)


class _Recoding(io.RawIOBase):
    """A stream in some encoding, read as UTF-8. Bytes that cannot be decoded become U+FFFD."""

    def __init__(self, stream: Any, encoding: str, old_mac: bool) -> None:
        self._stream, self._old_mac = stream, old_mac
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            some = self._stream.read(_CHUNK)
            text = self._decoder.decode(some, final=not some)
            if self._old_mac:
                text = text.replace("\r", "\n")
            self._rest = text.encode()
            if not some:
                break
        count = min(len(into), len(self._rest))
        into[:count], self._rest = self._rest[:count], self._rest[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def _find(source: Source, start: bytes) -> tuple[str, list[str]]:
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name, [] if name == "utf-8" else [f"{source.label} is read as {_NAMES[name]}."]
    if b"\0" in start:
        low, high = start[::2], start[1::2]
        for name, zeros, others in (("utf-16-le", high, low), ("utf-16-be", low, high)):
            if zeros.count(0) > 0.3 * len(zeros) and not others.count(0):
                return name, [f"{source.label} is read as {_NAMES[name]}."]
        raise DataError(
            f"{source.label} must be text. Got a binary file instead; name it by what it is."
        )
    lines = _lines_not_ascii(source)
    if not lines or _is_utf8(lines):
        return "utf-8", []
    fits = ["gb18030"] if _is_chinese(lines) else _candidates(lines)
    if not fits:
        refuse_wrong_encoding(source)
        return "utf-8", []
    word = next(
        iter(re.findall(r"[^\W\d_]*[^\x00-\x7f][^\W\d_]*", lines.decode(fits[0], "replace"))), ""
    )
    note = f"{source.label} is read as {_NAMES[fits[0]]}, for instance {shortened(word)}; to choose another use the option encoding."
    return fits[0], [note]


def _lines_not_ascii(source: Source) -> bytes:
    """The first lines that are not ASCII, up to 64 kB; in a file at an address, only those among its first 8 MiB."""
    found: list[bytes] = []
    size = read = 0
    rest = b""
    with source.reading(), source.open() as stream:
        while size < 1 << 16 and (source.path is not None or read < 8 * _CHUNK):
            some = stream.read(_CHUNK)
            read += len(some)
            if some and some.isascii() and rest.isascii():
                rest = some[some.rfind(b"\n") + 1 :]
                continue
            content = rest + some
            whole, _, rest = content.rpartition(b"\n") if some else (content, b"", b"")
            for line in whole.split(b"\n"):
                if not line.isascii() and size < 1 << 16:
                    found.append(line)
                    size += len(line)
            if not some:
                break
    return b"\n".join(found)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(lines: bytes) -> bool:
    """Whether the bytes are Chinese characters in GB 2312, few words of which look like Korean or Cyrillic to a detector.

    Its rows 16 to 55, bytes 0xB0 to 0xD7, hold the common characters. Korean uses no row of 41 to 55 for its syllables,
    Japanese mixes in kana (rows 4 and 5), and other encodings have pairs of bytes that are none in GB 2312.
    """
    try:
        lines.decode("gb2312")
    except UnicodeDecodeError:
        return False
    different = set(re.findall(rb"[\xa1-\xf7][\xa1-\xfe]", lines))
    rows = np.array([pair[0] for pair in different])
    characters = rows[rows >= 0xB0]
    common = characters <= 0xD7
    return bool(
        characters.size
        and re.search(rb"[\xa1-\xbf\xe0-\xfe]", lines)  # else all could be capitals in Windows-1251
        and not np.isin(rows, (0xA4, 0xA5)).any()
        and common.mean() >= 0.9
        and (common & (characters > 0xC8)).mean() >= 0.15
    )


def _candidates(lines: bytes) -> list[str]:
    from charset_normalizer import from_bytes

    words = lines.translate(None, b'0123456789.,;"\t')
    found = from_bytes(words, cp_isolation=_CANDIDATES) or from_bytes(
        words, cp_isolation=_CANDIDATES, threshold=0.5
    )
    fits = [one.encoding for one in found]
    if fits[:1] == ["cp1250"]:
        try:  # they differ in few letters: look for signs inside words
            western = lines.decode("cp1252")
        except UnicodeDecodeError:
            return fits
        if not re.search(r"[^\W\d_][¹³¿¼¾ÿ]|[¹³¿¼¾][^\W\d_]", western):
            return ["cp1252", *fits]
    return fits


def refuse_wrong_encoding(source: Source) -> None:
    """Raise `DataError` for the first line that is not UTF-8."""
    with source.open() as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{source.label} must be text in UTF-8, or its encoding be named. Got the byte "
                    f"0x{line[error.start]:02X} at position {error.start + 1} of line {number}; use {option('encoding')} "
                    "cp1252, gb18030, big5, shift_jis or another that Python knows."
                ) from None
