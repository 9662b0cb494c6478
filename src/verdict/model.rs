//! The report: everything that is said of one host, in the stable shape that the JSON has (additions only). Plain data; every
//! list is in an order that only the evidence decides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the shape below.
pub const SCHEMA_VERSION: u32 = 1;

/// What one run says: one report for each host, the most serious first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Output")]
pub struct Output<Reports = Vec<Report>> {
    /// The version of this shape; 1.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// One for each host found in the input.
    pub reports: Reports,
}

/// What is said of one collection of many: a line of `--paths-from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CollectionOutput")]
pub struct CollectionOutput<Reports = Vec<Report>> {
    /// The path that it was given by.
    pub path: String,
    /// Why nothing could be read of it; left out where something could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is said of its hosts; none where nothing could be read.
    #[serde(flatten)]
    pub output: Output<Reports>,
}

/// What `negotiate` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NegotiationOutput {
    /// The version of this shape; 1.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// What TLS would come to.
    pub negotiation: Negotiation,
    /// What could not be read of the collections; left out where all could.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// The program that wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `rdptriage`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Everything that is said of one host. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The machine.
    pub host: Host,
    /// How its files are laid out.
    #[serde(default)]
    pub layout: CollectionLayout,
    /// Why Remote Desktop is broken, or that it is not, or that the evidence does not tell.
    pub verdict: Verdict,
    /// One for every rule.
    pub findings: Vec<Finding>,
    /// What the evidence says.
    pub facts: Vec<FactEntry>,
    /// What changed before the first failure.
    pub changes: Vec<Change>,
    /// What happened, in order.
    pub timeline: Vec<TimelineEntry>,
    /// How each client's connections fared.
    pub connections: Vec<Connection>,
    /// What the server offers in TLS and who can connect with it.
    pub negotiation: Negotiation,
    /// Every file, and what was read from it.
    pub artifacts: Vec<ArtifactEntry>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What could not be checked.
    pub gaps: Vec<GapEntry>,
}

/// How a collection is laid out, which tells what it can hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CollectionLayout {
    /// `rdptriage-collect`, `folder`, `disk`, `drive-tree`, `inspect-iaas-disk`, `kape`, `cylr`, `velociraptor`, `tss`, `msrd-collect` or `pssdp`.
    pub name: String,
    /// Its name for people; null for a folder without the marks of a collector.
    pub title: Option<String>,
    /// What it never holds, by the kinds that gaps have.
    pub never_holds: Vec<String>,
    /// What the script of `rdptriage collect` tried and could not collect.
    pub refused: Vec<Refused>,
}

/// Something that could not be collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// What, by the kinds that gaps have.
    pub what: String,
    /// What Windows said.
    pub why: String,
}

/// The machine that a report speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its name, or null where nothing names it.
    pub name: Option<String>,
    /// Older or longer names of it.
    pub aliases: Vec<String>,
    /// The domain it is joined to.
    pub domain: Option<String>,
    /// The product, as Windows names itself.
    pub product: Option<String>,
    /// The build, such as `17763`.
    pub build: Option<u32>,
    /// The end of the collection: its newest record or hive write.
    pub as_of: Option<String>,
    /// The machine's time zone.
    pub time_zone: Option<String>,
    /// The times of the oldest and the newest record or hive write.
    pub collected: Option<[String; 2]>,
}

/// How sure a verdict is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The evidence proves it.
    Confirmed,
    /// The evidence speaks for it and nothing against it.
    Likely,
    /// Something speaks for it.
    Possible,
    /// Remote Desktop fails, or may fail, and the evidence does not tell why.
    Inconclusive,
    /// No fault, and the collection covers enough to say so.
    Healthy,
}

/// Why Remote Desktop is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// How sure it is.
    pub status: Status,
    /// The rule that names the cause; null for inconclusive and healthy.
    pub cause: Option<String>,
    /// The cause's family.
    pub family: Option<String>,
    /// One line.
    pub title: String,
    /// A few sentences, with this machine's own values.
    pub summary: String,
    /// What the cause explains.
    pub consequences: Vec<String>,
    /// Causes that stand beside it, independent of it.
    pub also: Vec<String>,
    /// What makes it worse, or is a fault of another kind.
    pub contributing: Vec<String>,
    /// Faults that do no harm yet.
    pub latent: Vec<String>,
    /// Kinds of the verdict that the evidence cannot tell apart.
    pub candidates: Vec<String>,
    /// The last time that somebody who counts got in.
    pub last_success: Option<String>,
    /// The first failed attempt after that.
    pub first_failure: Option<String>,
    /// How connections fare: succeeding, mixed, dropping, failing, silent or unseen.
    pub state: String,
    /// The client's code and what it says, where the user gave one. It never decides.
    pub client_error: Option<ClientError>,
    /// Popular advice that would do harm here.
    pub refuse: Vec<Refusal>,
}

/// A client's code, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientError {
    /// As the user gave it.
    pub code: String,
    /// What it says, and what it does not.
    pub meaning: String,
}

/// Popular advice that fits the symptoms and would do harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The advice.
    pub advice: String,
    /// Why not.
    pub why: String,
    /// What to do instead.
    pub instead: String,
}

/// How sure a rule is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The evidence speaks against it.
    RuledOut,
    /// The evidence leaves it open.
    Undetermined,
    /// Something speaks for it.
    Possible,
    /// The evidence speaks for it.
    Likely,
    /// The evidence proves it.
    Confirmed,
}

/// What part a finding plays in the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It is the verdict.
    RootCause,
    /// A second cause, independent of the first.
    Also,
    /// Explained by the verdict.
    Consequence,
    /// Makes it worse; never the verdict.
    Contributing,
    /// A fault that does no harm yet.
    Latent,
    /// One of several kinds that the evidence cannot tell apart.
    Candidate,
    /// None.
    None,
}

/// What one rule came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id.
    pub cause: String,
    /// Its family.
    pub family: String,
    /// One line that names the fault.
    pub title: String,
    /// How sure.
    pub level: Level,
    /// Its part in the verdict.
    pub role: Role,
    /// When a latent fault will do harm, where that can be told.
    pub strikes: Option<String>,
    /// Its tests.
    pub tests: Vec<TestEntry>,
    /// Its repair, least harmful first.
    pub fixes: Vec<Fix>,
}

/// What a test is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TestRole {
    /// All of these must be true.
    Require,
    /// One of these proves it.
    Decisive,
    /// These speak for it.
    Support,
    /// One of these refutes it.
    Exclude,
}

/// True, false, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TruthValue {
    /// The facts say so.
    True,
    /// The facts say otherwise, or their absence is proved.
    False,
    /// Open.
    Unknown,
}

/// What one test of a rule came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestEntry {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub role: TestRole,
    /// What it came to.
    pub truth: TruthValue,
    /// The facts that make it so.
    pub evidence: Vec<String>,
    /// The gaps that leave it open.
    pub gaps: Vec<String>,
}

/// One step of a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What it does.
    pub step: String,
    /// The command, with this machine's own values.
    pub run: Option<String>,
    /// How risky it is, and why.
    pub risk: Option<String>,
    /// How to undo it.
    pub rollback: Option<String>,
    /// How to see that it worked.
    pub verify: Option<String>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FactEntry {
    /// Its name in this report.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// When it happened or took effect.
    pub time: Option<String>,
    /// Its fields; null where it is known to have none, `{"gap": id}` where that is not known.
    pub fields: serde_json::Map<String, serde_json::Value>,
    /// Where it stands.
    pub sources: Vec<SourceEntry>,
}

/// Where a fact stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SourceEntry {
    /// The file, relative to the input.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact: Option<String>,
    /// The event record's number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record: Option<u64>,
    /// Where that record begins in the file, in bytes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offset: Option<u64>,
    /// The registry key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
    /// The registry value's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    /// When the key was last written.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub written: Option<String>,
    /// The certificate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thumbprint: Option<String>,
    /// The line of a text, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// The option of the command line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub option: Option<String>,
    /// The facts it was computed from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub facts: Option<Vec<String>>,
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// When.
    pub time: String,
    /// What.
    pub what: String,
    /// What it was, where that is known.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
    /// The fact that says so.
    pub evidence: Vec<String>,
    /// Whether it lies between the last success and the first failure.
    pub in_bracket: bool,
    /// Whether it takes effect only at a restart that has not been yet.
    pub pending_restart: bool,
}

impl Change {
    /// Whether it may have to do with the failure: it lies between the last success and the first failure, or waits for a restart,
    /// whenever it was made.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        self.in_bracket || self.pending_restart
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When.
    pub time: String,
    /// The kind of fact.
    pub kind: String,
    /// One line.
    pub title: String,
    /// The facts.
    pub evidence: Vec<String>,
}

/// How one client's connections fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// Its address, or `unknown`.
    pub client: String,
    /// Whether it does not count: it never got in, and others did.
    pub stranger: bool,
    /// How often it tried.
    pub attempts: u64,
    /// When first.
    pub first: Option<String>,
    /// When last.
    pub last: Option<String>,
    /// How many attempts reached each stage, and no further.
    pub reached: std::collections::BTreeMap<String, u64>,
    /// In, locked-out or undecided.
    pub state: String,
}

/// What TLS would come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Negotiation {
    /// What the server offers; null without a SYSTEM hive.
    pub server: Option<ServerOffer>,
    /// Who can connect with it.
    pub clients: Vec<ClientNegotiation>,
}

/// What the server offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerOffer {
    /// The versions, such as `TLS 1.2`, with `on`, `off` or `uncertain` and why.
    pub versions: Vec<VersionEntry>,
    /// Every suite of its list, in its order.
    pub suites: Vec<SuiteEntry>,
    /// The named groups, in its order.
    pub groups: Vec<String>,
    /// The Windows version whose defaults it was judged by; null where the build is not known.
    pub windows: Option<String>,
    /// The certificate's key, such as `RSA 2048`; null where it is not known.
    pub certificate: Option<String>,
    /// Where the list of suites comes from: `policy`, `local`, `build-default` or `unknown`.
    pub list: String,
    /// The values that were found, each with its place.
    pub settings: Vec<SettingEntry>,
    /// Settings that do not do what they look like.
    pub residue: Vec<String>,
    /// What the offer takes for granted because the collection does not hold it.
    pub assumptions: Vec<String>,
}

/// A value in the registry that bears on TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingEntry {
    /// The file.
    pub artifact: String,
    /// The key, from the hive's root.
    pub key: String,
    /// The value's name.
    pub name: String,
    /// What it holds.
    pub value: String,
    /// When the key was last written.
    pub written: Option<String>,
    /// Whether it was written after the last start of what reads it, and waits for the next; null where that start is not known.
    pub waits: Option<bool>,
    /// What it waits for: `boot`, `service start`; null for what is read at once.
    pub read_at: Option<String>,
}

/// One version of TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionEntry {
    /// Such as `TLS 1.2`.
    pub version: String,
    /// `on`, `off` or `uncertain`.
    pub state: String,
    /// Why.
    pub reason: String,
}

/// One cipher suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteEntry {
    /// Its name, as the list has it.
    pub name: String,
    /// `offered`, `uncertain`, or what keeps it from being used.
    pub standing: String,
    /// Why.
    pub reason: String,
}

/// How the message of a problem begins that is no damage: what was logged contradicts what the settings come to.
pub const CONTRADICTS: &str = "contradicts the settings: ";

/// What stands in a reason before what it takes for granted.
pub const ASSUMING: &str = "; holds only if ";

/// What one client and the server come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientNegotiation {
    /// The client's profile.
    pub profile: String,
    /// `agreed`, `none` or `uncertain`.
    pub outcome: String,
    /// Such as `TLS 1.2`.
    pub version: Option<String>,
    /// The suite, without a curve.
    pub suite: Option<String>,
    /// Why.
    pub reason: String,
    /// What it is, for people.
    pub title: String,
    /// Whether it is one of the clients in common use, or the one that was asked about.
    pub common: bool,
    /// The named group of the key exchange, such as `NistP256`.
    pub group: Option<String>,
    /// The server's signature, such as `rsa_pss_rsae_sha256`.
    pub signature: Option<String>,
    /// Where nothing is agreed, the first stage that leaves nothing: `version`, `suite`, `group` or `signature`.
    pub obstacle: Option<String>,
    /// What else stands in the way, behind the first obstacle.
    pub also: Vec<String>,
    /// The questions that public sources or the collection leave open and that this rests on.
    pub open: Vec<String>,
}

/// One file of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactEntry {
    /// Its path, relative to the input.
    pub path: String,
    /// What it is, by content.
    pub kind: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, or null with `--no-hash`.
    pub sha256: Option<String>,
    /// How many records it holds, for logs.
    pub records: Option<u64>,
    /// The time of its oldest record.
    pub first: Option<String>,
    /// The time of its newest record or write.
    pub last: Option<String>,
    /// How much of it is there: `whole`, `holed`, `presence-only`, `stale`, `not used` ...
    pub coverage: String,
    /// What was wrong with it.
    pub problems: Vec<String>,
    /// Stretches of time of which a log says nothing although it reaches beyond them; only the longest where there are many.
    #[serde(default)]
    pub gaps: Vec<Silence>,
}

/// A stretch of time of which a log says nothing: records that were left out, lost or destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// The time of the record before it; null where it stands at the beginning.
    pub after: Option<String>,
    /// The time of the record behind it; null where it stands at the end.
    pub before: Option<String>,
    /// Why.
    pub what: String,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The file, or null for the collection as a whole.
    pub artifact: Option<String>,
    /// Where in it.
    pub at: Option<String>,
    /// What, and what it hides.
    pub message: String,
}

/// Something that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapEntry {
    /// Its name in this report.
    pub id: String,
    /// The fact kind or the artifact it is about.
    pub kind: String,
    /// Why it could not be checked.
    pub why: String,
    /// What would settle it.
    pub obtain: String,
}
