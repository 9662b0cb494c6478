//! Facts about logons: why those who are locked out are refused, and what stands behind it.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// Why a logon was refused, by its status.
    Refusal {
        /// The password is wrong (0xC000006A, RdpCoreTS 140).
        Password = "password",
        /// No such account (0xC0000064).
        NoSuchUser = "no-such-user",
        /// The password has expired or must be changed first (0xC0000071, 0xC0000224).
        PasswordExpired = "password-expired",
        /// The account is disabled, has expired, or may not log on now or from there (0xC0000072, 0xC0000193, 0xC000006F, 0xC0000070).
        Restricted = "restricted",
        /// The account is locked (0xC0000234).
        Locked = "locked",
        /// The account lacks the right to log on this way (0xC000015B, Security 4825).
        NotGranted = "not-granted",
        /// No domain controller answered, or the domain does not accept this machine (0xC000005E, 0xC000018D, 0xC0000413).
        Domain = "domain",
        /// NTLM is blocked (0xC0000418).
        NtlmBlocked = "ntlm-blocked",
        /// Another reason, or none that the record gives.
        Other = "other",
    }
}

choice! {
    /// How the rights to log on keep people away.
    Withheld {
        /// Nobody is given the right to log on through Remote Desktop.
        Nobody = "nobody-allowed",
        /// A group that everybody belongs to is denied it.
        Broad = "broad-denied",
        /// The local accounts, guests or domain administrators are denied it, as published baselines want it.
        Baseline = "baseline-denied",
    }
}

catalogue! {
    /// A logon of somebody who is locked out, or may be, was refused. What strangers are refused is no such fact.
    "logon.refused" => LogonRefused Event (Absence::All(&[Subject::Refusals])) {
        /// 4625 or 4825 of the Security log, 140 of RdpCoreTS.
        event: u32,
        /// The logon type: 3 before the session, by network level authentication; 10 in the session; none in 140 and 4825.
        logon_type: Option<u32>,
        /// Why.
        reason: Refusal,
        /// The status.
        code: Option<Code>,
        /// The account, where the record names it, and the name holds nothing but letters, digits and what joins them.
        account: Option<String>,
        /// The client's address, where it is known.
        client: Known<Option<String>>,
        /// Whether its client is locked out and one of people's: it got in before, is named with `--client-address`, or is the only
        /// one there is and does not guess.
        affected: Known<bool>,
    }

    /// An account is locked: Security 4740, or a refused logon that says so.
    "account.locked" => AccountLocked Event (Absence::All(&[Subject::Refusals])) {
        /// 4740 or 4625.
        event: u32,
        /// The account, where its name holds nothing but letters, digits and what joins them.
        account: Option<String>,
        /// The computer that the wrong passwords came from, as 4740 has it.
        computer: Option<String>,
        /// Whether it is the account of somebody who is locked out.
        affected: Known<bool>,
        /// Whether strangers guessed at its password, among many guesses, in the day before.
        under_attack: Known<bool>,
        /// How many guesses at this account are recorded of strangers in the day before.
        guesses: usize,
        /// How many addresses they came from.
        sources: usize,
    }

    /// The domain could not be reached, or did not accept this machine (NETLOGON 3210, 5719, 5783, GroupPolicy 1129).
    "domain.trouble" => DomainTrouble Event (Absence::All(&[Subject::SystemLog])) {
        /// Who says so.
        provider: &'static str,
        /// The event id.
        event: u32,
        /// Whether it stands within ten minutes of a start of Windows, where it is noise.
        at_boot: bool,
    }

    /// NTLM refused a logon on this machine (NTLM 4002, 4003).
    "ntlm.refused" => NtlmRefused Event (Absence::All(&[Subject::NtlmRefusals])) {
        /// The event id.
        event: u32,
        /// Whether incoming NTLM is restricted here, as of the SYSTEM hive.
        restricted: Known<bool>,
        /// Whether it was at an attempt of somebody who is locked out.
        affected: Known<bool>,
    }

    /// Whether this machine accepts NTLM.
    "ntlm.policy" => NtlmPolicy State (Absence::Never(Subject::SystemHive)) {
        /// `RestrictReceivingNTLMTraffic`: 1 refuses accounts of the domain, 2 all; none is 0.
        receiving: Known<Option<u32>>,
        /// Whether that refuses anybody.
        restricted: Known<bool>,
    }

    /// Which versions of CredSSP this machine accepts.
    "credssp.policy" => CredSspPolicy State (Absence::Never(Subject::SoftwareHive)) {
        /// `AllowEncryptionOracle`: 0 only updated clients, 1 the default of a server, 2 vulnerable ones as well; none where it is not set.
        oracle: Known<Option<u32>>,
        /// Whether clients without the update of 2018 are refused.
        refuses_old: Known<bool>,
        /// Whether clients without the update of 2018 can attack the logon (CVE-2018-0886).
        vulnerable: Known<bool>,
        /// Whether they are refused and a locked-out client is known to be one.
        refuses_client: Known<bool>,
    }

    /// LsaSrv refused a machine whose identifier (SID) is this machine's own (6167).
    "machine_sid.refused" => MachineSidRefused Event (Absence::All(&[Subject::SystemLog])) {
        /// The event id.
        event: u32,
        /// Whether this build makes the check: 26100 and later.
        checks: Known<bool>,
        /// Whether it was at an attempt of somebody who is locked out.
        affected: Known<bool>,
    }

    /// A certificate for logging on, mostly a smart card's, was refused.
    "smartcard.refused" => SmartCardRefused Event (Absence::By("provider", &[
        ("RdpCoreTS", &[Subject::RdpCoreTsLog]),
        ("SCardSvr", &[Subject::SystemLog]),
        ("Kdcsvc", &[Subject::SystemLog]),
    ])) {
        /// RdpCoreTS, SCardSvr or Kdcsvc.
        provider: &'static str,
        /// The event id.
        event: u32,
        /// Whether it was at an attempt of somebody who is locked out.
        affected: Known<bool>,
    }

    /// The rights to log on, as the SECURITY hive has them, keep people from Remote Desktop.
    "logon.withheld" => LogonWithheld State (Absence::All(&[Subject::LogonRights])) {
        /// How.
        how: Withheld,
        /// The groups and accounts concerned.
        accounts: String,
        /// Whether that keeps away everybody who could log on here.
        binding: Known<bool>,
    }
}
