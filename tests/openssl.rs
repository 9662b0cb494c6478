//! The model against a real TLS stack: pairs of a server and a client, chosen at random with a fixed seed, shake hands by
//! `openssl s_server` and `openssl s_client` on the loopback, and must agree on what the model says.
//!
//! Without the openssl command the test is skipped with a line that says so; where the environment has
//! `RDPTRIAGE_OPENSSL=required`, that is a failure.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rdptriage::tls::{
    CertificateKind, Client, Generation, Group, Outcome, ProtocolValues, PublicKey, Role,
    SchannelSettings, ServerOffer, Setting, State, Suite, Version, negotiate,
};

const SERVERS: usize = 48;
const CLIENTS_EACH: usize = 8;
const GROUPS: [(&str, &str, Group); 3] = [
    ("X25519", "curve25519", Group::X25519),
    ("P-256", "NistP256", Group::Secp256r1),
    ("P-384", "NistP384", Group::Secp384r1),
];
/// Newest last, as ranges of versions are cut from it.
const VERSIONS: [(Version, &str, &str); 4] = [
    (Version::Tls10, "-no_tls1", "TLSv1"),
    (Version::Tls11, "-no_tls1_1", "TLSv1.1"),
    (Version::Tls12, "-no_tls1_2", "TLSv1.2"),
    (Version::Tls13, "-no_tls1_3", "TLSv1.3"),
];

/// SplitMix64 (Steele, Lea and Flood, 2014): a fixed seed gives the same pairs everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    /// From one to `most` of these, in random order.
    fn some_of<T: Clone>(&mut self, from: &[T], most: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let count = 1 + self.below(most.min(left.len()));
        (0..count)
            .map(|_| left.remove(self.below(left.len())))
            .collect()
    }
}

/// One side of a pair.
struct Setup {
    versions: Vec<Version>,
    older_suites: Vec<String>,
    tls13_suites: Vec<String>,
    groups: Vec<usize>,
}

impl Setup {
    fn choose(random: &mut Random, suites: &BTreeMap<String, String>) -> Setup {
        // TLS 1.2 is the newest version for most, as only there a whole list of suites counts.
        let last = [0, 1, 2, 2, 2, 2, 2, 3, 3][random.below(9)];
        let first = [0, 0, random.below(last + 1)][random.below(3)];
        let (tls13, older): (Vec<String>, Vec<String>) = suites
            .keys()
            .cloned()
            .partition(|name| !name.contains("_WITH_"));
        Setup {
            versions: VERSIONS[first..=last]
                .iter()
                .map(|(version, ..)| *version)
                .collect(),
            older_suites: random.some_of(&older, 24),
            tls13_suites: random.some_of(&tls13, 3),
            groups: random.some_of(&[0, 1, 2], 3),
        }
    }

    /// The suites that count: TLS 1.3 ones where TLS 1.3 is on, older ones where an older version is.
    fn suites(&self) -> Vec<String> {
        let newest = self.versions.contains(&Version::Tls13);
        let older = self
            .versions
            .iter()
            .any(|version| *version < Version::Tls13);
        let tls13 = self.tls13_suites.iter().filter(|_| newest);
        tls13
            .chain(self.older_suites.iter().filter(|_| older))
            .cloned()
            .collect()
    }

    fn arguments(&self, command: &mut Command, suites: &BTreeMap<String, String>) {
        let named: Vec<&str> = self
            .older_suites
            .iter()
            .map(|name| suites[name].as_str())
            .collect();
        command
            .arg("-cipher")
            .arg(format!("{}:@SECLEVEL=0", named.join(":")));
        command
            .arg("-ciphersuites")
            .arg(self.tls13_suites.join(":"));
        let groups: Vec<&str> = self.groups.iter().map(|index| GROUPS[*index].0).collect();
        command.arg("-groups").arg(groups.join(":"));
        for (version, switch_off, _) in VERSIONS {
            if !self.versions.contains(&version) {
                command.arg(switch_off);
            }
        }
    }

    fn offer(&self, all: &BTreeMap<String, String>, key: PublicKey) -> ServerOffer {
        let values = |version: &Version| {
            if self.versions.contains(version) {
                ProtocolValues::on()
            } else {
                ProtocolValues::off()
            }
        };
        let protocols = VERSIONS
            .iter()
            .map(|(version, ..)| ((*version, Role::Server), values(version)))
            .collect();
        let curves = self
            .groups
            .iter()
            .map(|index| GROUPS[*index].1.to_owned())
            .collect();
        let settings = SchannelSettings {
            protocols: Setting::Present(protocols),
            provider_suites: Setting::Present(all.keys().cloned().collect()),
            local_suites: Setting::Present(self.suites()),
            local_curves: Setting::Present(curves),
            ..SchannelSettings::default()
        };
        let certificate = CertificateKind {
            key,
            ..CertificateKind::remote_desktop_default()
        };
        ServerOffer::evaluate(
            &settings,
            Generation::by_id("11-22h2").map(Into::into),
            Some(certificate),
        )
    }

    fn client(&self) -> Client {
        let mut client =
            Client::by_id("freerdp-seclevel0").expect("the profile of OpenSSL at level 0");
        client.versions = self
            .versions
            .iter()
            .rev()
            .map(|version| (*version, State::On))
            .collect();
        let suites = self.suites();
        client.suites = suites
            .iter()
            .filter_map(|name| Suite::parse(name))
            .map(|suite| (suite, State::On))
            .collect();
        client.groups = self
            .groups
            .iter()
            .map(|index| (GROUPS[*index].2.clone(), State::On))
            .collect();
        client
    }
}

fn openssl() -> Command {
    let mut command = Command::new("openssl");
    // The system's configuration may raise the lowest version or the security level.
    command.env(
        "OPENSSL_CONF",
        if cfg!(windows) { "NUL" } else { "/dev/null" },
    );
    command.stdin(Stdio::null());
    command
}

/// The suites that OpenSSL and the model both know, with OpenSSL's names; none without openssl.
fn suites() -> Option<BTreeMap<String, String>> {
    let output = openssl()
        .args(["ciphers", "-stdname", "ALL:@SECLEVEL=0"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pair = |line: &str| -> Option<(String, String)> {
        let (name, rest) = line.split_once(" - ")?;
        let suite = Suite::parse(name.trim()).filter(|suite| !suite.is_only_on_request())?;
        Some((
            suite.name().to_owned(),
            rest.split_whitespace().next()?.to_owned(),
        ))
    };
    output
        .status
        .success()
        .then(|| text.lines().filter_map(pair).collect())
}

fn make_certificate(folder: &Path, name: &str, key: &[&str]) {
    let output = openssl()
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=rdptriage test",
            "-newkey",
        ])
        .args(key)
        .args([
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.pem"),
            "-config",
        ])
        .arg(folder.join("request.cnf"))
        .output()
        .expect("openssl req runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A running `openssl s_server`, stopped when dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(
        folder: &Path,
        certificate: &str,
        setup: &Setup,
        suites: &BTreeMap<String, String>,
    ) -> Server {
        let mut command = openssl();
        command
            .current_dir(folder)
            .args(["s_server", "-accept", "127.0.0.1:0", "-serverpref"]);
        command.args([
            "-cert",
            &format!("{certificate}.pem"),
            "-key",
            &format!("{certificate}.key"),
        ]);
        setup.arguments(&mut command, suites);
        // It ends when its standard input does, so that stays open.
        let pipes = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = pipes.spawn().expect("openssl s_server starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            address: address.expect("s_server says where it listens"),
            process,
        }
    }

    /// The version and suite of a handshake; none where it fails.
    fn handshake(
        &self,
        setup: &Setup,
        suites: &BTreeMap<String, String>,
    ) -> Option<(Version, String)> {
        let mut command = openssl();
        command.args(["s_client", "-brief", "-connect", &self.address]);
        setup.arguments(&mut command, suites);
        let output = command.output().expect("openssl s_client runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let value = |label: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(label))
                .map(str::trim)
        };
        let (version, suite) = (value("Protocol version:")?, value("Ciphersuite:")?);
        let version = VERSIONS
            .iter()
            .find(|(_, _, name)| *name == version)
            .map(|(version, ..)| *version)?;
        let suite = suites
            .iter()
            .find(|(_, name)| *name == suite)
            .map(|(name, _)| name.clone())?;
        Some((version, suite))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_model_and_openssl_agree() {
    let Some(suites) = suites() else {
        let required =
            std::env::var_os("RDPTRIAGE_OPENSSL").is_some_and(|value| value == "required");
        assert!(
            !required,
            "the openssl command is required here and is missing"
        );
        println!("skipped: the openssl command is not there to shake hands with");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(
        folder.path().join("request.cnf"),
        "[req]\ndistinguished_name = name\n[name]\n",
    )
    .expect("written");
    make_certificate(folder.path(), "rsa", &["rsa:2048"]);
    make_certificate(
        folder.path(),
        "ec",
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    );

    let mut random = Random(0x5c4a_11e1);
    let (mut agreed, mut failed, mut wrong) = (BTreeMap::<Version, usize>::new(), 0, Vec::new());
    for _ in 0..SERVERS {
        let mut setup = Setup::choose(&mut random, &suites);
        let (certificate, key) = match random.below(3) {
            0 => (
                "ec",
                PublicKey::Ec {
                    curve: Some(Group::Secp256r1),
                },
            ),
            _ => ("rsa", PublicKey::Rsa { bits: 2048 }),
        };
        // Unlike Schannel as we model it, OpenSSL does not ask its own list for the curve of its certificate.
        if certificate == "ec" && !setup.groups.contains(&1) {
            setup.groups.push(1);
        }
        let offer = setup.offer(&suites, key);
        let server = Server::start(folder.path(), certificate, &setup, &suites);
        for _ in 0..CLIENTS_EACH {
            let client = Setup::choose(&mut random, &suites);
            let model = match negotiate(&offer, &client.client()).outcome {
                Outcome::Agreed {
                    agreement,
                    otherwise,
                    ..
                } if otherwise.is_empty() => Some((agreement.version, agreement.suite)),
                Outcome::None { .. } => None,
                open => panic!("nothing is uncertain here: {open:?}"),
            };
            let real = server.handshake(&client, &suites);
            match &real {
                Some((version, _)) => *agreed.entry(*version).or_default() += 1,
                None => failed += 1,
            }
            if model != real {
                let side = |setup: &Setup| {
                    format!(
                        "{:?} {:?} {:?}",
                        setup.versions,
                        setup.suites(),
                        setup.groups
                    )
                };
                wrong.push(format!(
                    "{certificate} server {}\n  client {}\n  model {model:?}\n  real {real:?}",
                    side(&setup),
                    side(&client)
                ));
            }
        }
    }
    println!("{agreed:?} agreed, {failed} failed");
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        SERVERS * CLIENTS_EACH,
        wrong.join("\n")
    );
    assert!(agreed.values().sum::<usize>() > 150 && agreed.len() == VERSIONS.len() && failed > 50);
}
