//! Facts about what group policy sets, so that a repair is made where it lasts.

use super::Absence;
use crate::facts::subject::Subject;
use crate::facts::value::choice;

choice! {
    /// The part of group policy that an object uses.
    PolicyExtension {
        /// Preferences: values of the registry, whatever they are.
        RegistryPreferences = "registry-preferences",
        /// Preferences: services and how they start.
        ServicePreferences = "service-preferences",
        /// Security settings: how services start, who may log on, security options.
        SecuritySettings = "security-settings",
    }
}

catalogue! {
    /// A value that group policy sets on this machine and that stands over what a repair would write.
    "policy.value" => PolicyValue State (Absence::All(&[Subject::SoftwareHive])) {
        /// The policy, by its English name in the editor.
        policy: String,
        /// Its key and value.
        place: String,
        /// What it is set to.
        says: String,
        /// What it stands over: registry values, and commands that write them.
        over: Vec<String>,
    }

    /// A group policy object that was applied to this machine and can write what no policy has a fixed place for.
    "policy.object" => PolicyObject State (Absence::All(&[Subject::SoftwareHive])) {
        /// Its name.
        object: String,
        /// By which part of group policy.
        extension: PolicyExtension,
    }
}
