//! UTF-16 names as texts, each kept once: providers, channels and computers repeat from record to record.

use std::collections::HashMap;
use std::sync::Arc;

/// A text that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TextId(u32);

/// Texts, by themselves and by their UTF-16 bytes.
#[derive(Default)]
pub(crate) struct Texts {
    texts: Vec<Arc<str>>,
    by_wide: HashMap<Box<[u8]>, Option<TextId>>,
    by_text: HashMap<Arc<str>, TextId>,
}

impl Texts {
    /// The text; ids come from this alone.
    pub fn text(&self, id: TextId) -> &str {
        self.texts.get(id.0 as usize).map_or("", |text| text)
    }

    /// The same, to keep.
    pub fn shared(&self, id: TextId) -> Arc<str> {
        self.texts
            .get(id.0 as usize)
            .map_or_else(|| Arc::from(""), Arc::clone)
    }

    /// Whether two texts are those of these ids.
    pub fn are(&self, texts: &Option<(Arc<str>, Arc<str>)>, ids: (TextId, TextId)) -> bool {
        // Each text is kept once, so the same text stands at the same place.
        let is = |text: &Arc<str>, id: TextId| {
            let known = self.texts.get(id.0 as usize);
            known.is_some_and(|known| Arc::ptr_eq(known, text))
        };
        texts
            .as_ref()
            .is_some_and(|(one, other)| is(one, ids.0) && is(other, ids.1))
    }

    /// The id of a text that was decoded.
    pub fn intern(&mut self, text: &str) -> TextId {
        if let Some(id) = self.by_text.get(text) {
            return *id;
        }
        let id = TextId(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let text: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&text));
        self.by_text.insert(text, id);
        id
    }

    fn intern_wide(&mut self, wide: &[u8]) -> Option<TextId> {
        if let Some(id) = self.by_wide.get(wide) {
            return *id;
        }
        let id = plain(wide).map(|text| self.intern(&text));
        self.by_wide.insert(wide.into(), id);
        id
    }
}

/// A field whose value is mostly that of the record before.
#[derive(Default)]
pub(super) struct Column {
    last: Option<TextId>,
    /// Its bytes as they stood.
    bytes: Vec<u8>,
}

impl Column {
    /// The text of these UTF-16 bytes, up to its NUL; `None` for an empty one and where a decoder may read them differently.
    pub fn intern(&mut self, texts: &mut Texts, bytes: &[u8]) -> Option<TextId> {
        if self.last.is_some() && self.bytes == bytes {
            return self.last;
        }
        let wide = until_nul(bytes);
        let id = (!wide.is_empty()).then(|| texts.intern_wide(wide))??;
        self.last = Some(id);
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        Some(id)
    }
}

/// Text up to the first NUL.
pub(super) fn until_nul(wide: &[u8]) -> &[u8] {
    let (units, _) = wide.as_chunks::<2>();
    match units.iter().position(|unit| *unit == [0, 0]) {
        Some(end) => wide.get(..end * 2).unwrap_or(wide),
        None => wide,
    }
}

/// Text that reads the same for everybody: no lone surrogates, nothing below a space, no space at its ends.
fn plain(wide: &[u8]) -> Option<String> {
    let (units, rest) = wide.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    let plain = rest.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
    plain.then_some(text)
}

/// Printable ASCII text, for numbers and times; longer ones are neither.
pub(super) fn ascii(wide: &[u8]) -> Option<Ascii> {
    let (units, rest) = wide.as_chunks::<2>();
    let mut text = Ascii::default();
    for [low, high] in units {
        ((0x21..0x7f).contains(low) && *high == 0).then_some(())?;
        *text.bytes.get_mut(text.length)? = *low;
        text.length += 1;
    }
    rest.is_empty().then_some(text)
}

/// A short ASCII text.
#[derive(Default)]
pub(super) struct Ascii {
    bytes: [u8; 32],
    length: usize,
}

impl std::ops::Deref for Ascii {
    type Target = str;

    fn deref(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or("")
    }
}
