//! What the public sources do not settle. A value that rests on such a question is neither on nor off: it carries the
//! question, and whoever uses the value carries it on.

use std::collections::BTreeSet;
use std::fmt;

use super::algorithm::Hash;
use super::certificate::KeyType;
use super::version::Role;

/// A question that the sources leave open. Each is phrased so that one answer leaves the thing on and the other turns it off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Are TLS 1.0 and 1.1 on by default on 24H2 and Server 2025? "Protocols in TLS/SSL" (2025-03-20) says enabled; "TLS 1.0
    /// and TLS 1.1 deprecation in Windows" (2024-03) says off from the 2024 Insider builds onward.
    LegacyVersionsByDefault,
    /// Does Remote Desktop ask for a version that `DisabledByDefault` switches off? KB245030: an application's own choice
    /// takes precedence; the 2023 edition of "TLS registry settings" no longer knows the value.
    OffByDefault(Role),
    /// Does `Enabled` or `DisabledByDefault` alone switch on a version that is off by default? KB245030 says the latter does;
    /// the 2019 edition of "TLS registry settings" wants both.
    HalfConfigured(Role),
    /// Does TLS 1.3 work when it is enabled on a build before 20348? Microsoft calls it "not a safe system configuration".
    Tls13OnOldBuild,
    /// Does Remote Desktop on Windows Server 2022 negotiate TLS 1.3? No source either way.
    RemoteDesktopTls13,
    /// Is the update in place that lets Remote Desktop of Windows 7 and 2008 R2 use TLS 1.1 and 1.2 (KB3080079 on a host,
    /// RDC 8.0 on a client)?
    RemoteDesktopUpdate,
    /// Does a name with a curve suffix work from Windows 10 and 2016 on? The suites pages say the suffix is overridden; a
    /// capture of build 14393 shows such names without a suite behind them.
    SuffixedName,
    /// Does a name that differs from a registered one in case only work?
    NameCase,
    /// Are names behind the first 1,023 characters of a policy list read?
    PolicyTooLong,
    /// Is a policy list of another value type than REG_SZ read?
    PolicyType,
    /// Does `KeyExchangeAlgorithms\PKCS` with `Enabled` = 0 also end RSA as a means of authentication? KB245030 says "all
    /// RSA-based" suites, of NT 4.
    PkcsOff,
    /// Does `KeyExchangeAlgorithms\ECDH` with `Enabled` = 0 reach TLS 1.3?
    EcdhOffTls13,
    /// What does `Enabled` = 0 under `Hashes\SHA256`, `SHA384` or `SHA512` switch off?
    HashOff(Hash),
    /// Does an `Enabled` other than 0 and 0xffffffff under Ciphers, Hashes or KeyExchangeAlgorithms mean on? KB245030 knows
    /// only these two; in one field case all set to 1 left no suite.
    AlgorithmEnabledValue,
    /// Is the certificate's key of this type? Asked when the certificate is not known; exactly one type is right.
    CertificateKey(KeyType),
    /// Does Schannel refuse a certificate whose own signature the client did not list?
    CertificateSignatureUnlisted,
    /// Is the update in place that adds SHA-512 signatures to Windows before 10?
    Sha512Update,
    /// Is the server's Diffie-Hellman group larger than 1,024 bits? On Windows before 10 it depends on updates.
    SmallDiffieHellman,
    /// A value or hive that could not be read; the text says which and why.
    Unread(String),
    /// The Windows version is not known, and with it the defaults.
    BuildUnknown,
    /// What this client offers is published nowhere.
    UnpublishedClient(String),
}

impl Doubt {
    /// The answer that the better source or the field reports lean to: whether the thing is on. Only for saying what is likely.
    pub fn leans_on(&self) -> bool {
        match self {
            Doubt::LegacyVersionsByDefault
            | Doubt::RemoteDesktopTls13
            | Doubt::PkcsOff
            | Doubt::HashOff(_)
            | Doubt::EcdhOffTls13
            | Doubt::CertificateKey(KeyType::Rsa)
            | Doubt::CertificateSignatureUnlisted
            | Doubt::Sha512Update
            | Doubt::NameCase
            | Doubt::Unread(_)
            | Doubt::BuildUnknown
            | Doubt::UnpublishedClient(_) => true,
            Doubt::OffByDefault(_)
            | Doubt::HalfConfigured(_)
            | Doubt::Tls13OnOldBuild
            | Doubt::RemoteDesktopUpdate
            | Doubt::SuffixedName
            | Doubt::PolicyTooLong
            | Doubt::PolicyType
            | Doubt::AlgorithmEnabledValue
            | Doubt::CertificateKey(_)
            | Doubt::SmallDiffieHellman => false,
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::LegacyVersionsByDefault => f.write_str(
                "Microsoft's pages disagree whether TLS 1.0 and 1.1 are on by default on Windows 11 24H2 and Server 2025 \
                 (the protocols page says they are)",
            ),
            Doubt::OffByDefault(role) => write!(
                f,
                "DisabledByDefault is set for the {role} role: the version is off unless Remote Desktop asks for it by itself"
            ),
            Doubt::HalfConfigured(role) => write!(
                f,
                "only one of Enabled and DisabledByDefault is set for the {role} role of a version that is off by default: \
                 the sources disagree whether that switches it on"
            ),
            Doubt::Tls13OnOldBuild => {
                f.write_str("TLS 1.3 is switched on in a Windows older than Server 2022, which Microsoft calls unsafe")
            }
            Doubt::RemoteDesktopTls13 => {
                f.write_str("no source says whether Remote Desktop on Windows Server 2022 negotiates TLS 1.3")
            }
            Doubt::RemoteDesktopUpdate => f.write_str(
                "Remote Desktop of Windows 7 and Server 2008 R2 uses TLS 1.1 and 1.2 only with an update (KB3080079; RDC 8.0)",
            ),
            Doubt::SuffixedName => f.write_str(
                "names with a curve suffix (_P256) are not registered from Windows 10 and Server 2016 on; one capture shows \
                 them ignored, Microsoft documents them as tolerated",
            ),
            Doubt::NameCase => f.write_str("a suite name differs from the registered one in upper and lower case"),
            Doubt::PolicyTooLong => {
                f.write_str("the policy list is longer than the 1,023 characters that Microsoft documents as its limit")
            }
            Doubt::PolicyType => f.write_str("the policy list is no REG_SZ value"),
            Doubt::PkcsOff => f.write_str(
                "KeyExchangeAlgorithms\\PKCS is switched off: RSA key transport is off, and possibly RSA certificates at all",
            ),
            Doubt::EcdhOffTls13 => f.write_str(
                "KeyExchangeAlgorithms\\ECDH is switched off: no source says whether that reaches TLS 1.3",
            ),
            Doubt::HashOff(hash) => write!(f, "Hashes\\{hash} is switched off: no source says what that reaches"),
            Doubt::AlgorithmEnabledValue => f.write_str(
                "an Enabled under Ciphers, Hashes or KeyExchangeAlgorithms is neither 0 nor 0xffffffff, the only values \
                 documented; some Windows took such a value as off",
            ),
            Doubt::CertificateKey(key) => write!(f, "the certificate is not known, nor whether its key is {key}"),
            Doubt::CertificateSignatureUnlisted => {
                f.write_str("the certificate is signed with an algorithm that the client does not list")
            }
            Doubt::Sha512Update => f.write_str("SHA-512 signatures need an update on Windows older than 10"),
            Doubt::SmallDiffieHellman => {
                f.write_str("the server's Diffie-Hellman group may have 1,024 bits, depending on its updates")
            }
            Doubt::Unread(what) => write!(f, "not read: {what}"),
            Doubt::BuildUnknown => f.write_str("the Windows version is not known, nor its defaults"),
            Doubt::UnpublishedClient(client) => write!(f, "what {client} offers is published nowhere"),
        }
    }
}

/// Whether something is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On, by a setting or a default that the sources agree on.
    On,
    /// Off.
    Off,
    /// On if every one of these questions has the favourable answer, else off. Never empty.
    Uncertain(BTreeSet<Doubt>),
}

impl State {
    /// On if this question has the favourable answer.
    pub fn unless(doubt: Doubt) -> State {
        State::Uncertain(BTreeSet::from([doubt]))
    }

    /// On when both are.
    #[must_use]
    pub fn and(self, other: State) -> State {
        match (self, other) {
            (State::Off, _) | (_, State::Off) => State::Off,
            (State::On, state) | (state, State::On) => state,
            (State::Uncertain(mut doubts), State::Uncertain(more)) => {
                doubts.extend(more);
                State::Uncertain(doubts)
            }
        }
    }

    /// Whether it may be on.
    pub fn is_possible(&self) -> bool {
        *self != State::Off
    }

    /// The questions it rests on.
    pub fn doubts(&self) -> impl Iterator<Item = &Doubt> {
        let doubts = match self {
            State::Uncertain(doubts) => Some(doubts),
            State::On | State::Off => None,
        };
        doubts.into_iter().flatten()
    }

    /// Whether it is on where the questions in `against` have the unfavourable answer and all others the favourable one.
    pub(super) fn holds(&self, against: &BTreeSet<Doubt>) -> bool {
        match self {
            State::On => true,
            State::Off => false,
            State::Uncertain(doubts) => doubts.is_disjoint(against),
        }
    }
}

/// The answer to a yes-or-no question about an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// It depends on these questions.
    Open(BTreeSet<Doubt>),
}

impl Settled {
    /// Whether all of these are off; open where only the uncertain ones keep it from being so.
    pub(super) fn none_on<'a>(states: impl IntoIterator<Item = &'a State>) -> Settled {
        let mut doubts = BTreeSet::new();
        for state in states {
            match state {
                State::On => return Settled::No,
                State::Off => {}
                State::Uncertain(more) => doubts.extend(more.iter().cloned()),
            }
        }
        if doubts.is_empty() {
            Settled::Yes
        } else {
            Settled::Open(doubts)
        }
    }
}

/// Something taken for granted because the collection does not hold it. Unlike a [`Doubt`] it leaves the values as they are;
/// the answer holds only if it is so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// No policy list is set; SOFTWARE, which would show it, was not read (the text says why).
    NoSuitePolicy(String),
    /// No policy for curves is set.
    NoCurvePolicy(String),
    /// The local suite list is the build's default; why.
    DefaultSuites(String),
    /// The provider registers what Microsoft's page for this build lists; why.
    DocumentedProvider(String),
    /// The curves are the build's default; why.
    DefaultCurves(String),
    /// The signature suites are the build's default; why.
    DefaultSignatures(String),
    /// FIPS mode is off; why.
    NoFips(String),
    /// The build is not one we have data for; its defaults are those of the nearest lower one, named here.
    NearestGeneration(String),
    /// The build is not known, and the Windows is one of those named here, by the lists in SYSTEM.
    GenerationByLists(String),
    /// The RSA key can decrypt (its key specification is not known).
    KeyDecrypts,
}

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assumption::NoSuitePolicy(why) => {
                write!(f, "no cipher suite policy is set, which SOFTWARE would show ({why})")
            }
            Assumption::NoCurvePolicy(why) => write!(f, "no curve policy is set, which SOFTWARE would show ({why})"),
            Assumption::DefaultSuites(why) => write!(f, "the suite list is this build's default ({why})"),
            Assumption::DocumentedProvider(why) => {
                write!(f, "the build registers the suites that Microsoft's page lists ({why})")
            }
            Assumption::DefaultCurves(why) => write!(f, "the curves are this build's default ({why})"),
            Assumption::DefaultSignatures(why) => write!(f, "the signature suites are this build's default ({why})"),
            Assumption::NoFips(why) => write!(f, "FIPS mode is off ({why})"),
            Assumption::NearestGeneration(title) => {
                write!(f, "defaults are those of {title}, the nearest lower build that is documented")
            }
            Assumption::GenerationByLists(titles) => write!(
                f,
                "this is {titles}: nothing tells the build (SOFTWARE and the System log would), but the suites that its \
                 provider registers are those of no other Windows"
            ),
            Assumption::KeyDecrypts => {
                f.write_str("the RSA key may decrypt (its key specification, AT_KEYEXCHANGE or AT_SIGNATURE, is not known)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_wins_and_doubts_add_up() {
        let both = State::unless(Doubt::PkcsOff).and(State::unless(Doubt::SuffixedName));
        assert_eq!(both.doubts().count(), 2);
        assert_eq!(both.clone().and(State::Off), State::Off);
        assert_eq!(both.clone().and(State::On), both);
        assert!(both.holds(&BTreeSet::from([Doubt::NameCase])));
        assert!(!both.holds(&BTreeSet::from([Doubt::PkcsOff])));
    }

    #[test]
    fn nothing_on_is_open_while_something_may_be() {
        assert_eq!(Settled::none_on(&[State::Off, State::Off]), Settled::Yes);
        assert_eq!(Settled::none_on(&[State::Off, State::On]), Settled::No);
        let open = Settled::none_on(&[State::Off, State::unless(Doubt::NameCase)]);
        assert_eq!(open, Settled::Open(BTreeSet::from([Doubt::NameCase])));
    }
}
