//! Facts about attempts to connect: how far each came, whose it was, and how people fare.

use jiff::Timestamp;

use super::Absence;
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{Code, choice};

choice! {
    /// How far an attempt came. Each stage includes those before it.
    Stage {
        /// The server accepted the TCP connection (RdpCoreTS 131, RemoteConnectionManager 261).
        Arrived = "arrived",
        /// TLS was negotiated (RdpCoreTS 153 and whatever comes later).
        Tls = "tls",
        /// The credentials were accepted (RemoteConnectionManager 1149).
        Credentials = "credentials",
        /// A session was opened or taken up again (LocalSessionManager 21, 22, 25).
        Session = "session",
    }
}

choice! {
    /// How a client fares at the end.
    Outcome {
        /// Its last attempts got in.
        In = "in",
        /// Its last attempts all failed.
        LockedOut = "locked-out",
        /// Too little to say: a mistyped password or two, nothing after a success.
        Undecided = "undecided",
    }
}

choice! {
    /// How an attempt ended, where it did not get in.
    Ending {
        /// In TLS: RdpCoreTS 139, 226 with a security status, an attributed Schannel failure, TermDD 50 or 56.
        Tls = "tls",
        /// The credentials were refused (RdpCoreTS 140, Security 4625).
        Credentials = "credentials",
        /// The connection broker failed to hand it on (SessionBroker-Client 1296, 1306).
        Broker = "broker",
        /// The transport broke (RdpCoreTS 142, 143).
        Transport = "transport",
        /// It stopped without a word.
        Silent = "silent",
    }
}

choice! {
    /// What carried a connection.
    Carrier {
        /// TCP alone.
        Tcp = "tcp",
        /// TCP, and a side channel over UDP.
        TcpAndUdp = "tcp+udp",
    }
}

choice! {
    /// Which component reported an error of the security layer.
    ErrorSource {
        /// RdpCoreTS, from Windows 8 and Server 2012 on.
        RdpCoreTs = "rdpcorets",
        /// The TermDD driver, up to Windows 8.1 and Server 2012 R2.
        TermDd = "termdd",
    }
}

catalogue! {
    /// How people's connections fare at the end of the collection.
    "connection.state" => State State (Absence::Never(Subject::ConnectionState)) {
        /// Succeeding, mixed, dropping, failing, silent or unseen.
        state: ConnectionState,
        /// The stage at which the attempts of those who are locked out die.
        stage: Option<Stage>,
        /// How many clients count.
        clients: usize,
        /// How many addresses never got in and do not count.
        strangers: usize,
        /// Whether somebody who counts is locked out; open where nobody has tried, or the logs do not show it.
        prevented: Known<bool>,
        /// Whether those who are locked out authenticate and get no session.
        without_session: Known<bool>,
        /// The stages that no log shows at the end.
        unseen: Option<String>,
    }

    /// How one client fares.
    "client.outcome" => ClientOutcome State (Absence::All(&[Subject::Arrivals, Subject::Sessions])) {
        /// Its address, or `unknown` where the logs name none.
        client: String,
        /// In, locked out or undecided.
        state: Outcome,
        /// The furthest stage that its last attempts reached.
        stage: Stage,
        /// The code with which its last attempt ended, if one was recorded.
        code: Option<Code>,
        /// Since when it is so: its first failure after its last success, or its last success.
        since: Option<Timestamp>,
        /// Whether it does not count: an address that never got in, on a machine that others got into.
        stranger: bool,
        /// Whether the user named it with `--client-address`.
        named: bool,
    }

    /// One attempt to connect.
    "connection.attempt" => Attempt Event (Absence::All(&[Subject::Arrivals])) {
        /// The client's address, where a log names it.
        client: Known<Option<String>>,
        /// What carried it; open without the log that tells.
        transport: Known<Carrier>,
        /// The session that it got, where a log says.
        session: Option<u32>,
        /// How far it came.
        reached: Stage,
        /// How it ended, where it did not get in.
        ended: Known<Option<Ending>>,
        /// The code with which it ended.
        code: Option<Code>,
        /// Whether its client is locked out.
        affected: Known<bool>,
        /// Whether its client does not count.
        stranger: bool,
    }

    /// An attempt got past a stage.
    "connection.passed" => Passed Event (Absence::By("stage", &[
        ("arrived", &[Subject::Arrivals]),
        ("tls", &[Subject::TlsOutcomes]),
        ("credentials", &[Subject::CredentialOutcomes]),
        ("session", &[Subject::Sessions]),
    ])) {
        /// The stage it got past.
        stage: Stage,
        /// The client's address, where a log names it.
        client: Known<Option<String>>,
        /// Whether its client is locked out at the end; where nobody is, whether it counts.
        affected: Known<bool>,
        /// Whether its client does not count.
        stranger: bool,
    }

    /// The server's security layer reported an error and closed the connection.
    "connection.security_error" => SecurityError Event (Absence::By("source", &[
        ("rdpcorets", &[Subject::RdpCoreTsLog]),
        ("termdd", &[Subject::SystemLog]),
    ])) {
        /// Who reported it.
        source: ErrorSource,
        /// 139 or 226 of RdpCoreTS, 50 or 56 of TermDD.
        event: u32,
        /// The status in it.
        code: Known<Option<Code>>,
        /// The transition in which RdpCoreTS 226 failed.
        transition: Option<String>,
        /// Whether it tells of TLS: any 139; a 226 outside of `RDP_TCP` with a status 0x8009xxxx; a TermDD event with one.
        tls: Known<bool>,
        /// The client's address, where it is known.
        client: Known<Option<String>>,
        /// Whether its client is locked out.
        affected: Known<bool>,
    }

    /// What a client's own log says of a connection to this host.
    "client.report" => ClientReport Event (Absence::All(&[Subject::RdpClientLog])) {
        /// The provider's event: 226 (with a status of the security layer) or 1026 of the Remote Desktop client, 36881 of Schannel, 6041 of LsaSrv.
        event: u32,
        /// The disconnect reason or status in it.
        code: Option<Code>,
        /// Whether it says that the server's certificate has ended or has not begun.
        certificate_time: bool,
        /// Whether it says that the server denied the connection because of FIPS (extended reason 8).
        denied_by_fips: bool,
        /// Whether it names this host.
        names_host: Known<bool>,
    }

    /// Somebody is known to have tried to connect at a time that the server's own logs do not give.
    "connection.tried" => Tried State (Absence::Never(Subject::ConnectionState)) {
        /// When, where somebody says so.
        time: Option<Timestamp>,
        /// Whether a connection arrived within ten minutes of it; open where nobody names a time.
        arrived: Known<bool>,
        /// This machine's name, as a client would connect to it.
        server: Known<Option<String>>,
        /// The port that its listener is set to.
        port: Known<u32>,
    }
}
