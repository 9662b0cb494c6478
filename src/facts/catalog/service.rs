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

catalogue! {
    /// How a service is set to start.
    "service.start" => ServiceStart State (Absence::Never(Subject::SystemHive)) {
        /// The service's key name, such as TermService.
        service: String,
        /// Whether the service is registered at all.
        present: Known<bool>,
        /// How it is started.
        start: Known<Option<StartType>>,
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

    /// How the services of remote procedure calls are hosted.
    "service.rpc_hosting" => RpcHosting State (Absence::Never(Subject::SystemHive)) {
        /// Whether RpcEptMapper's command line differs from RpcSs's. They share one process: with two, local calls break (measured).
        differs: Known<bool>,
    }
}
