//! How sessions go on and end, and what limits them: lines that break, side channels, floods, licences, brokers, updates.

use jiff::{SignedDuration, Timestamp};

use super::event::{
    BROKER_CLIENT, Channel, Payload, REMOTE_CONNECTION_MANAGER, TCPIP, TERM_DD, UPDATE_CLIENT,
};
use super::{Datum, Logged, Machine, seconds};

impl Machine {
    fn last_connection(&self) -> (String, u32) {
        let number = self.next_connection - 1;
        let activity = format!("{{f4204d1e-5ec3-4d5a-8a3c-{number:012x}}}");
        (activity, 2 + self.next_connection % 7)
    }

    /// A session that lasts so long, until the transport breaks with this code: 143 and LocalSessionManager 40 and 24, or
    /// TermDD 56 on a Windows without RdpCoreTS.
    pub fn session_breaks(
        &mut self,
        time: Timestamp,
        client: &str,
        user: &str,
        lasts: SignedDuration,
        code: u32,
    ) -> &mut Self {
        self.gets_in(time, client, user);
        let (activity, session) = self.last_connection();
        let end = time + lasts;
        self.core(end, 143, vec![("error", code.into())], Some(&activity));
        if !self.windows.has_rdp_core_ts() {
            let mut bytes = vec![0; 40];
            bytes.extend(0xD000_00B5_u32.to_le_bytes());
            self.classic(
                end,
                TERM_DD,
                56,
                0xC00A,
                2,
                vec![r"\Device\Termdd".into(), client.into()],
                Some(bytes),
            );
        }
        self.disconnected(end, client, user, session, 0)
    }

    /// A session that lasts so long and ends for a reason of LocalSessionManager's.
    pub fn session_ends(
        &mut self,
        time: Timestamp,
        client: &str,
        user: &str,
        lasts: SignedDuration,
        reason: u32,
    ) -> &mut Self {
        self.gets_in(time, client, user);
        let (_, session) = self.last_connection();
        self.disconnected(time + lasts, client, user, session, reason)
    }

    fn disconnected(
        &mut self,
        time: Timestamp,
        client: &str,
        user: &str,
        session: u32,
        reason: u32,
    ) -> &mut Self {
        self.session_event(
            time + seconds(1),
            40,
            vec![("Session", session.into()), ("Reason", reason.into())],
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
        self
    }

    /// The side channel over UDP of the last connection fails: RdpCoreTS 138.
    pub fn side_channel_fails(&mut self, time: Timestamp) -> &mut Self {
        let (activity, _) = self.last_connection();
        let code = Datum::Hex32(0x8007_274C);
        self.core(time, 138, vec![("ResultCode", code)], Some(&activity));
        self
    }

    /// A connection that arrives and ends a second later without a word.
    pub fn stops(&mut self, time: Timestamp, client: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.ends(time + seconds(1), &activity);
        self
    }

    /// A connection that authenticates and gets no session.
    pub fn gets_no_session(&mut self, time: Timestamp, client: &str, user: &str) -> &mut Self {
        let activity = self.arrives(time, client);
        self.tls_succeeds(time + seconds(1), &activity);
        self.authenticates(time + seconds(3), client, user);
        self.ends(time + seconds(5), &activity);
        self
    }

    /// An event of the Admin channel: 1006 connections turned away, 1068 and 1069 licensing.
    pub fn admin_event(&mut self, time: Timestamp, id: u16) -> &mut Self {
        self.log(Logged {
            channel: Channel::RemoteConnectionManagerAdmin,
            ..self.empty(time, id)
        });
        self
    }

    /// An event of the Operational channel that says nothing but itself: 1136 no Session Host role, 1003 and 1004 licences.
    pub fn manager_event(&mut self, time: Timestamp, id: u16) -> &mut Self {
        self.log(self.empty(time, id));
        self
    }

    fn empty(&self, time: Timestamp, id: u16) -> Logged {
        Logged {
            time,
            channel: Channel::RemoteConnectionManager,
            provider: REMOTE_CONNECTION_MANAGER,
            id,
            qualifiers: None,
            level: 2,
            process: self.service_process,
            user: Some("S-1-5-20"),
            activity: None,
            payload: Payload::Named(vec![]),
        }
    }

    /// The connection broker fails: SessionBroker-Client 1296 or 1306.
    pub fn broker_fails(&mut self, time: Timestamp, id: u16) -> &mut Self {
        self.log(Logged {
            channel: Channel::SessionBrokerClient,
            provider: BROKER_CLIENT,
            ..self.empty(time, id)
        });
        self
    }

    /// The broker's client joins its farm: 1283, informational.
    pub fn broker_joined(&mut self, time: Timestamp) -> &mut Self {
        self.log(Logged {
            channel: Channel::SessionBrokerClient,
            provider: BROKER_CLIENT,
            level: 4,
            ..self.empty(time, 1283)
        });
        self
    }

    /// The ports for outgoing connections run out: Tcpip 4227 or 4231.
    pub fn ports_run_out(&mut self, time: Timestamp, id: u16) -> &mut Self {
        self.classic(
            time,
            TCPIP,
            id,
            0x8000,
            3,
            vec![String::new()],
            Some(vec![0; 40]),
        );
        self
    }

    /// Windows Update installs an update: WindowsUpdateClient 19.
    pub fn update_installed(&mut self, time: Timestamp, title: &str) -> &mut Self {
        self.named(
            time,
            UPDATE_CLIENT,
            19,
            vec![
                ("updateTitle", title.into()),
                (
                    "updateGuid",
                    "{8e8c9c4a-6f0d-4f0e-9d0a-5d0d6d2c7c11}".into(),
                ),
                ("updateRevisionNumber", 200_u32.into()),
            ],
        );
        self
    }
}
