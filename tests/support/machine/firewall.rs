//! The Windows Firewall of a forged machine: the rules that Windows ships for Remote Desktop, and the networks it stands in.

use jiff::Timestamp;

use super::Machine;
use super::event::{Channel, Logged, NETWORK_PROFILE, Payload, SECURITY_AUDITING};

/// Where the machine's own rules stand.
pub const FIREWALL: &str = r"ControlSet001\Services\SharedAccess\Parameters\FirewallPolicy";
/// Where policies have theirs, in SOFTWARE.
pub const FIREWALL_POLICY: &str = r"Policies\Microsoft\WindowsFirewall";

/// The rule that Windows ships for Remote Desktop over TCP.
pub fn shipped_rule(active: bool) -> String {
    let active = if active { "TRUE" } else { "FALSE" };
    format!(
        r"v2.31|Action=Allow|Active={active}|Dir=In|Protocol=6|LPort=3389|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|"
    )
}

impl Machine {
    /// The firewall as Windows ships it, with Remote Desktop's rules switched on or not; last written at `time`.
    pub fn firewall(&mut self, remote_desktop: bool, time: Timestamp) -> &mut Self {
        let rules = format!(r"{FIREWALL}\FirewallRules");
        for profile in ["DomainProfile", "StandardProfile", "PublicProfile"] {
            let key = format!(r"{FIREWALL}\{profile}");
            self.system.set_dword(&key, "EnableFirewall", 1);
        }
        for (name, rule) in [
            ("RemoteDesktop-UserMode-In-TCP", shipped_rule(remote_desktop)),
            (
                "RemoteDesktop-UserMode-In-UDP",
                shipped_rule(remote_desktop).replace("Protocol=6", "Protocol=17"),
            ),
            (
                "RemoteDesktop-Shadow-In-TCP",
                r"v2.31|Action=Allow|Active=FALSE|Dir=In|Protocol=6|App=%SystemRoot%\system32\RdpSa.exe|Name=@FirewallAPI.dll,-28778|Edge=TRUE|Defer=App|".to_owned(),
            ),
            (
                "CoreNet-Teredo-In",
                r"v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=Teredo|App=%SystemRoot%\system32\svchost.exe|Svc=iphlpsvc|Name=@FirewallAPI.dll,-25327|".to_owned(),
            ),
            // Windows' own, active, for every port of System: of Wi-Fi Direct alone.
            (
                "WiFiDirect-KM-Driver-In-TCP",
                r"v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=System|Name=@wlansvc.dll,-37378|EmbedCtxt=@wlansvc.dll,-36865|TTK2_27=WFDKmDriver|".to_owned(),
            ),
            (
                "{95E5C3FC-4EEB-41B2-BC4A-2F4206F5EEA6}",
                r"v2.31|Action=Allow|Active=TRUE|Dir=In|App=C:\Program Files (x86)\Sync\Client\Sync.exe|Name=Sync|".to_owned(),
            ),
            (
                "{F1A7C6A5-3B1E-4E0E-9C55-70A3F8B1D2C4}",
                r"v2.31|Action=Allow|Active=TRUE|Dir=In|Profile=Domain|Profile=Private|Name=@{Microsoft.Windows.Cortana}|LUOwn=S-1-5-21-1004336348-1177238915-682003330-500|AppPkgId=S-1-15-2-1861897761|EmbedCtxt=@{Microsoft.Windows.Cortana}|Platform=2:6:2|Platform2=GTEQ|".to_owned(),
            ),
            (
                "PlayTo-SSDP-Discovery-PlayToScope",
                r"v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|Profile=Public|LPort2_20=Ply2Disc|App=%SystemRoot%\system32\svchost.exe|Svc=ssdpsrv|Name=@FirewallAPI.dll,-36104|".to_owned(),
            ),
        ] {
            self.system.set_sz(&rules, name, &rule);
        }
        self.system.touch(&rules, time);
        self
    }

    /// One more rule of the machine's own.
    pub fn firewall_rule(&mut self, name: &str, rule: &str, time: Timestamp) -> &mut Self {
        let rules = format!(r"{FIREWALL}\FirewallRules");
        self.system.set_sz(&rules, name, rule).touch(&rules, time);
        self
    }

    /// The machine joins a network: NetworkProfile 10000; 0 public, 1 private, 2 a domain's.
    pub fn joins_network(&mut self, time: Timestamp, category: u32) -> &mut Self {
        self.log(Logged {
            time,
            channel: Channel::NetworkProfile,
            provider: NETWORK_PROFILE,
            id: 10000,
            qualifiers: None,
            level: 4,
            process: 1320,
            user: None,
            activity: None,
            payload: Payload::Named(vec![
                ("Name", "contoso.example".into()),
                ("Desc", "contoso.example".into()),
                ("Guid", "{5B1E0C77-2E1C-4E2B-9B3F-0C5A4D1F7A21}".into()),
                ("Type", 0_u32.into()),
                ("State", 9_u32.into()),
                ("Category", category.into()),
            ]),
        });
        self
    }

    /// A negotiation of IPsec fails: Security 4653.
    pub fn ipsec_fails(&mut self, time: Timestamp) -> &mut Self {
        self.log(Logged {
            time,
            channel: Channel::Security,
            provider: SECURITY_AUDITING,
            id: 4653,
            qualifiers: None,
            level: 0,
            process: 720,
            user: None,
            activity: None,
            payload: Payload::Named(vec![
                ("LocalAddress", "10.20.4.2".into()),
                ("RemoteAddress", "10.20.4.17".into()),
                ("FailureReason", "Negotiation timed out".into()),
            ]),
        });
        self
    }
}
