//! The generations of Windows that machines are forged as, and what differs between them.

/// A generation of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    Server2008R2,
    Server2012R2,
    Server2016,
    Server2019,
    Server2022,
    Server2025,
}

impl Windows {
    /// Every generation, the oldest first.
    pub const SERVERS: [Windows; 6] = [
        Windows::Server2008R2,
        Windows::Server2012R2,
        Windows::Server2016,
        Windows::Server2019,
        Windows::Server2022,
        Windows::Server2025,
    ];

    /// Those whose logs name who fails silently: before RdpCoreTS none does.
    pub const WITH_RDP_CORE_TS: [Windows; 5] = [
        Windows::Server2012R2,
        Windows::Server2016,
        Windows::Server2019,
        Windows::Server2022,
        Windows::Server2025,
    ];

    pub fn build(self) -> u32 {
        match self {
            Windows::Server2008R2 => 7601,
            Windows::Server2012R2 => 9600,
            Windows::Server2016 => 14393,
            Windows::Server2019 => 17763,
            Windows::Server2022 => 20348,
            Windows::Server2025 => 26100,
        }
    }

    pub fn product(self) -> &'static str {
        match self {
            Windows::Server2008R2 => "Windows Server 2008 R2 Standard",
            Windows::Server2012R2 => "Windows Server 2012 R2 Standard",
            Windows::Server2016 => "Windows Server 2016 Standard",
            Windows::Server2019 => "Windows Server 2019 Standard",
            Windows::Server2022 => "Windows Server 2022 Standard",
            Windows::Server2025 => "Windows Server 2025 Standard",
        }
    }

    /// Its name in the project's own table of default cipher suites.
    pub fn table_id(self) -> &'static str {
        match self {
            Windows::Server2008R2 => "7-2008r2",
            Windows::Server2012R2 => "8.1-2012r2",
            Windows::Server2016 => "10-1607-2016",
            Windows::Server2019 => "10-1809-2019",
            Windows::Server2022 => "server-2022",
            Windows::Server2025 => "server-2025",
        }
    }

    /// From Windows 11 and Server 2022 on, Schannel's events name the process that asked.
    pub fn names_the_caller(self) -> bool {
        self.build() >= 20348
    }

    /// RdpCoreTS came with Windows 8 and Server 2012; before, TermDD told of broken lines.
    pub fn has_rdp_core_ts(self) -> bool {
        self.build() >= 9200
    }

    /// RdpCoreTS writes 153, the version of TLS, from Windows 10 1803 on.
    pub fn logs_tls_version(self) -> bool {
        self.build() >= 17134
    }
}
