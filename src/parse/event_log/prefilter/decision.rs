//! Which kinds of events are wanted: each kind is asked about once, however many records are of it.

use super::texts::TextId;

const PLACES: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    provider: TextId,
    source: Option<TextId>,
    event_id: u32,
}

/// Answers, each at the place that its event id tells; a newer one takes the place of another.
pub(super) struct Decisions(Box<[Option<(Kind, bool)>; PLACES]>);

impl Decisions {
    pub fn new() -> Self {
        Decisions(Box::new([None; PLACES]))
    }

    /// The answer for a kind; `ask` gives it where it is not known.
    pub fn ask(
        &mut self,
        provider: TextId,
        source: Option<TextId>,
        event_id: u32,
        ask: impl FnOnce() -> bool,
    ) -> bool {
        let kind = Kind {
            provider,
            source,
            event_id,
        };
        let place = &mut self.0[event_id as usize % PLACES];
        match place {
            Some((known, wanted)) if *known == kind => *wanted,
            _ => {
                let wanted = ask();
                *place = Some((kind, wanted));
                wanted
            }
        }
    }
}
