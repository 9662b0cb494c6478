//! Facts about what stands between the network and the listener: the Windows Firewall and IPsec.

use super::Absence;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::choice;

choice! {
    /// The kind of a network, by which the firewall chooses its profile.
    NetworkKind {
        /// A domain controller answers there.
        Domain = "domain",
        /// Somebody called it private.
        Private = "private",
        /// Any other.
        Public = "public",
    }
}

catalogue! {
    /// What the Windows Firewall makes of connections to the listener's port, by the rules and settings of policy and machine.
    "firewall.listener" => FirewallListener State (Absence::Never(Subject::SystemHive)) {
        /// The port that the listener is set to.
        port: Known<Option<u32>>,
        /// Whether it listens on another than 3389; open where the port was written after the service last started.
        moved: Known<bool>,
        /// Whether the port waits for the service's next start, and the firewall will keep it closed then.
        closed_after_restart: Known<bool>,
        /// The profiles in force, where what joined which network was logged or NetworkList tells.
        profile: Known<String>,
        /// Whether the firewall keeps the port closed to the clients that are known, in the profiles in force or in every one.
        blocks: Known<bool>,
        /// Whether it does so for want of a rule for that port, while it would let 3389 in.
        moved_away: Known<bool>,
        /// The rule or setting that decides.
        by: Option<String>,
        /// Whether Remote Desktop is switched off altogether: Windows switches its rules together with it.
        switched_off: bool,
        /// Never true: open where a policy that was not collected, or another maker's firewall, may decide otherwise.
        doubtful: Known<bool>,
        /// Another maker's firewall that is installed, by the name of its service.
        other_firewall: Option<String>,
    }

    /// Whether connections to the listener must be protected by IPsec.
    "ipsec.demand" => IpsecDemand State (Absence::Never(Subject::SystemHive)) {
        /// Whether an active connection security rule asks it of what comes in to the listener's port.
        demanded: Known<bool>,
        /// The rule, by name.
        rule: Option<String>,
        /// Whether connections come in all the same since it was written so: the design works.
        works: Known<bool>,
        /// Never true: open unless negotiations were logged as failing. Isolation of a domain by IPsec is a design that works.
        doubtful: Known<bool>,
    }

    /// A negotiation of IPsec failed (Security 4653, 4654, 4984).
    "ipsec.failure" => IpsecFailure Event (Absence::All(&[Subject::SecurityLog])) {
        /// The event id.
        event: u32,
    }

    /// The machine joined or left a network (NetworkProfile 10000, 10001).
    "network.change" => NetworkChange Event (Absence::Never(Subject::NetworkProfileLog)) {
        /// What kind of network it is.
        kind: NetworkKind,
        /// Whether it joined it.
        joined: bool,
        /// The network's own id.
        network: Option<String>,
    }
}
