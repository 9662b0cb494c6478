//! Forges private key files as CryptoAPI and CNG keep them: the real public half, and pseudo-random bytes where DPAPI's
//! ciphertext stands. There is no private key in them.

use super::keys::TestKey;

/// What can befall a key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileDamage {
    /// 0 bytes.
    Emptied,
    /// All zeros, the length kept.
    Zeroed,
    /// The second half zeros.
    HalfZeroed,
    /// Only so many bytes.
    Cut(usize),
    /// So many more bytes at the end.
    Trailing(usize),
    /// Random bytes, the length kept.
    Garbage,
}

impl KeyFileDamage {
    pub fn apply(self, mut file: Vec<u8>) -> Vec<u8> {
        let length = file.len();
        match self {
            KeyFileDamage::Emptied => file.clear(),
            KeyFileDamage::Zeroed => file.fill(0),
            KeyFileDamage::HalfZeroed => file[length / 2..].fill(0),
            KeyFileDamage::Cut(left) => file.truncate(left),
            KeyFileDamage::Trailing(more) => file.resize(length + more, 0xa5),
            KeyFileDamage::Garbage => file = noise(0x6a_b1e5, length),
        }
        file
    }
}

/// The master key that forged key files name.
pub const MASTER_KEY: [u8; 16] = [
    0x3b, 0x85, 0x2e, 0xd2, 0x54, 0xb4, 0x84, 0xad, 0x39, 0x7d, 0xe8, 0xb5, 0xcf, 0x2b, 0x0d, 0x4d,
];

/// A file of `Crypto\RSA\MachineKeys` with an RSA exchange key.
pub fn capi_key_file(container: &str, key: TestKey) -> Vec<u8> {
    let (modulus, exponent) = key
        .public()
        .rsa()
        .expect("CryptoAPI files are forged for RSA keys");
    let mut public = b"RSA1".to_vec();
    let bits = modulus.len() as u32 * 8;
    for word in [bits / 8 + 8, bits, bits / 8 - 1, exponent] {
        public.extend(word.to_le_bytes());
    }
    public.extend(modulus.iter().rev());
    public.extend([0; 8]);
    let private = dpapi_blob(1, "CryptoAPI Private Key", 0x550);
    let export_flag = dpapi_blob(2, "Export Flag", 16);
    let name = [container.as_bytes(), &[0]].concat();
    let mut file = Vec::new();
    let lengths = [
        2,
        0,
        name.len() as u32,
        0,
        0,
        public.len() as u32,
        private.len() as u32,
        20,
        0,
        export_flag.len() as u32,
    ];
    for word in lengths {
        file.extend(u32::to_le_bytes(word));
    }
    for part in [&name, &vec![0; 20], &public, &private, &export_flag] {
        file.extend(part);
    }
    file
}

/// A file of `Crypto\Keys`.
pub fn cng_key_file(container: &str, key: TestKey) -> Vec<u8> {
    let public = key.public();
    let blob = match public.rsa() {
        Some((modulus, exponent)) => {
            let exponent = &exponent.to_be_bytes()[1..];
            let mut blob = b"RSA1".to_vec();
            for word in [
                modulus.len() as u32 * 8,
                exponent.len() as u32,
                modulus.len() as u32,
                0,
                0,
            ] {
                blob.extend(word.to_le_bytes());
            }
            [blob, exponent.to_vec(), modulus].concat()
        }
        None => {
            let point = &public.point()[1..];
            let mut blob = b"ECS1".to_vec();
            blob.extend((point.len() as u32 / 2).to_le_bytes());
            [blob, point.to_vec()].concat()
        }
    };
    let modified = 0x01d9_0000_0000_0000_u64.to_le_bytes();
    let public_properties = [
        property(0, "Modified", &modified),
        property(0x0a, "", &blob),
    ]
    .concat();
    let private_properties = dpapi_blob(3, "Private Key Properties", 0x200);
    let private_key = dpapi_blob(4, "Private Key", 0x4b0);
    let name = utf16(container);
    let mut file = Vec::new();
    let header = [
        1,
        0,
        name.len() as u32,
        0,
        public_properties.len() as u32,
        private_properties.len() as u32,
        private_key.len() as u32,
    ];
    for word in header {
        file.extend(u32::to_le_bytes(word));
    }
    file.extend([0; 16]);
    for part in [&name, &public_properties, &private_properties, &private_key] {
        file.extend(part);
    }
    file
}

fn property(kind: u32, name: &str, value: &[u8]) -> Vec<u8> {
    let name = utf16(name);
    let length = 20 + name.len() + value.len();
    let mut bytes = Vec::new();
    for word in [
        length as u32,
        kind,
        0,
        name.len() as u32,
        value.len() as u32,
    ] {
        bytes.extend(word.to_le_bytes());
    }
    [bytes, name, value.to_vec()].concat()
}

/// The framing of a DPAPI blob (AES-256, SHA-512) around noise.
fn dpapi_blob(seed: u64, description: &str, payload: usize) -> Vec<u8> {
    const PROVIDER: [u8; 16] = [
        0xd0, 0x8c, 0x9d, 0xdf, 0x01, 0x15, 0xd1, 0x11, 0x8c, 0x7a, 0x00, 0xc0, 0x4f, 0xc2, 0x97,
        0xeb,
    ];
    let mut blob = 1_u32.to_le_bytes().to_vec();
    blob.extend(PROVIDER);
    blob.extend(1_u32.to_le_bytes());
    blob.extend(MASTER_KEY);
    blob.extend(4_u32.to_le_bytes());
    let sized = |bytes: Vec<u8>| [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat();
    blob.extend(sized([utf16(description), vec![0, 0]].concat()));
    blob.extend([0x6610_u32, 256].map(u32::to_le_bytes).concat());
    blob.extend(sized(noise(seed, 32)));
    blob.extend(sized(Vec::new()));
    blob.extend([0x800e_u32, 512].map(u32::to_le_bytes).concat());
    blob.extend(sized(noise(seed + 100, 32)));
    blob.extend(sized(noise(seed + 200, payload)));
    blob.extend(sized(noise(seed + 300, 64)));
    blob
}

/// Pseudo-random bytes (splitmix64), the same for the same seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    std::iter::from_fn(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some((mixed ^ (mixed >> 31)).to_le_bytes())
    })
    .flatten()
    .take(length)
    .collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
