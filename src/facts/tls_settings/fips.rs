//! FIPS mode and what it does to the negotiation, `tls.fips`.

use super::answer::doubtful;
use super::overlap::common_ground;
use super::{Collected, Computed};
use crate::facts::catalog::connection::ClientReport;
use crate::facts::catalog::tls::Fips;
use crate::facts::coverage::Window;
use crate::facts::fact::{FactId, FactSet};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};
use crate::tls::{
    self, CertificateKind, Client, Doubt, GenerationMatch, Negotiation, SchannelSettings,
    ServerOffer, Setting,
};

/// What it comes to with FIPS mode and without, with the affected client or else mainstream ones.
#[derive(Debug)]
pub(super) struct FipsPairs {
    with: Vec<(Client, Negotiation)>,
    without: Vec<(Client, Negotiation)>,
}

impl FipsPairs {
    /// None where neither the policy nor the listener (MinEncryptionLevel 4) is known to ask for FIPS.
    pub(super) fn of(
        collected: &Collected,
        generation: Option<GenerationMatch>,
        certificate: Option<CertificateKind>,
        affected: Option<&Client>,
    ) -> Option<FipsPairs> {
        let policy = collected.settings.fips.present().is_some_and(|on| *on != 0);
        if !policy && collected.fips_encryption != Known::Is(true) {
            return None;
        }
        let clients = affected.map_or_else(Client::mainstream, |client| vec![client.clone()]);
        let come_to = |fips: Setting<u32>| {
            let settings = SchannelSettings {
                fips,
                ..collected.settings.clone()
            };
            let offer = ServerOffer::evaluate(&settings, generation, certificate.clone());
            let negotiate = |client: &Client| (client.clone(), tls::negotiate(&offer, client));
            clients.iter().map(negotiate).collect()
        };
        Some(FipsPairs {
            with: come_to(Setting::Present(1)),
            without: come_to(Setting::Absent),
        })
    }
}

impl Computed {
    /// Adds `tls.fips`.
    pub(super) fn add_fips(&self, server: FactId, facts: &mut FactSet) {
        let about = Fips::KIND.name;
        let fips = &self.collected.settings.fips;
        let on = match fips {
            Setting::Present(value) => Known::Is(*value != 0),
            Setting::Absent => Known::Is(false),
            Setting::Unknown(why) => {
                let doubts = [Doubt::Unread(why.clone())].into();
                Known::Open(doubtful(&mut facts.gaps, about, &doubts))
            }
        };
        let conflict = match &self.fips {
            None => on.clone(),
            Some(pairs) => {
                let (with, _) = common_ground(&pairs.with, &mut facts.gaps);
                let (without, _) = common_ground(&pairs.without, &mut facts.gaps);
                with.not().and(without)
            }
        };
        let encryption_level = self.collected.fips_encryption.clone();
        let asked_for = on.clone().or(encryption_level.clone());
        let denied = asked_for.and(denied_by_fips(facts));
        let (sources, written) =
            self.places(server, |key, _| key.ends_with("\\Lsa\\FipsAlgorithmPolicy"));
        let decides = conflict == Known::Is(true) || denied == Known::Is(true);
        let at = written.filter(|_| decides && on == Known::Is(true));
        let fact = Fips {
            on,
            encryption_level,
            conflict,
            denied,
        };
        facts.add(at, fact, sources);
    }
}

/// Whether a client's own log says that this host denied it the connection because of FIPS. Where nobody is locked out, nobody was.
fn denied_by_fips(facts: &mut FactSet) -> Known<bool> {
    if facts.anchors.first_failure == Known::Is(None) {
        return Known::Is(false);
    }
    let yes = FieldState::Is(Value::Bool(true));
    let mut denied = None;
    for report in facts.of_kind(ClientReport::KIND) {
        if report.field("denied_by_fips") != Some(&yes) {
            continue;
        }
        match report.field("names_host") {
            Some(FieldState::Open(gap)) => denied = denied.or(Some(Known::Open(*gap))),
            state if state == Some(&yes) => return Known::Is(true),
            _ => {}
        }
    }
    let window = Window {
        from: facts.anchors.oldest,
        to: facts.anchors.as_of,
    };
    denied.unwrap_or_else(
        || match facts.subject_covers(Subject::RdpClientLog, &window) {
            Ok(()) => Known::Is(false),
            Err(gap) => Known::Open(gap),
        },
    )
}
