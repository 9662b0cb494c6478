//! The volume's own files, and its boot sector.

use super::record::{
    BITMAP, CLUSTER, DATA, FILE_NAME, INDEX_ROOT, Kept, RECORD, VOLUME_INFORMATION, VOLUME_NAME,
    in_clusters, resident, wide,
};
use super::writer::{Writer, bits, upper};
use super::{FIRST_FREE, ROOT, TABLE_AT};

impl Writer<'_> {
    fn system(&mut self, number: usize, name: &str, rest: Vec<Vec<u8>>) {
        let node = self.volume.node(name, ROOT, false);
        let mut attributes = vec![self.standard(&node)];
        attributes.extend(
            self.names(&node)
                .iter()
                .map(|name| resident(FILE_NAME, "", name)),
        );
        attributes.extend(rest);
        // The system's records have their own number as their count; the first has 1.
        let sequence = number.max(1) as u16;
        self.records
            .insert(number, self.record(number, sequence, 1, attributes));
    }

    pub(super) fn write_system_files(&mut self) {
        let log = self.value(DATA, "", &self.volume.log_file.clone());
        self.system(2, "$LogFile", vec![log]);
        let mut information = vec![0; 8];
        information.extend([3, 1]);
        information.extend(u16::from(self.volume.is_dirty).to_le_bytes());
        self.system(
            3,
            "$Volume",
            vec![
                resident(VOLUME_NAME, "", &wide("forged")),
                resident(VOLUME_INFORMATION, "", &information),
                resident(DATA, "", &[]),
            ],
        );
        let definitions = self.value(DATA, "", &attribute_definitions());
        self.system(4, "$AttrDef", vec![definitions]);
        let boot = in_clusters(DATA, "", 8192, 0, &[(2, Some(0))], Kept::Plain);
        self.system(7, "$Boot", vec![boot]);
        self.system(8, "$BadClus", vec![resident(DATA, "", &[])]);
        let table = self.descriptors.stream();
        let table = self.value(DATA, "$SDS", &table);
        self.system(
            9,
            "$Secure",
            vec![
                table,
                resident(INDEX_ROOT, "$SDH", &empty_view(0x12)),
                resident(INDEX_ROOT, "$SII", &empty_view(0x10)),
            ],
        );
        let letters: Vec<u8> = (0..=u16::MAX)
            .flat_map(|letter| upper(letter).to_le_bytes())
            .collect();
        let letters = self.value(DATA, "", &letters);
        self.system(10, "$UpCase", vec![letters]);
        for number in 12..FIRST_FREE {
            let record = self.record(number, number as u16, 0, Vec::new());
            self.records.insert(number, record);
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let count = self.table_clusters * CLUSTER / RECORD;
        let mut in_use = vec![0_u8; count.div_ceil(64) * 8];
        for (number, record) in &self.records {
            if record.flags & 1 != 0 || *number < FIRST_FREE {
                in_use[number / 8] |= 1 << (number % 8);
            }
        }
        in_use[0] |= 1;
        let in_use = match in_use.len() {
            0..=300 => resident(BITMAP, "", &in_use),
            _ => self.value(BITMAP, "", &in_use),
        };
        let mirror_at = self.store(&[0; CLUSTER]).1.expect("a place");
        // The bitmap stands for itself, for what is spare, and for the cluster that only the copy of the boot sector lies in.
        let used = self.clusters.len() / CLUSTER;
        let mut bitmap_clusters = 1;
        while bitmap_clusters * CLUSTER * 8 < used + bitmap_clusters + self.volume.spare + 1 {
            bitmap_clusters += 1;
        }
        let total = used + bitmap_clusters + self.volume.spare;
        let mut map = bits(used + bitmap_clusters);
        map.resize(bitmap_clusters * CLUSTER, 0);
        for cluster in total..bitmap_clusters * CLUSTER * 8 {
            map[cluster / 8] |= 1 << (cluster % 8);
        }
        let map_run = self.store(&map);
        let map_size = total.div_ceil(64) as u64 * 8;
        let bitmap = in_clusters(DATA, "", map_size, 0, &[map_run], Kept::Plain);
        self.system(6, "$Bitmap", vec![bitmap]);
        let mirror = in_clusters(
            DATA,
            "",
            CLUSTER as u64,
            0,
            &[(1, Some(mirror_at))],
            Kept::Plain,
        );
        self.system(1, "$MFTMirr", vec![mirror]);
        let size = (self.table_clusters * CLUSTER) as u64;
        let table = in_clusters(
            DATA,
            "",
            size,
            0,
            &[(self.table_clusters as u64, Some(TABLE_AT))],
            Kept::Plain,
        );
        self.system(0, "$MFT", vec![table, in_use]);
        let table_at = TABLE_AT as usize * CLUSTER;
        for number in 0..count {
            let record = match self.records.get(&number) {
                Some(record) => record.bytes(),
                None => self.record(number, 0, 0, Vec::new()).bytes(),
            };
            let at = table_at + number * RECORD;
            self.clusters[at..at + RECORD].copy_from_slice(&record);
        }
        let mirror_at = mirror_at as usize * CLUSTER;
        let head = self.clusters[table_at..table_at + CLUSTER].to_vec();
        self.clusters[mirror_at..mirror_at + CLUSTER].copy_from_slice(&head);
        self.clusters.resize(total * CLUSTER, 0);
        let boot = boot_sector(total as u64, (mirror_at / CLUSTER) as u64);
        self.clusters[..512].copy_from_slice(&boot);
        // The copy of the boot sector lies behind the last cluster.
        self.clusters.extend(boot);
        self.clusters
    }
}

/// The system files that the root lists.
pub(super) fn system_names() -> Vec<(usize, &'static str)> {
    vec![
        (0, "$MFT"),
        (1, "$MFTMirr"),
        (2, "$LogFile"),
        (3, "$Volume"),
        (4, "$AttrDef"),
        (6, "$Bitmap"),
        (7, "$Boot"),
        (8, "$BadClus"),
        (9, "$Secure"),
        (10, "$UpCase"),
    ]
}

pub(super) fn system_reference(number: usize) -> Option<u64> {
    let is_system = system_names().iter().any(|(system, _)| *system == number);
    is_system.then(|| ((number.max(1) as u64) << 48) | number as u64)
}

/// An index without entries, of something else than names.
fn empty_view(collation: u32) -> Vec<u8> {
    let mut value = 0_u32.to_le_bytes().to_vec();
    value.extend(collation.to_le_bytes());
    value.extend((CLUSTER as u32).to_le_bytes());
    value.extend([1, 0, 0, 0]);
    for word in [16_u32, 32, 32, 0] {
        value.extend(word.to_le_bytes());
    }
    value.extend([0; 8]);
    value.extend([16, 0, 0, 0, 2, 0, 0, 0]);
    value
}

fn attribute_definitions() -> Vec<u8> {
    let names = [
        ("$STANDARD_INFORMATION", 0x10_u32),
        ("$ATTRIBUTE_LIST", 0x20),
        ("$FILE_NAME", 0x30),
        ("$VOLUME_NAME", 0x60),
        ("$VOLUME_INFORMATION", 0x70),
        ("$DATA", 0x80),
        ("$INDEX_ROOT", 0x90),
        ("$INDEX_ALLOCATION", 0xA0),
        ("$BITMAP", 0xB0),
    ];
    let mut bytes = Vec::new();
    for (name, kind) in names {
        let begin = bytes.len();
        bytes.extend(wide(name));
        bytes.resize(begin + 128, 0);
        bytes.extend(kind.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(0x80_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(u64::MAX.to_le_bytes());
    }
    bytes.resize(bytes.len() + 160, 0);
    bytes
}

fn boot_sector(clusters: u64, mirror: u64) -> [u8; 512] {
    let mut sector = [0; 512];
    sector[..3].copy_from_slice(&[0xEB, 0x52, 0x90]);
    sector[3..11].copy_from_slice(b"NTFS    ");
    sector[11..13].copy_from_slice(&512_u16.to_le_bytes());
    sector[13] = (CLUSTER / 512) as u8;
    sector[21] = 0xF8;
    sector[24..26].copy_from_slice(&63_u16.to_le_bytes());
    sector[26..28].copy_from_slice(&255_u16.to_le_bytes());
    sector[36..40].copy_from_slice(&[0x80, 0, 0x80, 0]);
    sector[40..48].copy_from_slice(&(clusters * (CLUSTER as u64 / 512)).to_le_bytes());
    sector[48..56].copy_from_slice(&TABLE_AT.to_le_bytes());
    sector[56..64].copy_from_slice(&mirror.to_le_bytes());
    sector[64] = 0xF6; // records of 2^10 bytes
    sector[68] = 1; // index blocks of one cluster
    sector[72..80].copy_from_slice(&0x1234_5678_9ABC_DEF0_u64.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xAA]);
    sector
}
