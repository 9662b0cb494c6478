//! Archives as people pack collections into them.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Files by the name they have in the archive.
pub type Files = Vec<(String, Vec<u8>)>;

pub fn zip(files: &Files, method: CompressionMethod) -> Vec<u8> {
    zip_with(
        files,
        SimpleFileOptions::default().compression_method(method),
    )
}

pub fn zip_with(files: &Files, options: SimpleFileOptions) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// All files in one block, as 7-Zip does.
pub fn seven_zip(files: &Files, password: Option<&str>) -> Vec<u8> {
    use sevenz_rust2::encoder_options::AesEncoderOptions;
    use sevenz_rust2::{
        ArchiveEntry, ArchiveWriter, EncoderConfiguration, EncoderMethod, SourceReader,
    };
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    if let Some(password) = password {
        writer.set_content_methods(vec![
            AesEncoderOptions::new(password.into()).into(),
            EncoderConfiguration::new(EncoderMethod::LZMA2),
        ]);
    }
    let (full, empty): (Vec<_>, Vec<_>) = files.iter().partition(|(_, bytes)| !bytes.is_empty());
    let entries = full.iter().map(|(name, _)| ArchiveEntry::new_file(name));
    let readers = full
        .iter()
        .map(|(_, bytes)| SourceReader::new(Cursor::new(bytes.clone())));
    writer
        .push_archive_entries(entries.collect(), readers.collect())
        .unwrap();
    for (name, _) in empty {
        let entry = ArchiveEntry::new_file(name);
        writer.push_archive_entry::<&[u8]>(entry, None).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub fn tar(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstandard(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}
