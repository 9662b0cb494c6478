//! Facts about the machine itself: who it is, its clock, its logs.

use jiff::Timestamp;

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::choice;

choice! {
    /// What kind of Windows it is.
    Role {
        /// A client edition.
        Client = "client",
        /// A server that is no domain controller.
        Server = "server",
        /// A domain controller.
        DomainController = "domain-controller",
    }
}

catalogue! {
    /// Who the machine is.
    "host.identity" => HostIdentity State (Absence::Never(Subject::SystemHive)) {
        /// The computer's name, first label.
        name: Known<Option<String>>,
        /// The DNS domain it is joined to, if it is.
        domain: Known<Option<String>>,
        /// The product, as Windows names itself.
        product: Known<Option<String>>,
        /// The build number, such as 17763.
        build: Known<u32>,
        /// Client, server or domain controller.
        role: Known<Role>,
        /// The control set in use, such as ControlSet001: the one that a repair of the disk from outside has to write to.
        control_set: Known<Option<String>>,
    }

    /// Windows started.
    "host.boot" => HostBoot Event (Absence::All(&[Subject::SystemLog])) {
        /// The event that says so: 12 of Kernel-General, or 6005 of EventLog.
        event: u32,
    }

    /// Windows was set up: installed, started for the first time from an image, or upgraded in place. Keys, stores and MachineGuid may be
    /// other ones since.
    "host.installed" => HostInstalled Event (Absence::All(&[Subject::SoftwareHive])) {
        /// The build that it was upgraded from; none where SYSTEM names no earlier one.
        from_build: Known<Option<u32>>,
        /// What was done, in words.
        says: String,
    }

    /// The clock was set by more than a minute.
    "clock.step" => ClockStep Event (Absence::All(&[Subject::SystemLog])) {
        /// The time before.
        from: Timestamp,
        /// The time after.
        to: Timestamp,
        /// By how many seconds; below zero when it was set back.
        seconds: i64,
        /// Whether an end of the validity of the listener's certificate lies between the two.
        crosses_validity: Known<bool>,
    }

    /// A change of the clock by more than a minute since people last got in, and what it does to certificates and Kerberos.
    "clock.change" => ClockChange Event (Absence::All(&[Subject::SystemLog])) {
        /// The time before.
        from: Timestamp,
        /// The time after.
        to: Timestamp,
        /// By how many seconds; below zero when it was set back.
        seconds: i64,
        /// Whether it was set back later, to within five minutes of where it was.
        undone: bool,
        /// Whether the listener's certificate was valid before it and is not after it.
        leaves_validity: Known<bool>,
        /// Whether the machine is in a domain and the change is larger than the five minutes that Kerberos allows.
        over_kerberos_limit: Known<bool>,
        /// Whether it stands, and either set the clock back to before the certificate's validity, or, beyond Kerberos' limit, was
        /// followed within half an hour by a lock-out in which credentials fail. Open for a clock set forward to
        /// after the end of the certificate: it may have been put right, after the machine was paused.
        breaks: Known<bool>,
    }

    /// A log was cleared; nothing older stands in it.
    "log.cleared" => LogCleared Event (Absence::All(&[Subject::SystemLog])) {
        /// The channel that was cleared.
        channel: String,
    }

    /// Somebody got a desktop session (Winlogon 7001 with a session id of 2 or above): a sign of life, without an address.
    "host.session_began" => SessionBegan Event (Absence::All(&[Subject::SystemLog])) {
        /// The session's number.
        session: u32,
    }
}
