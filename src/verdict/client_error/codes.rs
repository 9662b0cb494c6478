//! The codes as data: the number, Microsoft's name for it, and what it says, in our own words. The sources are named where the
//! codes are read.

/// A documented code: number, Microsoft's name for it, what it says.
pub(super) struct Documented(
    pub(super) u32,
    pub(super) &'static str,
    pub(super) &'static str,
);

pub(super) const PRIMARY: &[Documented] = &[
    Documented(0x0, "disconnectReasonNoInfo", "no information"),
    Documented(
        0x1,
        "disconnectReasonLocalNotError",
        "the client disconnected; not an error",
    ),
    Documented(
        0x2,
        "disconnectReasonRemoteByUser",
        "the user disconnected at the server; not an error",
    ),
    Documented(
        0x3,
        "disconnectReasonByServer",
        "the server disconnected; not an error by itself",
    ),
    Documented(
        0x104,
        "disconnectReasonDNSLookupFailed",
        "the name was not found in DNS",
    ),
    Documented(
        0x106,
        "disconnectReasonOutOfMemory",
        "the client ran out of memory",
    ),
    Documented(
        0x108,
        "disconnectReasonConnectionTimedOut",
        "the connection timed out",
    ),
    Documented(
        0x204,
        "disconnectReasonSocketConnectFailed",
        "no TCP connection could be made",
    ),
    Documented(
        0x206,
        "disconnectReasonOutOfMemory2",
        "the client ran out of memory",
    ),
    Documented(
        0x208,
        "disconnectReasonHostNotFound",
        "the host was not found",
    ),
    Documented(
        0x304,
        "disconnectReasonWinsockSendFailed",
        "sending over the socket failed",
    ),
    Documented(
        0x306,
        "disconnectReasonOutOfMemory3",
        "the client ran out of memory",
    ),
    Documented(
        0x308,
        "disconnectReasonInvalidIPAddr",
        "the IP address is not valid",
    ),
    Documented(
        0x404,
        "disconnectReasonSocketRecvFailed",
        "receiving from the socket failed",
    ),
    Documented(
        0x406,
        "disconnectReasonInvalidSecurityData",
        "the security data were not valid",
    ),
    Documented(
        0x408,
        "disconnectReasonInternalError",
        "an internal error of the client",
    ),
    Documented(
        0x506,
        "disconnectReasonInvalidEncryption",
        "the encryption method was not valid",
    ),
    Documented(
        0x508,
        "disconnectReasonDNSLookupFailed2",
        "the name was not found in DNS",
    ),
    Documented(
        0x604,
        "disconnectReasonGetHostByNameFailed",
        "the name could not be resolved",
    ),
    Documented(
        0x606,
        "disconnectReasonInvalidServerSecurityInfo",
        "the server's security data were not valid",
    ),
    Documented(
        0x608,
        "disconnectReasonTimerError",
        "an internal error of a timer in the client",
    ),
    Documented(0x704, "disconnectReasonTimeoutOccurred", "a timeout"),
    Documented(
        0x706,
        "disconnectReasonServerCertificateUnpackErr",
        "the server's certificate could not be unpacked",
    ),
    Documented(0x804, "disconnectReasonInvalidIP", "the IP address is bad"),
    Documented(0x807, "SSL_ERR_LOGON_FAILURE", "the logon failed"),
    Documented(
        0x808,
        "disconnectReasonLicensingFailed",
        "negotiating the licence failed",
    ),
    Documented(
        0x904,
        "disconnectReasonAtClientWinsockFDCLOSE",
        "the TCP connection was closed while the client still used it",
    ),
    Documented(
        0x906,
        "disconnectReasonInternalSecurityError",
        "an internal error of security",
    ),
    Documented(
        0x908,
        "disconnectReasonLicensingTimeout",
        "negotiating the licence took too long",
    ),
    Documented(
        0xA06,
        "disconnectReasonInternalSecurityError2",
        "an internal error of security",
    ),
    Documented(0xA07, "SSL_ERR_NO_SUCH_USER", "there is no such account"),
    Documented(
        0xB06,
        "disconnectReasonEncryptionError",
        "encrypting failed",
    ),
    Documented(0xB07, "SSL_ERR_ACCOUNT_DISABLED", "the account is disabled"),
    Documented(
        0xC06,
        "disconnectReasonDecryptionError",
        "decrypting failed",
    ),
    Documented(
        0xC07,
        "SSL_ERR_ACCOUNT_RESTRICTION",
        "the account is restricted",
    ),
    Documented(
        0xC08,
        "disconnectReasonClientDecompressionError",
        "decompressing failed",
    ),
    Documented(
        0xD07,
        "SSL_ERR_ACCOUNT_LOCKED_OUT",
        "the account is locked out",
    ),
    Documented(0xE07, "SSL_ERR_ACCOUNT_EXPIRED", "the account has expired"),
    Documented(
        0xF07,
        "SSL_ERR_PASSWORD_EXPIRED",
        "the password has expired",
    ),
    Documented(
        0x1207,
        "SSL_ERR_PASSWORD_MUST_CHANGE",
        "the password has to be changed before the first logon",
    ),
    Documented(
        0x1607,
        "SSL_ERR_DELEGATION_POLICY",
        "a policy forbids to delegate credentials to this server",
    ),
    Documented(
        0x1707,
        "SSL_ERR_POLICY_NTLM_ONLY",
        "a policy forbids to delegate credentials where only NTLM vouches for the server",
    ),
    Documented(
        0x1807,
        "SSL_ERR_NO_AUTHENTICATING_AUTHORITY",
        "no authority, such as a domain controller, could be reached to authenticate",
    ),
    Documented(
        0x1B07,
        "SSL_ERR_CERT_EXPIRED",
        "the server's certificate has expired, and this client refused it for that",
    ),
    Documented(
        0x1C07,
        "SSL_ERR_SMARTCARD_WRONG_PIN",
        "the smart card's PIN was wrong",
    ),
    Documented(
        0x2107,
        "SSL_ERR_FRESH_CRED_REQUIRED_BY_SERVER",
        "the server demands that credentials are entered, not saved ones",
    ),
    Documented(
        0x2207,
        "SSL_ERR_SMARTCARD_CARD_BLOCKED",
        "the smart card is blocked",
    ),
];

/// Codes that people meet and that Microsoft does not document; what practitioners say of them is no more than a hint.
pub(super) const UNDOCUMENTED: &[Documented] = &[
    Documented(
        0x4,
        "",
        "shown by clients other than mstsc for a disconnection of any kind",
    ),
    Documented(
        0x507,
        "",
        "its last byte places it among the errors of TLS and authentication",
    ),
    Documented(
        0x516,
        "",
        "said to mean that the server could not be reached",
    ),
    Documented(
        0xB08,
        "",
        "its last byte places it among internal and licensing errors",
    ),
    Documented(
        0xB09,
        "",
        "said to mean that the server asks for network level authentication, which the client cannot do",
    ),
];

pub(super) const EXTENDED: &[Documented] = &[
    Documented(0, "exDiscReasonNoInfo", "nothing more is known"),
    Documented(
        1,
        "exDiscReasonAPIInitiatedDisconnect",
        "a program disconnected the session",
    ),
    Documented(
        2,
        "exDiscReasonAPIInitiatedLogoff",
        "a program logged the user off",
    ),
    Documented(
        3,
        "exDiscReasonServerIdleTimeout",
        "the server ended an idle session",
    ),
    Documented(
        4,
        "exDiscReasonServerLogonTimeout",
        "the server ended a session that had lasted as long as it may",
    ),
    Documented(
        5,
        "exDiscReasonReplacedByOtherConnection",
        "another connection took the session over",
    ),
    Documented(6, "exDiscReasonOutOfMemory", "no memory was left"),
    Documented(
        7,
        "exDiscReasonServerDeniedConnection",
        "the server denied the connection, without a reason",
    ),
    Documented(
        8,
        "exDiscReasonServerDeniedConnectionFips",
        "the server denied the connection for reasons of security (FIPS)",
    ),
    Documented(
        9,
        "exDiscReasonServerInsufficientPrivileges",
        "the account lacks the right to log on this way",
    ),
    Documented(
        10,
        "exDiscReasonServerFreshCredsRequired",
        "the server demands that credentials are entered, not saved ones",
    ),
    Documented(
        11,
        "exDiscReasonRpcInitiatedDisconnectByUser",
        "the user disconnected the session from elsewhere",
    ),
    Documented(12, "exDiscReasonLogoffByUser", "the user logged off"),
    Documented(
        256,
        "exDiscReasonLicenseInternal",
        "an internal error of licensing",
    ),
    Documented(
        257,
        "exDiscReasonLicenseNoLicenseServer",
        "no licence server could be found",
    ),
    Documented(
        258,
        "exDiscReasonLicenseNoLicense",
        "no valid licence could be found",
    ),
    Documented(
        259,
        "exDiscReasonLicenseErrClientMsg",
        "the server received a licensing message that is not valid",
    ),
    Documented(
        260,
        "exDiscReasonLicenseHwidDoesntMatchLicense",
        "the licence is another computer's",
    ),
    Documented(
        261,
        "exDiscReasonLicenseErrClientLicense",
        "the client's licence is not valid",
    ),
    Documented(
        262,
        "exDiscReasonLicenseCantFinishProtocol",
        "the network broke while the licence was negotiated",
    ),
    Documented(
        263,
        "exDiscReasonLicenseClientEndedProtocol",
        "the client gave up negotiating the licence",
    ),
    Documented(
        264,
        "exDiscReasonLicenseErrClientEncryption",
        "a licensing message was not encrypted as it should be",
    ),
    Documented(
        265,
        "exDiscReasonLicenseCantUpgradeLicense",
        "the client's licence could not be renewed",
    ),
    Documented(
        266,
        "exDiscReasonLicenseNoRemoteConnections",
        "the server has no licence for remote connections",
    ),
    Documented(
        267,
        "exDiscReasonLicenseCreatingLicStoreAccDenied",
        "the client may not write its licence store",
    ),
    Documented(
        768,
        "exDiscReasonRdpEncInvalidCredentials",
        "the credentials were not valid",
    ),
];

pub(super) const NEGOTIATION: &[Documented] = &[
    Documented(
        1,
        "SSL_REQUIRED_BY_SERVER",
        "the server asks for TLS, and the client did not offer it",
    ),
    Documented(
        2,
        "SSL_NOT_ALLOWED_BY_SERVER",
        "the server is set to RDP's own security and refuses TLS",
    ),
    Documented(
        3,
        "SSL_CERT_NOT_ON_SERVER",
        "the server has no usable certificate for TLS",
    ),
    Documented(
        4,
        "INCONSISTENT_FLAGS",
        "the protocols that the client asked for contradict what was agreed before",
    ),
    Documented(
        5,
        "HYBRID_REQUIRED_BY_SERVER",
        "the server asks for network level authentication, which the client did not offer",
    ),
    Documented(
        6,
        "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        "the server asks for TLS with a certificate of the client",
    ),
];
