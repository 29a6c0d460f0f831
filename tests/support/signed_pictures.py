"""Really signed pictures: a certificate authority of one's own, made anew for each session."""

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

ISSUER = "Otter Pictures Ltd"
GENERATOR = "Otter painter 1.0"
MANIFEST = {
    "claim_generator_info": [{"name": "Otter painter", "version": "1.0"}],
    "title": "An otter",
    "assertions": [
        {
            "label": "c2pa.actions",
            "data": {
                "actions": [
                    {
                        "action": "c2pa.created",
                        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
                    }
                ]
            },
        }
    ],
}


class Authority(NamedTuple):
    """A root certificate, one signed by it with its root, and the latter's key, all as PEM."""

    root: bytes
    chain: bytes
    key: bytes


def encode(picture: Image.Image, kind: str) -> bytes:
    """Encode a picture as ``png``, ``jpeg`` or ``webp``."""
    stream = io.BytesIO()
    picture.save(stream, kind.upper())
    return stream.getvalue()


def sign(data: bytes, kind: str) -> bytes:
    """Put Content Credentials by `ISSUER` into a picture's bytes."""
    authority = make_authority()
    info = c2pa.C2paSignerInfo(b"es256", authority.chain, authority.key, None)
    stream = io.BytesIO()
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(MANIFEST) as builder:
        builder.sign(signer, f"image/{kind}", io.BytesIO(data), stream)
    return stream.getvalue()


@cache
def make_authority() -> Authority:
    """Make a root and a signer below it, both of elliptic curve P-256."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certify("Otter Root", root_key, root_key, is_root=True)
    leaf = _certify("Otter Signer", key, root_key, is_root=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Authority(root.public_bytes(pem), leaf.public_bytes(pem) + root.public_bytes(pem), private)


def _certify(
    name: str, key: ec.EllipticCurvePrivateKey, root_key: ec.EllipticCurvePrivateKey, *, is_root: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    usages: dict[str, Any] = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    usages |= {"encipher_only": False, "decipher_only": False}
    builder = (
        x509.CertificateBuilder(_name("Otter Root"), _name(name), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usages),
            critical=True,
        )
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(root_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    pairs = ((NameOID.ORGANIZATION_NAME, ISSUER), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])
