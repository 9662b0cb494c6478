//! Facts about the listener's certificate and its renewal.

use jiff::Timestamp;

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// Why this certificate is the listener's.
    ChosenBy {
        /// Somebody pinned it: `RDP-Tcp\SSLCertificateSHA1Hash`.
        Pin = "pin",
        /// The newest one of the template that policy names.
        Template = "template",
        /// `WinStations\SelfSignedCertificate` names it.
        SelfSigned = "self-signed",
        /// It is the newest self-signed one in the Remote Desktop store.
        NewestSelfSigned = "newest-self-signed",
        /// No store was collected; an exported certificate has the thumbprint that SYSTEM names.
        ExportByThumbprint = "export-by-thumbprint",
        /// No store was collected; an exported certificate is self-signed and bears the computer's name.
        ExportByName = "export-by-name",
    }
}

choice! {
    /// What an attempt to make or renew the certificate came to.
    RenewalResult {
        /// A new certificate was made: 1056, 1063.
        Created = "created",
        /// It failed: 1057, 1058, 1064, 1065.
        Failed = "failed",
    }
}

choice! {
    /// The status of a failed renewal, told from its localized text or its code.
    RenewalStatus {
        /// "Access is denied."
        AccessDenied = "access-denied",
        /// "Object already exists."
        ObjectExists = "object-exists",
        /// "Keyset does not exist."
        NoKeyset = "no-keyset",
        /// "Key not valid for use in specified state."
        BadKeyState = "bad-key-state",
        /// "The parameter is incorrect."
        InvalidParameter = "invalid-parameter",
        /// "There is not enough space on the disk."
        DiskFull = "disk-full",
        /// A code of another meaning.
        Other = "other",
        /// A text in none of the languages known here.
        Unrecognized = "unrecognized",
    }
}

choice! {
    /// How the listener's certificate stands at the incident.
    CertificateStanding {
        /// It is valid.
        Valid = "valid",
        /// It has ended.
        Ended = "ended",
        /// It bears another computer's name.
        OtherName = "other-name",
        /// There is none.
        Missing = "missing",
    }
}

choice! {
    /// What an exported file holds of a certificate's private key.
    ExportedKey {
        /// The key itself: the public halves are the same.
        Fits = "fits",
        /// A key that the file gives to this certificate and that is another's.
        Another = "another",
        /// One that is encrypted, and no password opens it.
        Locked = "locked",
        /// One that cannot be compared.
        NotCompared = "not-compared",
    }
}

catalogue! {
    /// The certificate that the listener uses, and why it is that one.
    "listener.certificate" => ListenerCertificate State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Its SHA-1, upper-case hexadecimal.
        thumbprint: String,
        /// Why it is the listener's.
        chosen_by: ChosenBy,
        /// Whether the certificate itself was found, not only its thumbprint.
        found: bool,
        /// Whether it is Windows' own self-signed one.
        self_signed: Known<bool>,
        /// Whether it was pinned or issued from a template.
        custom: bool,
        /// Its subject.
        subject: Known<Option<String>>,
        /// Its first moment.
        not_before: Known<Option<Timestamp>>,
        /// Its last moment.
        not_after: Known<Option<Timestamp>>,
        /// Whether it ended before the incident.
        ended: Known<bool>,
        /// Whether a log shows that people got past TLS after it had ended: clients mostly warn of it, and no more.
        served_since_end: bool,
        /// Whether it begins only after the incident.
        not_begun: Known<bool>,
        /// Whether it bears the computer's name.
        names_host: Known<bool>,
        /// `RSA` or `ECDSA`, and the bits.
        key: Known<Option<String>>,
        /// The container of its private key.
        container: Known<Option<String>>,
        /// The type of the provider that keeps the key; 0 is CNG.
        provider_type: Known<Option<u32>>,
    }

    /// An attempt of Windows to make or renew the listener's certificate.
    "certificate.renewal" => Renewal Event (Absence::All(&[Subject::SystemLog])) {
        /// 1056, 1057, 1058, 1063, 1064 or 1065 of RemoteConnectionManager.
        event: u32,
        /// Created or failed.
        result: RenewalResult,
        /// Why it failed.
        status: Option<RenewalStatus>,
        /// The status as a code, where the event holds one.
        code: Option<Code>,
        /// The status as it stands in the event.
        text: Option<String>,
        /// Whether the status is one of the key's (not of the parameter, the disk or anything else).
        about_key: Known<bool>,
        /// Whether a later attempt made a certificate.
        superseded: Known<bool>,
        /// Whether the listener's certificate had ended by then.
        after_end: Known<bool>,
        /// Whether a log shows that people got past TLS after the listener's certificate had ended.
        served_since_end: bool,
    }

    /// Whether the listener's certificate is due to be renewed.
    "certificate.due" => RenewalDue State (Absence::Never(Subject::ListenerCertificate)) {
        /// How it stands at the incident.
        standing: Known<CertificateStanding>,
        /// When it ends.
        not_after: Known<Option<Timestamp>>,
    }

    /// Whether a service that Windows needs to renew the certificate is switched off.
    "certificate.renewal_service" => RenewalService State (Absence::Never(Subject::SystemHive)) {
        /// SessionEnv, or LanmanWorkstation that it depends on.
        service: String,
        /// How Windows sets it up to start, in the words of sc.exe.
        default_start: Option<String>,
        /// Whether it is disabled, or fails to start.
        blocked: Known<bool>,
        /// Whether this service or the other is: then nothing renews the certificate, and nothing logs that it fails.
        any_blocked: Known<bool>,
        /// Whether it was so before the certificate ended; false only where a dated change says otherwise.
        before_end: Known<bool>,
        /// How the certificate stands at the incident.
        certificate: Known<CertificateStanding>,
        /// When the certificate ends.
        not_after: Known<Option<Timestamp>>,
    }

    /// The clock or a client bears out that the certificate's time was refused.
    "certificate.time_refused" => TimeRefused Event (Absence::All(&[Subject::SystemLog])) {
        /// The event: 36887 with alert 45, 1053.
        event: u32,
    }

    /// What SYSTEM may do with the registry keys of the store "Remote Desktop".
    "certificate_store.access" => StoreAccess State (Absence::Never(Subject::SoftwareHive)) {
        /// The key, in SOFTWARE.
        key: String,
        /// Whether SYSTEM may set values and create subkeys in it.
        can_write: Known<bool>,
        /// Whether an entry that denies is what refuses it.
        denied: Known<bool>,
        /// Whether the listener depends on a self-signed certificate that is missing, has ended or was not renewed.
        needed: Known<bool>,
    }

    /// Where Windows is told to put the certificate that it makes, and its key.
    "certificate_store.place" => StorePlace State (Absence::Never(Subject::SystemHive)) {
        /// `WinStations\\SelfSignedCertStore`.
        store: Known<Option<String>>,
        /// `ProfileList\\ProgramData`, below which the key folders lie.
        program_data: Known<Option<String>>,
        /// Whether either is another than Windows' own.
        redirected: Known<bool>,
        /// Whether the listener depends on a self-signed certificate that is missing, has ended or was not renewed.
        needed: Known<bool>,
    }

    /// RemoteConnectionManager reported something about the listener's certificate (1051, 1054, 1055, 1059).
    "certificate.notice" => CertificateNotice Event (Absence::All(&[Subject::SystemLog])) {
        /// The event: 1051 no usable certificate of those that were chosen, 1054 its purposes do not fit, 1055 its key cannot be
        /// opened, 1059 the pin was invalid.
        event: u32,
    }

    /// The certificate that somebody pinned to the listener, and what became of it.
    "certificate.pin" => PinnedCertificate State (Absence::Never(Subject::SystemHive)) {
        /// What `RDP-Tcp\\SSLCertificateSHA1Hash` names; none where nothing is pinned.
        thumbprint: Known<Option<String>>,
        /// Whether no store of the machine holds it.
        dangling: Known<bool>,
        /// Whether the service's credential fails: 36870 or 36871 of the service with no success since, or 1057 or 1058 since its last
        /// start.
        failing: Known<bool>,
        /// Whether the service uses a certificate of its own instead: 1051, 1055 or 1059 since its last start.
        falls_back: Known<bool>,
        /// Whether it is in no store, the credential fails and the service does not fall back.
        breaks: Known<bool>,
        /// When it ends, where a store holds it.
        ends: Known<Option<Timestamp>>,
        /// Whether it ends within 30 days from the end of the collection, and nothing renews what the pin names: no policy names a template,
        /// and enrolment makes a certificate of another thumbprint.
        ending: Known<bool>,
        /// What is wrong with it, in words.
        says: Option<String>,
        /// Whether the store MY holds a certificate that bears the computer's name and has a private key.
        replaced: bool,
        /// The newest of these.
        instead: Option<String>,
    }

    /// Whether the listener's certificate is one for servers.
    "certificate.usage" => CertificateUsage State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Its SHA-1.
        thumbprint: String,
        /// Whether its purposes leave out Server Authentication, Remote Desktop Authentication and any purpose.
        purpose_missing: Known<bool>,
        /// Whether its key usage leaves out what the suites that are left need of it.
        key_use_missing: Known<bool>,
        /// Either, or the service said so since its last start (1054).
        unfit: Known<bool>,
        /// What is wrong, in words.
        says: Option<String>,
        /// Whether it is unfit, and credentials fail since it was installed or a client's own log says so (0x80090349).
        refused: Known<bool>,
    }

    /// Whether the listener's certificate has a private key at all.
    "certificate.key_link" => CertificateKeyLink State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Its SHA-1, where it is known which certificate it is.
        thumbprint: Option<String>,
        /// Whether its store entry names no key, or Schannel found none with it for the service (36869).
        without_key: Known<bool>,
        /// Whether the service uses a certificate of its own instead: 1051, 1055 or 1059 since its last start.
        falls_back: Known<bool>,
        /// Whether it has no key, credentials fail since it was installed, and the service does not fall back.
        breaks: Known<bool>,
    }

    /// Whether the listener's certificate is too weak to be taken.
    "certificate.strength" => CertificateStrength State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Its SHA-1.
        thumbprint: String,
        /// Whether its RSA key has less than 1024 bits, or it is signed over MD5, MD4 or MD2.
        weak: Known<bool>,
        /// Why, in words.
        says: Option<String>,
        /// Whether the locked-out client's own settings, where these were collected, refuse its key (PKCS\\ClientMinKeyBitLength).
        refused: Known<bool>,
    }

    /// A certificate that was exported with a private key (.pfx).
    "certificate.export" => CertificateExport State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Its SHA-1.
        thumbprint: String,
        /// Whether it is the listener's certificate.
        listener: Known<bool>,
        /// Whether the key in the file is its own.
        key: ExportedKey,
    }

    /// Whether the listener's certificate, or one above it, stands on a list of revoked certificates that was collected. The list's
    /// signature is not checked.
    "certificate.revocation" => CertificateRevocation State (Absence::All(&[Subject::ListenerCertificate])) {
        /// The certificate's SHA-1.
        thumbprint: String,
        /// Whether it is the listener's own, and not one above it.
        own: bool,
        /// Who issued the list.
        issuer: String,
        /// Whether it stands on it.
        revoked: bool,
        /// Why it was revoked, where the list says so.
        reason: Option<String>,
        /// When the next list was due.
        next_due: Option<Timestamp>,
        /// Whether that was over at the end of the collection.
        out_of_date: Known<bool>,
    }

    /// What the private key of the listener's certificate may be used for.
    "certificate.key_use" => CertificateKeyUse State (Absence::All(&[Subject::ListenerCertificate])) {
        /// Its SHA-1.
        thumbprint: String,
        /// Whether it is a key for signatures alone (AT_SIGNATURE).
        signature_only: Known<bool>,
        /// Whether the only suites left have the client encrypt to the key.
        suites_decrypt: Known<bool>,
        /// Both: no suite is left that the key serves.
        leaves_nothing: Known<bool>,
    }

    /// A damaged entry of the machine's certificate stores.
    "certificate_store.entry" => StoreEntryDamage State (Absence::All(&[Subject::RemoteDesktopStore, Subject::PersonalStore])) {
        /// The entry's key, in SOFTWARE.
        key: String,
        /// Whether it cannot be read, or holds another certificate than its name says. Open where the hive itself is damaged there.
        damaged: Known<bool>,
        /// What is wrong, in words.
        damage: Option<String>,
        /// Whether it is the entry of the listener's certificate.
        listener: Known<bool>,
    }

    /// Enrolment for the template that a policy names for the listener's certificate.
    "certificate.enrolment" => Enrolment State (Absence::Never(Subject::SoftwareHive)) {
        /// The template; none where no policy names one.
        template: Known<Option<String>>,
        /// Whether a policy names a template, and enrolment for it failed (1064, 1065) and has not succeeded since (1063).
        failing: Known<bool>,
        /// Whether, besides, the listener's certificate of that template has ended and could not be replaced (1065).
        ended: Known<bool>,
    }
}
