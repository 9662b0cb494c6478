//! Facts about Windows services.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// How a service is started.
    StartType {
        /// By the boot loader (0).
        Boot = "boot",
        /// By the kernel (1).
        System = "system",
        /// At every boot (2).
        Automatic = "automatic",
        /// When something asks for it (3).
        Manual = "manual",
        /// Never (4).
        Disabled = "disabled",
    }
}

choice! {
    /// What the System log, where only Windows writes, holds of a crash that Application tells of.
    Trace {
        /// What follows such a crash.
        BorneOut = "borne-out",
        /// Nothing, and it covers the time.
        Refuted = "refuted",
        /// It does not cover the time.
        Unseen = "unseen",
        /// It would not tell of this program.
        Unasked = "unasked",
    }
}

catalogue! {
    /// How a service is set to start.
    "service.start" => ServiceStart State (Absence::Never(Subject::SystemHive)) {
        /// The service's key name, such as TermService.
        service: String,
        /// Whether the service is registered at all.
        present: Known<bool>,
        /// How it is started.
        start: Known<Option<StartType>>,
        /// Whether Remote Desktop cannot do without it: a service or driver below TermService by `DependOnService`, LSM, nsi; Dhcp
        /// where an adapter has its address from it.
        needed: Known<bool>,
        /// Whether it was disabled after Windows last started and nothing tells that it no longer runs, or `sc query` shows it running: it
        /// does so until the next start.
        pending_restart: bool,
        /// How Windows sets it up to start, in the words of sc.exe; none where that is not known.
        default_start: Option<String>,
    }

    /// Service control reports that a service failed (7000, 7001, 7009, 7011, 7022, 7023, 7024, 7031, 7034).
    "service.failure" => ServiceFailure Event (Absence::All(&[Subject::SystemLog])) {
        /// The service's key name, where its display name is known; else what the event says.
        service: String,
        /// The event id.
        event: u32,
        /// The error in it.
        code: Option<Code>,
    }

    /// Somebody changed how a service starts (7040).
    "service.changed" => ServiceChanged Event (Absence::All(&[Subject::SystemLog])) {
        /// The service's key name.
        service: String,
        /// Whether it was set to disabled; the words in the event are localized.
        disabled: Known<bool>,
        /// The account that did it, a SID.
        by: Option<String>,
    }

    /// A service started or stopped (7036).
    "service.ran" => ServiceRan Event (Absence::All(&[Subject::SystemLog])) {
        /// The service's key name, where its display name is known; else what the event says.
        service: String,
        /// Whether it runs after that; the words in the event are localized.
        running: Known<bool>,
    }

    /// A program crashed (Application Error 1000, Wininit 1015).
    "service.crash" => Crash Event (Absence::All(&[Subject::ApplicationLog])) {
        /// The program's file name.
        program: String,
        /// The service that it hosts, where Windows names it.
        service: Option<String>,
        /// The event id.
        event: u32,
        /// The module that it crashed in.
        module: Option<String>,
        /// The exception.
        code: Option<Code>,
        /// Whether the System log bears it out, for everybody may write to Application: Windows starts again within half an hour after
        /// LSASS has crashed; around any other crash, service control says within two minutes that a service ended (7031, 7034). Known
        /// to be no only where that log covers this time.
        borne_out: Known<bool>,
        /// The same of LSASS and of services that are named; of other programs nothing is looked for.
        trace: Trace,
    }

    /// The newest failure of the Remote Desktop service, held against what came after it. A crash that is refuted is none.
    "service.trouble" => ServiceTrouble Event (Absence::All(&[Subject::SystemLog])) {
        /// The event that tells of it.
        event: u32,
        /// The error in it.
        code: Option<Code>,
        /// The module that it crashed in, where that was logged.
        module: Option<String>,
        /// Whether nothing shows the service at work again after it. Open where a crash alone tells of it that nothing bears out.
        down: Known<bool>,
        /// Whether two attempts to connect or more were followed within two minutes by such a failure, or a crash that is borne out.
        ends_attempts: bool,
        /// How often it failed since people last got in.
        times: usize,
    }

    /// What runs as the Remote Desktop service.
    "service.image" => ServiceImage State (Absence::Never(Subject::SystemHive)) {
        /// The library, as `ServiceDll` has it.
        library: Known<Option<String>>,
        /// The account, as `ObjectName` has it.
        account: Known<Option<String>>,
        /// Whether the library or the account is not Windows' own.
        replaced: Known<bool>,
        /// Whether it is not, and the service fails since people last got in.
        fails: Known<bool>,
    }

    /// A library of Remote Desktop, as it lies in System32. Asked beside the registry, which names it.
    "service.library" => ServiceLibrary State (Absence::All(&[Subject::SystemHive])) {
        /// termsrv.dll, of the service; or tspkg.dll, of logons before a session.
        file: String,
        /// Its version, as `10.0.17763.5644`.
        version: Option<String>,
        /// Whether it is no whole library.
        damaged: bool,
        /// What is wrong with it, in words.
        damage: Option<String>,
        /// Whether its bytes do not add up to the sum that Microsoft's linker wrote into it: somebody patched it, as for many sessions
        /// at once.
        altered: Known<bool>,
        /// Whether it was altered, and the service fails since people last got in.
        fails: Known<bool>,
    }

    /// Whether a service ran when `sc query` was asked. Such a text does not say when that was. Asked beside the registry, which says how
    /// the service starts.
    "service.state" => ServiceState State (Absence::All(&[Subject::SystemHive])) {
        /// The service's key name, such as TermService.
        service: String,
        /// Whether it ran.
        running: Known<bool>,
        /// Whether it had ended with an error.
        failed: Known<bool>,
        /// That error.
        code: Option<Code>,
    }

    /// How the services of remote procedure calls are hosted.
    "service.rpc_hosting" => RpcHosting State (Absence::Never(Subject::SystemHive)) {
        /// Whether RpcEptMapper's command line differs from RpcSs's. They share one process: with two, local calls break (measured).
        differs: Known<bool>,
    }
}
