//! What a machine logs when it refuses somebody's logon, and who may log on at all.

use jiff::Timestamp;

use super::super::hive::HiveBuilder;
use super::event::{
    Channel, LSA_SRV, Logged, NETLOGON, NTLM, Payload, Provider, SECURITY_AUDITING,
};
use super::{Datum, Machine, seconds};

/// Why a logon is refused: status and substatus of Security 4625.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    Password,
    NoSuchUser,
    PasswordExpired,
    Locked,
    NoLogonServers,
    TrustFailed,
    NtlmBlocked,
    NotGranted,
}

impl Refused {
    fn codes(self) -> (u32, u32) {
        match self {
            Refused::Password => (0xC000_006D, 0xC000_006A),
            Refused::NoSuchUser => (0xC000_006D, 0xC000_0064),
            Refused::PasswordExpired => (0xC000_006E, 0xC000_0071),
            Refused::Locked => (0xC000_0234, 0),
            Refused::NoLogonServers => (0xC000_005E, 0),
            Refused::TrustFailed => (0xC000_018D, 0),
            Refused::NtlmBlocked => (0xC000_0418, 0),
            Refused::NotGranted => (0xC000_015B, 0),
        }
    }

    /// RdpCoreTS says "user name or password" for these alone.
    fn is_password(self) -> bool {
        matches!(self, Refused::Password | Refused::NoSuchUser)
    }
}

impl Machine {
    /// A connection that gets in, with the audit of its logons.
    pub fn logs_on(&mut self, time: Timestamp, client: &str, user: &str) -> &mut Self {
        self.gets_in(time, client, user);
        for (offset, kind) in [(2, 3), (4, 10)] {
            self.audit(
                time + seconds(offset),
                4624,
                vec![
                    ("SubjectUserSid", Datum::Sid("S-1-5-18")),
                    ("TargetUserName", user.into()),
                    ("TargetDomainName", "CONTOSO".into()),
                    ("LogonType", Datum::U32(kind)),
                    ("AuthenticationPackageName", "Negotiate".into()),
                    ("IpAddress", client.into()),
                    ("IpPort", "0".into()),
                ],
            );
        }
        self
    }

    /// A connection that network level authentication refuses, before there is a session.
    pub fn is_refused(
        &mut self,
        time: Timestamp,
        client: &str,
        user: &str,
        why: Refused,
    ) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.refused(time + seconds(2), Some(client), user, 3, why);
        if why.is_password() {
            let address = vec![("IPString", client.into())];
            self.core(time + seconds(2), 140, address, Some(&activity));
        }
        self.rdp_tcp_noise(time + seconds(2), &activity);
        self.ends(time + seconds(2), &activity);
        self
    }

    /// A connection that authenticates and is refused in the session.
    pub fn is_refused_in_session(
        &mut self,
        time: Timestamp,
        client: &str,
        user: &str,
        why: Refused,
    ) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.authenticates(time + seconds(2), client, user);
        self.refused(time + seconds(4), Some(client), user, 10, why);
        self.ends(time + seconds(6), &activity);
        self
    }

    /// An attempt whose smart card's certificate does not pass: RdpCoreTS 149.
    pub fn card_is_refused(&mut self, time: Timestamp, client: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.core(time + seconds(3), 149, vec![], Some(&activity));
        self.ends(time + seconds(3), &activity);
        self
    }

    /// An attempt that ends after TLS, and nothing says why.
    pub fn ends_after_tls(&mut self, time: Timestamp, client: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.ends(time + seconds(3), &activity);
        self
    }

    /// Security 4625 alone; without a client it names no address, as older Windows does.
    pub fn refused(
        &mut self,
        time: Timestamp,
        client: Option<&str>,
        user: &str,
        kind: u32,
        why: Refused,
    ) -> &mut Self {
        let (status, substatus) = why.codes();
        self.audit(
            time,
            4625,
            vec![
                ("SubjectUserSid", Datum::Sid("S-1-0-0")),
                ("SubjectUserName", "-".into()),
                ("SubjectDomainName", "-".into()),
                ("SubjectLogonId", "0x0".into()),
                ("TargetUserSid", Datum::Sid("S-1-0-0")),
                ("TargetUserName", user.into()),
                ("TargetDomainName", "CONTOSO".into()),
                ("Status", Datum::Hex32(status)),
                ("FailureReason", "%%2313".into()),
                ("SubStatus", Datum::Hex32(substatus)),
                ("LogonType", Datum::U32(kind)),
                ("LogonProcessName", "NtLmSsp ".into()),
                ("AuthenticationPackageName", "NTLM".into()),
                ("WorkstationName", "LAPTOP-4".into()),
                ("TransmittedServices", "-".into()),
                ("LmPackageName", "-".into()),
                ("KeyLength", Datum::U32(0)),
                ("ProcessId", "0x0".into()),
                ("ProcessName", "-".into()),
                ("IpAddress", client.unwrap_or("-").into()),
                ("IpPort", if client.is_some() { "0" } else { "-" }.into()),
            ],
        )
    }

    /// Security 4740.
    pub fn account_locked(&mut self, time: Timestamp, user: &str, computer: &str) -> &mut Self {
        self.audit(
            time,
            4740,
            vec![
                ("TargetUserName", user.into()),
                ("TargetDomainName", computer.into()),
                ("SubjectUserSid", Datum::Sid("S-1-5-18")),
            ],
        )
    }

    /// NETLOGON 5719: no domain controller could be reached.
    pub fn domain_lost(&mut self, time: Timestamp) -> &mut Self {
        let data = vec!["CONTOSO".to_owned(), "%%1311".to_owned()];
        self.classic(
            time,
            NETLOGON,
            5719,
            0,
            2,
            data,
            Some(vec![0x5E, 0, 0, 0xC0]),
        );
        self
    }

    /// LsaSrv 6167: a machine of the same SID. Where `values` stand in it, it is the event of that number of a later build.
    pub fn machine_sid_refused(
        &mut self,
        time: Timestamp,
        values: Vec<(&'static str, Datum)>,
    ) -> &mut Self {
        let event = self.system_event(time, LSA_SRV, 6167, None, 2, Payload::Named(values));
        self.log(event);
        self
    }

    /// LsaSrv 6041: this machine, as a client, refuses a server.
    pub fn refuses_server(&mut self, time: Timestamp, server: &str) -> &mut Self {
        let data = vec![server.to_owned(), "2".to_owned()];
        self.classic(time, LSA_SRV, 6041, 0, 2, data, None);
        self
    }

    /// NTLM 4002: a logon by NTLM was blocked.
    pub fn ntlm_refused(&mut self, time: Timestamp) -> &mut Self {
        let fields = vec![
            ("ProcessName", "".into()),
            ("UserName", "anna".into()),
            ("DomainName", "CONTOSO".into()),
        ];
        self.audited(time, Channel::Ntlm, NTLM, 4002, fields)
    }

    fn audit(&mut self, time: Timestamp, id: u16, fields: Vec<(&'static str, Datum)>) -> &mut Self {
        self.audited(time, Channel::Security, SECURITY_AUDITING, id, fields)
    }

    fn audited(
        &mut self,
        time: Timestamp,
        channel: Channel,
        provider: Provider,
        id: u16,
        fields: Vec<(&'static str, Datum)>,
    ) -> &mut Self {
        self.log(Logged {
            time,
            channel,
            provider,
            id,
            qualifiers: None,
            level: 0,
            process: 700,
            user: None,
            activity: None,
            payload: Payload::Named(fields),
        });
        self
    }
}

/// A SECURITY hive with these rights to log on beside those that every machine has.
pub fn rights(accounts: &[(&str, u32)], time: Timestamp) -> HiveBuilder {
    let mut hive = HiveBuilder::new("SECURITY")
        .default_time(time)
        .written(time);
    hive.at(r"Policy\PolAdtEv");
    let healthy = [
        ("S-1-1-0", 0x002),
        ("S-1-5-32-544", 0x407),
        ("S-1-5-32-545", 0x003),
        ("S-1-5-32-551", 0x007),
        ("S-1-5-32-555", 0x400),
        ("S-1-5-80-0", 0x010),
    ];
    let changed = |account: &str| accounts.iter().any(|(other, _)| *other == account);
    let kept = healthy.iter().filter(|(account, _)| !changed(account));
    for (account, bits) in kept.chain(accounts) {
        let key = format!(r"Policy\Accounts\{account}\ActSysAc");
        // The value has no name, and no type either.
        hive.at(&key).value("", 0, &u32::to_le_bytes(*bits));
    }
    hive
}
