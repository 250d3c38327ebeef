"""Until when a certificate is valid, read off its bytes: X.509 in DER, RFC 5280 section 4.1."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timezone
from typing import NamedTuple

PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.+?)-----END ", re.DOTALL)
SEQUENCE, VERSION = 0x30, 0xA0
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
# RFC 5280, section 4.1.2.5.1: two digits from 50 on are of the last century.
CENTURY_TURNS_AT = 50


class CertificateError(ValueError):
    """These bytes are no certificate."""


class _Element(NamedTuple):
    tag: int
    content: bytes
    rest: bytes


def pem_certificates(content: bytes) -> list[bytes]:
    """The certificates of a PEM file in DER, in their order; what cannot be decoded is left out."""
    blocks = (b"".join(match[1].split()) for match in PEM.finditer(content))
    return [der for der in map(_decoded, blocks) if der is not None]


def valid_until(der: bytes) -> datetime:
    """The moment after which a certificate is no longer valid.

    Raises:
        CertificateError: these bytes are no certificate.
    """
    certificate = _element(der, SEQUENCE)
    fields = _element(certificate.content, SEQUENCE).content
    if fields[:1] == bytes([VERSION]):
        fields = _element(fields).rest
    for _ in ("serial number", "signature algorithm", "issuer"):
        fields = _element(fields).rest
    validity = _element(fields, SEQUENCE).content
    return _moment(_element(_element(validity).rest))


def _decoded(block: bytes) -> bytes | None:
    try:
        return base64.b64decode(block, validate=True)
    except binascii.Error:
        return None


def _element(der: bytes, tag: int | None = None) -> _Element:
    """The first element: its tag, its content and what follows it."""
    if len(der) < 2 or (tag is not None and der[0] != tag):
        raise CertificateError("no certificate: another field is expected")
    length, at = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        if not 0 < count <= 4 or len(der) < at + count:
            raise CertificateError("no certificate: a length that cannot be")
        length, at = int.from_bytes(der[at : at + count], "big"), at + count
    if len(der) < at + length:
        raise CertificateError("no certificate: it ends too soon")
    return _Element(der[0], der[at : at + length], der[at + length :])


def _moment(element: _Element) -> datetime:
    digits = element.content.decode("ascii", errors="replace")
    if element.tag == UTC_TIME:
        digits = ("19" if digits[:2] >= str(CENTURY_TURNS_AT) else "20") + digits
    elif element.tag != GENERALIZED_TIME:
        raise CertificateError("no certificate: a time is expected")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise CertificateError(f"no certificate: {digits!r} is no time") from error
