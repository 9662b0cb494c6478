//! The public half of a private key (PrivateKeyInfo, RFC 5208, 5): of RSA the first two numbers of its key (RFC 8017, A.1.2), of an
//! elliptic curve the point that is kept beside it (RFC 5915, 3). Nothing else of it is looked at.

use super::super::ber::{BIT_STRING, Cursor, INTEGER, OCTET_STRING, SEQUENCE, Trouble};
use crate::parse::certificate::{PublicKey, RsaPublicKey};

const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
/// Where the point stands.
const SECOND: u8 = 0xA1;

/// The public half; none where the algorithm is another, or the point is not kept.
pub(super) fn public_half(info: Cursor<'_>) -> Result<Option<PublicKey>, Trouble> {
    let (info, _) = info.expect(SEQUENCE)?;
    let (_, rest) = info.number()?;
    let (algorithm, rest) = rest.expect(SEQUENCE)?;
    let (identifier, parameters) = algorithm.identifier()?;
    let (key, _) = rest.expect(OCTET_STRING)?;
    match identifier.as_str() {
        RSA => {
            let (numbers, _) = key.expect(SEQUENCE)?;
            let (_, rest) = numbers.number()?;
            let (modulus, rest) = rest.expect(INTEGER)?;
            let (exponent, _) = rest.expect(INTEGER)?;
            let key = RsaPublicKey::from_big_endian(modulus.bytes, exponent.bytes);
            Ok(key.map(PublicKey::Rsa))
        }
        EC => {
            let (curve, _) = parameters.identifier()?;
            let (fields, _) = key.expect(SEQUENCE)?;
            let (_, rest) = fields.number()?;
            let mut rest = rest.expect(OCTET_STRING)?.1;
            while let Some(field) = rest.next()? {
                if field.tag == SECOND {
                    let (point, _) = field.content.expect(BIT_STRING)?;
                    // The first byte counts the bits that do not count.
                    let point = point.bytes.get(1..).unwrap_or_default();
                    return Ok(Some(PublicKey::on_curve(&curve, point.to_vec())));
                }
                rest = field.after;
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}
