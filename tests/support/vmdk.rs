//! Forges VMDK images (VMware, "Virtual Disk Format 5.0"): a base in a text and a flat extent, and what a snapshot keeps beside it.

const SECTOR: usize = 512;
/// In sectors.
const GRAIN: usize = 128;
const PER_TABLE: usize = 512;

/// The text of a disk that lies in `flat` as it is.
pub fn base(id: &str, flat: &str, bytes: usize) -> Vec<u8> {
    let sectors = bytes / SECTOR;
    format!(
        "# Disk DescriptorFile\nversion=1\nCID={id}\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n\n\
         # Extent description\nRW {sectors} FLAT \"{flat}\" 0\n"
    )
    .into_bytes()
}

/// A snapshot: the grains of `disk` that differ from those of the parent, behind tables of two levels.
pub struct Delta<'a> {
    pub disk: &'a [u8],
    pub below: &'a [u8],
    pub parent: &'a str,
    /// The content identifier that the parent had when the snapshot was taken.
    pub parent_id: &'a str,
}

impl Delta<'_> {
    pub fn build(&self) -> Vec<u8> {
        let sectors = self.disk.len() / SECTOR;
        let grains = self.disk.len().div_ceil(GRAIN * SECTOR);
        let tables = grains.div_ceil(PER_TABLE);
        let directory_at = 21;
        let tables_at = directory_at + (tables * 4).div_ceil(SECTOR);
        let data_at = (tables_at + tables * PER_TABLE * 4 / SECTOR).next_multiple_of(GRAIN);
        let mut bytes = b"KDMV".to_vec();
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(3_u32.to_le_bytes());
        for word in [sectors, GRAIN, 1, 20] {
            bytes.extend((word as u64).to_le_bytes());
        }
        bytes.extend((PER_TABLE as u32).to_le_bytes());
        for word in [0, directory_at, data_at] {
            bytes.extend((word as u64).to_le_bytes());
        }
        bytes.push(0);
        bytes.extend(b"\n \r\n");
        bytes.resize(data_at * SECTOR, 0);
        let text = format!(
            "# Disk DescriptorFile\nversion=1\nCID=0badcafe\nparentCID={}\ncreateType=\"monolithicSparse\"\n\
             parentFileNameHint=\"{}\"\nRW {sectors} SPARSE \"delta.vmdk\"\n",
            self.parent_id, self.parent
        );
        bytes[SECTOR..SECTOR + text.len()].copy_from_slice(text.as_bytes());
        let put = |bytes: &mut Vec<u8>, at: usize, value: usize| {
            bytes[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
        };
        for table in 0..tables {
            let at = tables_at + table * PER_TABLE * 4 / SECTOR;
            put(&mut bytes, directory_at * SECTOR + table * 4, at);
        }
        for (number, grain) in self.disk.chunks(GRAIN * SECTOR).enumerate() {
            let below = self
                .below
                .get(number * GRAIN * SECTOR..)
                .unwrap_or_default();
            if below.starts_with(grain) {
                continue;
            }
            let at = bytes.len() / SECTOR;
            put(&mut bytes, tables_at * SECTOR + number * 4, at);
            let end = bytes.len() + GRAIN * SECTOR;
            bytes.extend(grain);
            bytes.resize(end, 0);
        }
        bytes
    }
}
