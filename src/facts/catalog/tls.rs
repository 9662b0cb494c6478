//! Facts computed from the machine's TLS settings.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::choice;

choice! {
    /// Where the effective list of cipher suites comes from.
    ListSource {
        /// The group policy "SSL Cipher Suite Order", in SOFTWARE.
        Policy = "policy",
        /// The local order, in SYSTEM.
        Local = "local",
        /// Microsoft's documented default for the build, because the hive holds no list.
        BuildDefault = "build-default",
    }
}

choice! {
    /// Why a list of cipher suites leaves nothing to use.
    ListFault {
        /// It is there and empty.
        Empty = "empty",
        /// None of its names is registered on this build, and they are those of another Windows generation.
        OtherGeneration = "other-generation",
        /// None of its names is registered on this build.
        UnknownNames = "unknown-names",
        /// It was cut at 1,023 characters and what is left is of no use.
        Cut = "cut",
        /// Its suites need a certificate with another type of key.
        CertificateType = "certificate-type",
        /// Its suites need a TLS version that is off.
        NoVersion = "no-version",
        /// It has only suites that Remote Desktop never uses: those of SSL 2.0, without encryption, with pre-shared keys.
        NotForRemoteDesktop = "not-for-remote-desktop",
    }
}

choice! {
    /// With whom the server's offer is compared.
    Peer {
        /// The client that is locked out, or that the user named.
        AffectedClient = "affected-client",
        /// The Windows clients in common use.
        MainstreamWindows = "mainstream-windows",
    }
}

choice! {
    /// The first thing in a negotiation that leaves nothing.
    Obstacle {
        /// No version of TLS in common.
        Version = "version",
        /// No cipher suite in common.
        Suite = "suite",
        /// No named group in common.
        Group = "group",
        /// No signature algorithm that fits the certificate.
        Signature = "signature",
    }
}

choice! {
    /// A setting that does not do what it looks like.
    ResidueKind {
        /// A key within a key, where one name with a slash was meant.
        NestedKey = "nested-key",
        /// A key that Schannel does not read.
        UnknownKey = "unknown-key",
        /// A key below Protocols that names no version.
        UnknownProtocol = "unknown-protocol",
        /// A value that Microsoft does not document there.
        UndocumentedValue = "undocumented-value",
        /// A value of another type than Windows reads.
        WrongType = "wrong-type",
        /// A policy list over the limit of 1,023 characters.
        PolicyTooLong = "policy-too-long",
        /// Names with a curve suffix where the build has none.
        SuffixedNames = "suffixed-names",
        /// Names that belong into another list.
        WrongList = "wrong-list",
        /// TLS 1.3 switched on where Windows does not support it.
        Tls13Forced = "tls13-forced",
        /// A setting that another control set has differently.
        OtherControlSet = "other-control-set",
    }
}

catalogue! {
    /// What the server offers in TLS.
    "tls.server" => TlsServer State (Absence::Never(Subject::SystemHive)) {
        /// The versions that are surely on.
        versions: Known<Vec<String>>,
        /// Whether every TLS version that this build and Remote Desktop can use is off for the server role.
        all_versions_off: Known<bool>,
        /// Whether all are off and Schannel could not make the service's credential (36871).
        borne_out: Known<bool>,
        /// Whether versions are only off by `DisabledByDefault`, which a service may override.
        off_by_default_only: Known<bool>,
        /// Whether somebody switched TLS 1.2 off while another version is left or may be: TLS 1.0 or 1.1, or a TLS 1.3 that is not certain.
        lacks_tls12: Known<bool>,
        /// Whether clients miss that TLS 1.2: Schannel refused some of the service's. Where it refused none, nobody may have tried: open.
        tls12_missed: Known<bool>,
        /// Whether TLS 1.3 is switched on for the server role of a Windows before build 20348, which does not support it.
        tls13_forced: Known<bool>,
        /// The suites that it would use, in its order.
        suites: Known<Vec<String>>,
        /// Where that list comes from.
        list_source: Known<ListSource>,
        /// Whether SOFTWARE was read, so that a policy is known to be there or not.
        policy_known: bool,
    }

    /// The group policy "SSL Cipher Suite Order".
    "tls.suite_policy" => SuitePolicy State (Absence::Never(Subject::SoftwareHive)) {
        /// Whether the policy is set.
        present: Known<bool>,
        /// Whether it leaves a suite that this build registers, that an enabled version can use and that fits the certificate. Open where
        /// the list was written after the last boot: it is read at the next, and what was in force before is not in the hive.
        usable: Known<bool>,
        /// Whether a list that waits for the next boot will leave none.
        spoils_after_restart: Known<bool>,
        /// Whether it leaves none and Schannel refused clients of the service for want of a common suite.
        borne_out: Known<bool>,
        /// Why not.
        fault: Known<Option<ListFault>>,
        /// How many characters the list has.
        length: Known<Option<usize>>,
        /// The first of its names that this build does not register.
        first_unknown: Known<Option<String>>,
    }

    /// The local order of cipher suites.
    "tls.local_suites" => LocalSuites State (Absence::Never(Subject::SystemHive)) {
        /// Whether it is in force: no policy replaces it.
        in_force: Known<bool>,
        /// Whether it leaves a suite that can be used.
        usable: Known<bool>,
        /// Why not.
        fault: Known<Option<ListFault>>,
        /// Whether it leaves none and Schannel refused clients of the service for want of a common suite.
        borne_out: Known<bool>,
    }

    /// Whether the server and a client, or mainstream Windows clients, have anything in common.
    "tls.overlap" => Overlap State (Absence::Never(Subject::ClientOffer)) {
        /// With whom.
        with: Peer,
        /// Whether they agree on something.
        shares: Known<bool>,
        /// Whether the server has a version of TLS at all.
        server_has_version: Known<bool>,
        /// The first thing that leaves nothing.
        obstacle: Known<Option<Obstacle>>,
        /// Whether a policy is known to be there or not; open without SOFTWARE, which would show it.
        policy_known: Known<bool>,
    }

    /// What keys below SCHANNEL's Ciphers, Hashes and KeyExchangeAlgorithms switch off.
    "tls.algorithms" => Algorithms State (Absence::Never(Subject::SystemHive)) {
        /// Whether they leave no suite, where without them one would be left.
        leave_nothing: Known<bool>,
        /// The keys that keep suites from being used, such as `Ciphers\\AES 256/256`.
        keys: Vec<String>,
        /// Whether values there that are neither 0 nor 0xffffffff, taken as off, would leave nothing, and Schannel failed for the service.
        suspected: Known<bool>,
    }

    /// The signature on the listener's certificate, against the server's signature suites (SSL\\00010003).
    "tls.certificate_signature" => CertificateSignature State (Absence::Never(Subject::SystemHive)) {
        /// The signature; none where it has no name in TLS or is the certificate's own.
        signature: Option<String>,
        /// Whether the signature suites do not have it. A self-signed certificate's own signature does not count.
        unsupported: Known<bool>,
        /// Whether, besides, only TLS 1.2 and later is left, which look at it.
        refused: Known<bool>,
    }

    /// The limit on handshake messages that the server takes (MessageLimitServer).
    "tls.messages" => Messages State (Absence::Never(Subject::SystemHive)) {
        /// The limit in bytes, where it is set.
        limit: Known<Option<u32>>,
        /// Whether it is 0 or below 0x1000, so that handshakes are refused.
        refuses: Known<bool>,
        /// Whether it is, and some clients end with an alert (36887, 36888) while others get in.
        selective: Known<bool>,
    }

    /// FIPS mode and what it does to the negotiation.
    "tls.fips" => Fips State (Absence::Never(Subject::SystemHive)) {
        /// Whether the FIPS policy is on.
        on: Known<bool>,
        /// Whether the listener asks for FIPS encryption (MinEncryptionLevel 4).
        encryption_level: Known<bool>,
        /// Whether the affected client, or every mainstream Windows client where none was named, agrees with the server only without
        /// FIPS mode: it needs a curve or suite that the mode leaves out.
        conflict: Known<bool>,
        /// Whether FIPS is asked for, by the policy or by the listener, and a client that cannot get in logged that the server denied it
        /// the connection because of that (extended reason 8).
        denied: Known<bool>,
    }

    /// What hardening left behind: a setting that does not do what it looks like.
    "tls.residue" => Residue State (Absence::All(&[Subject::SystemHive, Subject::SoftwareHive])) {
        /// What it is.
        residue: ResidueKind,
        /// It, in words.
        says: String,
    }
}
