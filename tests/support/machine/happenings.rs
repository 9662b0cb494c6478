//! What else a machine logs: boots, services, certificates, and the noise of a normal day.

use jiff::{SignedDuration, Timestamp};

use super::event::{
    APPLICATION_ERROR, Channel, EVENT_LOG, KERNEL_GENERAL, Payload,
    REMOTE_CONNECTION_MANAGER_CLASSIC, SERVICE_CONTROL, WININIT,
};
use super::{Datum, Logged, Machine, Provider, seconds};

impl Machine {
    /// Windows starts, and with it the listener.
    pub fn boots(&mut self, time: Timestamp) -> &mut Self {
        self.named(
            time,
            KERNEL_GENERAL,
            12,
            vec![
                ("MajorVersion", 10_u32.into()),
                ("MinorVersion", 0_u32.into()),
                ("BuildVersion", self.windows.build().into()),
                ("StartTime", Datum::Time(time)),
            ],
        );
        self.classic(
            time + seconds(8),
            EVENT_LOG,
            6009,
            0x8000,
            4,
            vec![
                "10.00.".into(),
                self.windows.build().to_string(),
                String::new(),
                "Multiprocessor Free".into(),
                "0".into(),
            ],
            None,
        );
        self.classic(
            time + seconds(8),
            EVENT_LOG,
            6005,
            0x8000,
            4,
            vec![],
            Some(vec![0; 16]),
        );
        self
    }

    /// The listener starts: RemoteConnectionManager 258.
    pub fn listener_starts(&mut self, time: Timestamp) -> &mut Self {
        self.manager(time, 258, vec![("listenerName", "RDP-Tcp".into())]);
        self
    }

    /// Making or renewing the certificate fails: 1057 or 1058, with the status as Windows words it.
    pub fn renewal_fails(&mut self, time: Timestamp, id: u16, status: &str) -> &mut Self {
        self.classic(
            time,
            REMOTE_CONNECTION_MANAGER_CLASSIC,
            id,
            0xC000,
            2,
            vec![format!("{status}\r\n")],
            None,
        );
        self
    }

    /// A new self-signed certificate was made: 1056.
    pub fn certificate_made(&mut self, time: Timestamp, thumbprint: &[u8]) -> &mut Self {
        let name = self.full_name();
        self.classic(
            time,
            REMOTE_CONNECTION_MANAGER_CLASSIC,
            1056,
            0xC000,
            4,
            vec![name],
            Some(thumbprint.to_vec()),
        );
        self
    }

    /// RemoteConnectionManager says something of the certificate's configuration: 1051, 1054, 1055, 1059; of a template's
    /// certificate: 1063, 1064, 1065.
    pub fn certificate_notice(&mut self, time: Timestamp, id: u16, data: &[&str]) -> &mut Self {
        self.classic(
            time,
            REMOTE_CONNECTION_MANAGER_CLASSIC,
            id,
            0xC000,
            3,
            data.iter().map(|text| (*text).to_owned()).collect(),
            None,
        );
        self
    }

    /// The clock is set: Kernel-General 1, written just after, by the new time.
    pub fn clock_is_set(&mut self, from: Timestamp, to: Timestamp) -> &mut Self {
        self.named(
            to + SignedDuration::from_millis(2),
            KERNEL_GENERAL,
            1,
            vec![
                ("NewTime", Datum::Time(to)),
                ("OldTime", Datum::Time(from)),
                ("Reason", 1_u32.into()),
            ],
        );
        self
    }

    /// Somebody sets the clock: Kernel-General 1.
    pub fn clock_set(&mut self, time: Timestamp, from: Timestamp, to: Timestamp) -> &mut Self {
        self.named(
            time,
            KERNEL_GENERAL,
            1,
            vec![
                ("NewTime", Datum::Time(to)),
                ("OldTime", Datum::Time(from)),
                ("Reason", 1_u32.into()),
            ],
        );
        self
    }

    /// A service's start type is changed: 7040.
    pub fn start_type_changes(
        &mut self,
        time: Timestamp,
        display: &str,
        key: &str,
        from: &str,
        to: &str,
    ) -> &mut Self {
        self.log(Logged {
            user: Some("S-1-5-21-1004336348-1177238915-682003330-500"),
            ..self.system_event(
                time,
                SERVICE_CONTROL,
                7040,
                Some(0x4000),
                4,
                Payload::Named(vec![
                    ("param1", display.into()),
                    ("param2", from.into()),
                    ("param3", to.into()),
                    ("param4", key.into()),
                ]),
            )
        });
        self
    }

    /// A service starts or stops: 7036.
    pub fn service_state(&mut self, time: Timestamp, display: &str, state: &str) -> &mut Self {
        self.log(self.system_event(
            time,
            SERVICE_CONTROL,
            7036,
            Some(0x4000),
            4,
            Payload::Named(vec![("param1", display.into()), ("param2", state.into())]),
        ));
        self
    }

    /// A service fails: 7000, 7023, 7031, 7034 and their like.
    pub fn service_fails(
        &mut self,
        time: Timestamp,
        id: u16,
        display: &str,
        more: &str,
    ) -> &mut Self {
        self.log(self.system_event(
            time,
            SERVICE_CONTROL,
            id,
            Some(0xC000),
            2,
            Payload::Named(vec![("param1", display.into()), ("param2", more.into())]),
        ));
        self
    }

    /// The listener fails: 1035 or 1036 with a status.
    pub fn listener_fails(&mut self, time: Timestamp, id: u16, status: &str) -> &mut Self {
        self.classic(
            time,
            REMOTE_CONNECTION_MANAGER_CLASSIC,
            id,
            0xC000,
            2,
            vec![status.to_owned()],
            None,
        );
        self
    }

    /// A program crashes: Application Error 1000, its values without names as before Windows 11.
    pub fn program_crashes(&mut self, time: Timestamp, program: &str, module: &str) -> &mut Self {
        let values = [
            program,
            "10.0.20348.1",
            "5f1e2d3c",
            module,
            "10.0.20348.1",
            "5f1e2d3c",
            "c0000005",
            "000000000001c2d4",
            "0x4a0",
        ];
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let event = self.system_event(
            time,
            APPLICATION_ERROR,
            1000,
            Some(0),
            2,
            Payload::Classic(values, None),
        );
        self.log(Logged {
            channel: Channel::Application,
            ..event
        });
        self
    }

    /// A critical process fails: Wininit 1015.
    pub fn critical_process_fails(&mut self, time: Timestamp, path: &str) -> &mut Self {
        let values = vec![path.to_owned(), "c0000005".to_owned()];
        let event = self.system_event(
            time,
            WININIT,
            1015,
            Some(0x8000),
            2,
            Payload::Classic(values, None),
        );
        self.log(Logged {
            channel: Channel::Application,
            ..event
        });
        self
    }

    /// What Schannel writes all day on a machine where nothing is wrong: an updater's own client failures, and monitors that
    /// hang up.
    pub fn schannel_noise(&mut self, time: Timestamp) -> &mut Self {
        self.schannel(
            time,
            36871,
            5120,
            vec![("Type", "client".into()), ("ErrorState", 10013_u32.into())],
        );
        self.schannel(
            time + seconds(40),
            36887,
            5120,
            vec![("AlertDesc", 46_u32.into())],
        );
        self
    }

    pub(super) fn named(
        &mut self,
        time: Timestamp,
        provider: Provider,
        id: u16,
        fields: Vec<(&'static str, Datum)>,
    ) {
        self.log(self.system_event(time, provider, id, None, 4, Payload::Named(fields)));
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn classic(
        &mut self,
        time: Timestamp,
        provider: Provider,
        id: u16,
        qualifiers: u16,
        level: u8,
        data: Vec<String>,
        binary: Option<Vec<u8>>,
    ) {
        self.log(self.system_event(
            time,
            provider,
            id,
            Some(qualifiers),
            level,
            Payload::Classic(data, binary),
        ));
    }

    pub(super) fn system_event(
        &self,
        time: Timestamp,
        provider: Provider,
        id: u16,
        qualifiers: Option<u16>,
        level: u8,
        payload: Payload,
    ) -> Logged {
        Logged {
            time,
            channel: Channel::System,
            provider,
            id,
            qualifiers,
            level,
            process: 0,
            user: None,
            activity: None,
            payload,
        }
    }
}
