//! Certificates in PEM (RFC 7468): one or many in a file, with anything between them. Base64 and framing are decoded by
//! `x509-parser`; the blocks are found here, so that a bad one is named by its line and the others are still read.

use x509_parser::pem::parse_x509_pem;

use super::certificate::{Certificate, CertificateError, CertificateProblem};
use super::certificate_bundle::{self, BundleError};
use super::text::Text;

/// One block between BEGIN and END.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PemBlock {
    /// The line of its BEGIN, from 1.
    pub line: usize,
    /// The certificate in it, or why there is none.
    pub certificate: Result<Certificate, PemError>,
}

/// Why a block gives no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// BEGIN, but no END before the next BEGIN or the end of the file.
    #[error("the block has no END line: the file is cut, or lines are missing")]
    NoEnd,
    /// A line that is no base64.
    #[error("line {line} is not base64: something else was pasted into the block")]
    Garbage {
        /// The first such line, from 1.
        line: usize,
    },
    /// The lines are base64 each, but not together: characters are missing.
    #[error("the base64 does not decode: characters are missing from the block")]
    Base64,
    /// A private key, whose content was not looked at.
    #[error("a private key stands here; it was not read. Remove it from the collection")]
    PrivateKey,
    /// A block of another kind.
    #[error("the block holds a {label}, not a certificate")]
    OtherLabel {
        /// What BEGIN says.
        label: String,
    },
    /// The bytes are no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A PKCS #7 message that cannot be read on.
    #[error("in the block, {0}")]
    Bundle(BundleError),
}

/// Whether these bytes, the beginning of a file, hold a PEM block.
pub fn is_pem(head: &[u8]) -> bool {
    lines(&Text::decode(head).characters).any(|(_, line)| begin_label(line).is_some())
}

/// Reads all blocks of a file, in any text encoding and with any line ends, in their order. Text outside of blocks is
/// allowed by RFC 7468 and ignored.
pub fn read_pem(bytes: &[u8]) -> Vec<PemBlock> {
    let text = Text::decode(bytes);
    let blocks = blocks(&text.characters).into_iter();
    blocks
        .filter(|(block, _)| block.label != CRL)
        .flat_map(|(block, end)| match end {
            End::Marked => block.read(),
            End::Missing => vec![block.without_end()],
        })
        .collect()
}

/// What a list of revoked certificates is called (RFC 7468, 6).
const CRL: &str = "X509 CRL";

/// Whether a block has its END.
#[derive(Clone, Copy)]
enum End {
    Marked,
    Missing,
}

/// Every block, in order.
fn blocks(text: &str) -> Vec<(OpenBlock<'_>, End)> {
    let mut blocks = Vec::new();
    let mut open: Option<OpenBlock<'_>> = None;
    for (number, line) in lines(text) {
        if let Some(label) = begin_label(line) {
            blocks.extend(open.take().map(|block| (block, End::Missing)));
            open = Some(OpenBlock {
                line: number,
                label,
                lines: Vec::new(),
            });
        } else if line.starts_with("-----END ") {
            blocks.extend(open.take().map(|block| (block, End::Marked)));
        } else if let Some(block) = &mut open
            && !block.holds_private_key()
        {
            block.lines.push((number, line));
        }
    }
    blocks.extend(open.take().map(|block| (block, End::Missing)));
    blocks
}

/// The lines with their numbers, from 1, without white space around them. A lone carriage return ends a line too, in files
/// that went through old Macs and some ticket systems.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
}

/// The lists of revoked certificates in a file, in DER, each with the line of its BEGIN, from 1.
pub fn read_revocation_lists(bytes: &[u8]) -> Vec<(usize, Result<Vec<u8>, PemError>)> {
    let text = Text::decode(bytes);
    let mut lists = Vec::new();
    for (block, end) in blocks(&text.characters) {
        let line = block.line;
        match (block.label, end) {
            (CRL, End::Marked) => lists.push((line, block.decode())),
            (CRL, End::Missing) => lists.push((line, Err(PemError::NoEnd))),
            // That a message does not decode is told with its certificates.
            (label, End::Marked) if is_message(label) => {
                let message = block.decode().unwrap_or_default();
                let bundled = certificate_bundle::revocation_lists_of_pkcs7(&message);
                lists.extend(bundled.into_iter().map(|list| (line, Ok(list.der))));
            }
            _ => {}
        }
    }
    lists
}

fn is_message(label: &str) -> bool {
    matches!(label, "PKCS7" | "CMS")
}

fn begin_label(line: &str) -> Option<&str> {
    line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")
}

struct OpenBlock<'a> {
    line: usize,
    label: &'a str,
    lines: Vec<(usize, &'a str)>,
}

/// The certificates of a PKCS #7 message.
fn bundled(message: &[u8]) -> Vec<Result<Certificate, PemError>> {
    let (found, error) = certificate_bundle::pkcs7(message);
    found
        .into_iter()
        .map(|one| one.certificate.map(|one| *one).map_err(PemError::from))
        .chain(error.map(|error| Err(PemError::Bundle(error))))
        .collect()
}

impl OpenBlock<'_> {
    fn holds_private_key(&self) -> bool {
        self.label.contains("PRIVATE KEY")
    }

    fn without_end(self) -> PemBlock {
        let error = if self.holds_private_key() {
            PemError::PrivateKey
        } else {
            PemError::NoEnd
        };
        PemBlock {
            line: self.line,
            certificate: Err(error),
        }
    }

    fn read(self) -> Vec<PemBlock> {
        let line = self.line;
        let certificates = match self.label {
            label if is_message(label) => match self.decode() {
                Ok(message) => bundled(&message),
                Err(error) => vec![Err(error)],
            },
            _ => vec![self.certificate()],
        };
        certificates
            .into_iter()
            .map(|certificate| PemBlock { line, certificate })
            .collect()
    }

    fn certificate(&self) -> Result<Certificate, PemError> {
        if self.holds_private_key() {
            return Err(PemError::PrivateKey);
        }
        // OpenSSL appends its trust settings to the certificate in TRUSTED CERTIFICATE: they are no damage.
        let with_trust_settings = match self.label {
            "CERTIFICATE" | "X509 CERTIFICATE" => false,
            "TRUSTED CERTIFICATE" => true,
            label => {
                return Err(PemError::OtherLabel {
                    label: label.to_owned(),
                });
            }
        };
        let mut certificate = Certificate::from_der(&self.decode()?)?;
        if with_trust_settings {
            certificate
                .problems
                .retain(|problem| !matches!(problem, CertificateProblem::Trailing { .. }));
        }
        Ok(certificate)
    }

    fn decode(&self) -> Result<Vec<u8>, PemError> {
        // Headers as in RFC 1421 stand before an empty line; base64 knows no colon.
        let body = self
            .lines
            .iter()
            .skip_while(|(_, line)| line.contains(": ") || line.is_empty());
        let mut armored = String::from("-----BEGIN CERTIFICATE-----\n");
        for (number, line) in body {
            let base64 =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            if !line.bytes().all(base64) {
                return Err(PemError::Garbage { line: *number });
            }
            armored.push_str(line);
        }
        armored.push_str("\n-----END CERTIFICATE-----\n");
        let (_, pem) = parse_x509_pem(armored.as_bytes()).map_err(|_| PemError::Base64)?;
        Ok(pem.contents)
    }
}
