//! $Secure: each security descriptor once, with a number.

use super::super::hive::descriptor;

const PIECE: usize = 256 << 10;

/// SYSTEM owns it, SYSTEM and administrators may do everything, everybody may read: what a file has that was given nothing else.
fn usual() -> Vec<u8> {
    let entries: &[(u8, u32, &[u32])] = &[
        (0, 0x1f_01ff, &[18]),
        (0, 0x1f_01ff, &[32, 544]),
        (0, 0x12_0089, &[32, 545]),
    ];
    descriptor(&[18], &[18], entries)
}

/// The descriptors of a volume.
#[derive(Default)]
pub struct Descriptors(Vec<Vec<u8>>);

impl Descriptors {
    pub fn add(&mut self, descriptor: Option<&[u8]>) {
        let descriptor = descriptor.map_or_else(usual, <[u8]>::to_vec);
        if !self.0.contains(&descriptor) {
            self.0.push(descriptor);
        }
    }

    /// Its number; they begin at 0x100.
    pub fn id(&self, descriptor: Option<&[u8]>) -> u32 {
        let descriptor = descriptor.map_or_else(usual, <[u8]>::to_vec);
        let index = self.0.iter().position(|known| *known == descriptor);
        0x100 + index.unwrap_or_default() as u32
    }

    /// $SDS: the descriptors, and a copy of them 256 KiB further on.
    pub fn stream(&self) -> Vec<u8> {
        let mut piece = Vec::new();
        for (index, descriptor) in self.0.iter().enumerate() {
            let at = piece.len() as u64;
            piece.extend(hash(descriptor).to_le_bytes());
            piece.extend((0x100 + index as u32).to_le_bytes());
            piece.extend(at.to_le_bytes());
            piece.extend((20 + descriptor.len() as u32).to_le_bytes());
            piece.extend(descriptor);
            piece.resize(piece.len().next_multiple_of(16), 0);
        }
        assert!(piece.len() <= PIECE, "too many descriptors");
        let mut stream = piece.clone();
        stream.resize(PIECE, 0);
        stream.extend(piece);
        stream
    }
}

fn hash(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().fold(0_u32, |hash, word| {
        u32::from_le_bytes(*word).wrapping_add(hash.rotate_left(3))
    })
}
