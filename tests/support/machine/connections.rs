//! What a machine logs when somebody connects, or tries to.

use jiff::Timestamp;

use super::event::{
    Channel, LOCAL_SESSION_MANAGER, Payload, RDP_CORE_TS, REMOTE_CONNECTION_MANAGER, SCHANNEL,
};
use super::{Datum, Logged, Machine, seconds};

/// How Schannel ends a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFailure {
    /// 36874 and 36888 (40, 1205): no cipher suite in common.
    NoCommonSuite,
    /// 36870: the private key cannot be opened.
    KeyUnusable,
    /// 36871: no credential can be made.
    NoCredential,
    /// 36887 (45): the client says that the certificate has ended.
    CertificateRefused,
    /// 36888 (10): the server took the client's message for one that may not come here (SEC_E_ILLEGAL_MESSAGE).
    IllegalMessage,
}

const NETWORK_SERVICE: &str = "S-1-5-20";

impl Machine {
    /// A connection that gets in: the whole funnel, ten seconds long.
    pub fn gets_in(&mut self, time: Timestamp, client: &str, user: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.authenticates(time + seconds(3), client, user);
        let session = 2 + self.next_connection % 7;
        for (id, offset) in [(21_u16, 4), (22, 6)] {
            self.session_event(
                time + seconds(offset),
                id,
                vec![
                    ("User", format!("CONTOSO\\{user}").into()),
                    ("SessionID", session.into()),
                    ("Address", client.into()),
                ],
            );
        }
        self
    }

    /// A connection whose password is right and that gets no session: drain mode, or logons switched off.
    pub fn is_left_without_a_session(
        &mut self,
        time: Timestamp,
        client: &str,
        user: &str,
    ) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.authenticates(time + seconds(3), client, user);
        self.ends(time + seconds(5), &activity);
        self
    }

    /// The service starts without the role of a session host: RemoteConnectionManager 1136.
    pub fn no_session_host(&mut self, time: Timestamp) -> &mut Self {
        self.manager(time, 1136, vec![]);
        self
    }

    /// A session that ends as its user wants: LocalSessionManager 23, 24 and 40.
    pub fn leaves(&mut self, time: Timestamp, client: &str, user: &str) -> &mut Self {
        let session = 2 + self.next_connection % 7;
        self.session_event(
            time,
            40,
            vec![("Session", session.into()), ("Reason", 11_u32.into())],
        );
        self.session_event(
            time + seconds(1),
            24,
            vec![
                ("User", format!("CONTOSO\\{user}").into()),
                ("SessionID", session.into()),
                ("Address", client.into()),
            ],
        );
        self.core(time, 143, vec![("error", 10054_u32.into())], None);
        self
    }

    /// A connection that dies in TLS.
    pub fn dies_in_tls(&mut self, time: Timestamp, client: &str, failure: TlsFailure) -> &mut Self {
        let activity = self.arrives(time, client);
        self.schannel_failure(time + seconds(1), failure);
        self.core(
            time + seconds(1),
            226,
            vec![
                ("StateTransition", "RDP_SEC".into()),
                ("PreviousState", 3_u32.into()),
                ("PreviousStateName", "StateSecHandshake".into()),
                ("NewState", 4_u32.into()),
                ("NewStateName", "StateSecFailed".into()),
                ("Event", 5_u32.into()),
                ("EventName", "FEventHandshakeFailed".into()),
                (
                    "ErrorCode",
                    Datum::Hex32(match failure {
                        TlsFailure::IllegalMessage => 0x8009_0326,
                        _ => 0x8009_0331,
                    }),
                ),
            ],
            Some(&activity),
        );
        self.core(
            time + seconds(1),
            139,
            vec![
                ("ResultCode", Datum::Hex32(0x8009_0304)),
                ("IPString", client.into()),
            ],
            Some(&activity),
        );
        self.ends(time + seconds(2), &activity);
        self
    }

    /// A connection whose password is wrong: what guessers cause all day, and people now and then.
    pub fn mistypes(&mut self, time: Timestamp, client: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.core(
            time + seconds(2),
            140,
            vec![("IPString", client.into())],
            Some(&activity),
        );
        self.rdp_tcp_noise(time + seconds(2), &activity);
        self.ends(time + seconds(2), &activity);
        self
    }

    /// Something that opens the port and goes away: a scanner, a load balancer's probe.
    pub fn is_probed(&mut self, time: Timestamp, client: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.rdp_tcp_noise(time + seconds(1), &activity);
        self.ends(time + seconds(1), &activity);
        self
    }

    pub(super) fn arrives(&mut self, time: Timestamp, client: &str) -> String {
        let number = self.next_connection;
        self.next_connection += 1;
        let activity = format!("{{f4204d1e-5ec3-4d5a-8a3c-{number:012x}}}");
        let port = 49_152 + number % 16_000;
        self.core(
            time,
            131,
            vec![
                ("ConnType", "TCP".into()),
                ("ClientIP", format!("{client}:{port}").into()),
            ],
            Some(&activity),
        );
        self.core(
            time,
            65,
            vec![("ConnectionName", format!("RDP-Tcp#{number}").into())],
            Some(&activity),
        );
        self.manager(time, 261, vec![("listenerName", "RDP-Tcp".into())]);
        activity
    }

    pub(super) fn tls_succeeds(&mut self, time: Timestamp, activity: &str) {
        if self.windows.logs_tls_version() {
            let version = if self.windows.build() >= 20348 {
                "TLS 1.3"
            } else {
                "TLS 1.2"
            };
            self.core(
                time,
                153,
                vec![("TLSVersion", version.into())],
                Some(activity),
            );
        }
    }

    pub(super) fn authenticates(&mut self, time: Timestamp, client: &str, user: &str) {
        self.manager(
            time,
            1149,
            vec![
                ("Param1", user.into()),
                ("Param2", "CONTOSO".into()),
                ("Param3", client.into()),
            ],
        );
    }

    pub(super) fn rdp_tcp_noise(&mut self, time: Timestamp, activity: &str) {
        self.core(
            time,
            226,
            vec![
                ("StateTransition", "RDP_TCP".into()),
                ("PreviousState", 2_u32.into()),
                ("PreviousStateName", "StateConnected".into()),
                ("NewState", 5_u32.into()),
                ("NewStateName", "StateClosed".into()),
                ("Event", 9_u32.into()),
                ("EventName", "FEventDisconnect".into()),
                ("ErrorCode", Datum::Hex32(0x8007_0040)),
            ],
            Some(activity),
        );
    }

    pub(super) fn ends(&mut self, time: Timestamp, activity: &str) {
        self.core(
            time,
            103,
            vec![("ReasonCode", 14_u32.into())],
            Some(activity),
        );
        self.core(time, 102, vec![], Some(activity));
    }

    /// A handshake of the Remote Desktop service that was completed: Schannel 36880, which only EventLogging 4 and above lets it write.
    pub fn schannel_success(&mut self, time: Timestamp, protocol: &str, suite: u32) {
        let service = self.service_process;
        self.schannel(
            time,
            36880,
            service,
            vec![
                ("Type", "server".into()),
                ("Protocol", protocol.into()),
                ("CipherSuite", Datum::Hex32(suite)),
                ("ExchangeStrength", 255_u32.into()),
            ],
        );
    }

    /// A Schannel failure in the server role, of the Remote Desktop service.
    pub fn schannel_failure(&mut self, time: Timestamp, failure: TlsFailure) {
        let service = self.service_process;
        match failure {
            TlsFailure::NoCommonSuite => {
                self.schannel(time, 36874, service, vec![("Protocol", "TLS 1.2".into())]);
                self.schannel(
                    time,
                    36888,
                    service,
                    vec![
                        ("AlertDesc", 40_u32.into()),
                        ("ErrorState", 1205_u32.into()),
                    ],
                );
            }
            TlsFailure::KeyUnusable => self.schannel(
                time,
                36870,
                service,
                vec![
                    ("Type", "server".into()),
                    ("ErrorCode", Datum::Hex32(0x8009_030D)),
                    ("ErrorStatus", 10001_u32.into()),
                ],
            ),
            TlsFailure::NoCredential => self.schannel(
                time,
                36871,
                service,
                vec![("Type", "server".into()), ("ErrorState", 10013_u32.into())],
            ),
            TlsFailure::IllegalMessage => self.schannel(
                time,
                36888,
                service,
                vec![
                    ("AlertDesc", 10_u32.into()),
                    ("ErrorState", 1203_u32.into()),
                ],
            ),
            TlsFailure::CertificateRefused => {
                self.schannel(time, 36887, service, vec![("AlertDesc", 45_u32.into())]);
            }
        }
    }

    /// A Schannel event; from Server 2022 on it names the process that asked.
    pub fn schannel(
        &mut self,
        time: Timestamp,
        id: u16,
        process: u32,
        fields: Vec<(&'static str, Datum)>,
    ) {
        let mut data = Vec::new();
        if self.windows.names_the_caller() {
            let image = if process == self.service_process {
                "svchost.exe"
            } else {
                "updater.exe"
            };
            data.push(("CallerProcessId", process.into()));
            data.push(("CallerProcessImageName", image.into()));
        }
        data.extend(fields);
        self.log(Logged {
            time,
            channel: Channel::System,
            provider: SCHANNEL,
            id,
            qualifiers: None,
            level: 2,
            process: 736,
            user: Some("S-1-5-18"),
            activity: None,
            payload: Payload::Named(data),
        });
    }

    pub(super) fn core(
        &mut self,
        time: Timestamp,
        id: u16,
        fields: Vec<(&'static str, Datum)>,
        activity: Option<&str>,
    ) {
        if !self.windows.has_rdp_core_ts() {
            return;
        }
        self.log(Logged {
            time,
            channel: Channel::RdpCoreTs,
            provider: RDP_CORE_TS,
            id,
            qualifiers: None,
            level: 4,
            process: self.service_process,
            user: Some(NETWORK_SERVICE),
            activity: activity.map(str::to_owned),
            payload: Payload::Named(fields),
        });
    }

    pub(super) fn manager(&mut self, time: Timestamp, id: u16, fields: Vec<(&'static str, Datum)>) {
        self.log(Logged {
            time,
            channel: Channel::RemoteConnectionManager,
            provider: REMOTE_CONNECTION_MANAGER,
            id,
            qualifiers: None,
            level: 4,
            process: self.service_process,
            user: Some(NETWORK_SERVICE),
            activity: None,
            payload: Payload::User(fields),
        });
    }

    pub(super) fn session_event(
        &mut self,
        time: Timestamp,
        id: u16,
        fields: Vec<(&'static str, Datum)>,
    ) {
        self.log(Logged {
            time,
            channel: Channel::LocalSessionManager,
            provider: LOCAL_SESSION_MANAGER,
            id,
            qualifiers: None,
            level: 4,
            process: 980,
            user: Some("S-1-5-18"),
            activity: None,
            payload: Payload::User(fields),
        });
    }
}
