//! LZNT1 (MS-XCA, section 2.5): chunks of 4 KiB, each packed by itself.

use std::collections::BTreeMap;

const CHUNK: usize = 4096;
const SHORTEST: usize = 3;

/// Packs bytes; each chunk as it is where that is shorter.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for chunk in bytes.chunks(CHUNK) {
        let mut whole = chunk.to_vec();
        whole.resize(CHUNK, 0);
        let short = pack_chunk(&whole);
        let (mark, data) = match short.len() < CHUNK {
            true => (0xB000, short),
            false => (0x3000, whole),
        };
        packed.extend((mark | (data.len() - 1) as u16).to_le_bytes());
        packed.extend(data);
    }
    packed
}

/// The longest repetition that begins where the same three bytes were last seen.
fn pack_chunk(chunk: &[u8]) -> Vec<u8> {
    let mut seen: BTreeMap<[u8; SHORTEST], usize> = BTreeMap::new();
    let mut packed = Vec::new();
    let mut at = 0;
    while at < chunk.len() {
        let flags_at = packed.len();
        packed.push(0);
        for bit in 0..8 {
            if at >= chunk.len() {
                break;
            }
            let key = chunk[at..].first_chunk::<SHORTEST>().copied();
            let from = key.and_then(|key| seen.insert(key, at));
            let Some(from) = from else {
                packed.push(chunk[at]);
                at += 1;
                continue;
            };
            let mut length_bits = 12;
            let mut reach = 16;
            while at > reach {
                length_bits -= 1;
                reach *= 2;
            }
            let most = ((1 << length_bits) - 1 + SHORTEST).min(chunk.len() - at);
            let same = (0..most).take_while(|index| chunk[from + index] == chunk[at + index]);
            let len = same.count();
            let token = ((at - from - 1) << length_bits) | (len - SHORTEST);
            packed[flags_at] |= 1 << bit;
            packed.extend((token as u16).to_le_bytes());
            at += len;
        }
    }
    packed
}
