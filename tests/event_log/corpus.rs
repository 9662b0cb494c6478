//! Real logs, where they are at hand.

use super::*;
use support::corpus::corpus;

/// Each log of the corpus: as many records as the decoder finds by itself, or more.
#[test]
fn the_corpus_gives_at_least_what_a_plain_decode_gives() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let folder = std::path::Path::new(&corpus).join("evtx");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let source = rdptriage::bundle::FileSource::open(&path).expect("a file");
        let mut places = std::collections::BTreeSet::new();
        let mut ours = std::collections::BTreeMap::new();
        event_log::read(&source, &|_| true, &mut |record| {
            assert!(places.insert(record.offset), "{}: twice", path.display());
            *ours.entry(record.order).or_insert(0) += 1;
        })
        .expect("a log");
        let mut parser = evtx::EvtxParser::from_path(&path).expect("a log");
        let mut theirs = std::collections::BTreeMap::new();
        for record in parser.records_json().flatten() {
            *theirs.entry(record.event_record_id).or_insert(0) += 1;
        }
        for (number, count) in theirs {
            let found = ours.get(&number).copied().unwrap_or(0);
            assert!(
                found >= count,
                "{}: record {number}: {found} of {count}",
                path.display()
            );
        }
        files += 1;
    }
    assert!(files > 0);
}

/// The events of the watch list: their numbers and where in the file they stand.
type Places = std::collections::BTreeSet<(u64, u64)>;

/// As the decoder delivers them from the whole file, and whether it could read all of it.
fn decoded_by_the_crate(path: &std::path::Path) -> (Places, bool) {
    let settings = std::sync::Arc::new(evtx::ParserSettings::default());
    let mut parser = evtx::EvtxParser::from_path(path).expect("a log");
    let mut places = Places::new();
    let mut whole = true;
    for chunk in parser.chunks() {
        let Ok(mut chunk) = chunk else {
            whole = false;
            continue;
        };
        let start = chunk_at(chunk.number.expect("chunks of a file are numbered") as usize);
        let Ok(mut parsed) = chunk.parse(settings.clone()) else {
            whole = false;
            continue;
        };
        for record in parsed.iter() {
            let Ok(record) = record else {
                whole = false;
                continue;
            };
            let offset = start as u64 + record.binxml_offset - 24;
            match record.into_json_value() {
                Ok(record) => places.extend(watched(&record.data).map(|number| (number, offset))),
                Err(_) => whole = false,
            }
        }
    }
    (places, whole)
}

/// `EventRecordID` of an event of the watch list.
fn watched(event: &serde_json::Value) -> Option<u64> {
    let system = &event["Event"]["System"];
    let text = |value: &serde_json::Value| {
        let value = value.get("#text").unwrap_or(value);
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let provider = &system["Provider"]["#attributes"];
    let name = provider["Name"].as_str().unwrap_or_default();
    let classic = provider["EventSourceName"].as_str();
    let event = text(&system["EventID"]).parse().ok()?;
    rdptriage::facts::watch::watched(name, classic, event)?;
    text(&system["EventRecordID"]).parse().ok()
}

/// Over the corpus, the watch list delivers what it would choose from everything that is delivered, and in files that the decoder
/// reads to the end exactly what the decoder finds, each event at the same place.
#[test]
fn the_watch_list_misses_nothing_of_the_corpus() {
    use rdptriage::facts::watch;
    let Some(corpus) = corpus("") else {
        return;
    };
    let folder = std::path::Path::new(&corpus).join("evtx");
    let (mut files, mut delivered, mut damaged) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let source = rdptriage::bundle::FileSource::open(&path).expect("a file");
        let mut filtered = Places::new();
        let summary = event_log::read(&source, &watch::wants, &mut |record| {
            assert!(
                filtered.insert((record.number, record.offset)),
                "{}: twice",
                path.display()
            );
        })
        .expect("a log");
        let mut chosen = Places::new();
        event_log::read(&source, &|_| true, &mut |record| {
            let key = RecordKey {
                provider: &record.provider,
                source_name: record.source_name.as_deref(),
                event_id: record.event_id,
            };
            if watch::wants(&key) {
                chosen.insert((record.number, record.offset));
            }
        })
        .expect("a log");
        assert_eq!(filtered, chosen, "{}: filter on and off", path.display());
        let (theirs, whole) = decoded_by_the_crate(&path);
        delivered += filtered.len();
        files += 1;
        if whole && summary.is_whole() && summary.problems.is_empty() {
            assert_eq!(filtered, theirs, "{}", path.display());
        } else {
            damaged += 1;
            assert!(theirs.is_subset(&filtered), "{}", path.display());
            println!(
                "{}: damaged; {} delivered, {} by the decoder",
                path.display(),
                filtered.len(),
                theirs.len()
            );
        }
    }
    println!("{files} files, {damaged} of them damaged, {delivered} events of the watch list");
    assert!(delivered > 0);
}
