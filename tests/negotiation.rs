//! What servers and clients agree on, in cases that are known from the field or follow from Microsoft's pages.

#[path = "support/properties.rs"]
mod properties;

use std::collections::BTreeMap;

use proptest::prelude::*;
use rdptriage::tls::{
    Agreement, CertificateKind, Client, Doubt, Failure, Generation, Group, Issuer, KeyCapability,
    ListFault, ListVerdict, Negotiation, Obstacle, Outcome, PolicyList, ProtocolValues, PublicKey,
    Role, SchannelSettings, ServerOffer, Setting, Settled, SignatureScheme, Standing, Version,
    negotiate,
};

fn server_with(id: &str, settings: &SchannelSettings, certificate: CertificateKind) -> ServerOffer {
    let generation = Generation::by_id(id).unwrap_or_else(|| panic!("no Windows {id}"));
    ServerOffer::evaluate(settings, Some(generation.into()), Some(certificate))
}

fn server(id: &str, settings: &SchannelSettings) -> ServerOffer {
    server_with(id, settings, CertificateKind::remote_desktop_default())
}

fn default_server(id: &str) -> ServerOffer {
    ServerOffer::windows(Generation::by_id(id).unwrap_or_else(|| panic!("no Windows {id}")))
}

fn with(server: &ServerOffer, client: &str) -> Negotiation {
    negotiate(
        server,
        &Client::by_id(client).unwrap_or_else(|| panic!("no client {client}")),
    )
}

fn agreed(server: &ServerOffer, client: &str) -> Agreement {
    match with(server, client).outcome {
        Outcome::Agreed { agreement, .. } => agreement,
        other => panic!("{client}: {other:?}"),
    }
}

fn failure(server: &ServerOffer, client: &str) -> Failure {
    match with(server, client).outcome {
        Outcome::None { failure, .. } => failure,
        other => panic!("{client}: {other:?}"),
    }
}

fn policy(names: &[&str]) -> SchannelSettings {
    let policy_suites = Setting::Present(PolicyList::Text(names.join(",")));
    SchannelSettings {
        policy_suites,
        ..SchannelSettings::default()
    }
}

fn protocols(values: &[(Version, ProtocolValues)]) -> SchannelSettings {
    let protocols = values
        .iter()
        .map(|(version, values)| ((*version, Role::Server), values.clone()))
        .collect();
    SchannelSettings {
        protocols: Setting::Present(protocols),
        ..SchannelSettings::default()
    }
}

fn keys(values: &[(&str, u32)]) -> Setting<BTreeMap<String, Setting<u32>>> {
    Setting::Present(
        values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Setting::Present(*value)))
            .collect(),
    )
}

fn ec_certificate() -> CertificateKind {
    CertificateKind {
        key: PublicKey::Ec {
            curve: Some(Group::Secp256r1),
        },
        ..CertificateKind::remote_desktop_default()
    }
}

const GCM_ECDHE_RSA: [&str; 2] = [
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
];
const GCM_ECDHE_ECDSA: [&str; 2] = [
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
];
const GCM_DHE_RSA: [&str; 2] = [
    "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
];

#[test]
fn windows_2012_r2_and_rustls_share_no_suite() {
    let failure = failure(&default_server("8.1-2012r2"), "ironrdp-rustls");
    assert_eq!(failure.obstacle, Obstacle::Suite);
    let only_ecdsa = "that the client has: needs a certificate with an ECDSA key";
    assert!(
        failure.explanation.contains(only_ecdsa),
        "{}",
        failure.explanation
    );
}

#[test]
fn windows_2012_r2_and_freerdp_agree_on_cbc() {
    let agreement = agreed(&default_server("8.1-2012r2"), "freerdp-3.27+");
    assert_eq!(agreement.version, Version::Tls12);
    assert_eq!(agreement.suite, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384");
    assert_eq!(agreement.group, Some(Group::Secp256r1));
}

#[test]
fn windows_2008_r2_and_freerdp_share_no_version() {
    let failure = failure(&default_server("7-2008r2"), "freerdp-3.27+");
    assert_eq!(failure.obstacle, Obstacle::Version);
    assert!(
        failure
            .explanation
            .contains("the server has TLS 1.0, the client TLS 1.2, TLS 1.3")
    );
}

#[test]
fn an_ecdsa_only_list_with_an_rsa_certificate_serves_nobody() {
    let server = server("10-1809-2019", &policy(&GCM_ECDHE_ECDSA));
    for client in Client::all() {
        let Outcome::None { failure, .. } = negotiate(&server, &client).outcome else {
            panic!("{}", client.id)
        };
        assert!(failure.obstacle <= Obstacle::Suite, "{}", client.id);
        let texts = [vec![failure.explanation], failure.also]
            .concat()
            .join("\n");
        let said =
            texts.contains("the policy allows only ECDSA suites; the certificate is RSA 2048");
        assert!(said, "{}: {texts}", client.id);
    }
    let ListVerdict::Unusable { faults } = &server.list_verdict else {
        panic!("{:?}", server.list_verdict)
    };
    assert!(
        matches!(faults.as_slice(), [ListFault::CertificateType { .. }]),
        "{faults:?}"
    );
}

#[test]
fn the_same_list_with_an_ecdsa_certificate_serves() {
    let server = server_with("10-1809-2019", &policy(&GCM_ECDHE_ECDSA), ec_certificate());
    assert_eq!(agreed(&server, "win-10-22h2").suite, GCM_ECDHE_ECDSA[0]);
}

#[test]
fn gcm_with_ecdhe_rsa_is_unknown_to_2012_r2() {
    let server = server("8.1-2012r2", &policy(&GCM_ECDHE_RSA));
    for client in Client::all() {
        assert!(
            matches!(negotiate(&server, &client).outcome, Outcome::None { .. }),
            "{}",
            client.id
        );
    }
    let ListVerdict::Unusable { faults } = &server.list_verdict else {
        panic!("{:?}", server.list_verdict)
    };
    assert_eq!(
        *faults,
        [ListFault::OtherGeneration(
            GCM_ECDHE_RSA.map(str::to_owned).to_vec()
        )]
    );
}

#[test]
fn windows_7_cannot_reach_a_server_with_tls_1_2_alone() {
    let off = ProtocolValues::off;
    let server = server(
        "10-1809-2019",
        &protocols(&[
            (Version::Tls10, off()),
            (Version::Tls11, off()),
            (Version::Tls12, ProtocolValues::on()),
        ]),
    );
    assert_eq!(failure(&server, "win-7-2008r2").obstacle, Obstacle::Version);
}

#[test]
fn windows_7_reaches_2022_by_tls_1_0() {
    let agreement = agreed(&default_server("server-2022"), "win-7-2008r2");
    assert_eq!(agreement.version, Version::Tls10);
    assert_eq!(agreement.suite, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA");
}

#[test]
fn rustls_reaches_2022_by_tls_1_3_if_remote_desktop_does_it_there() {
    let negotiation = with(&default_server("server-2022"), "ironrdp-rustls");
    let Outcome::Agreed {
        agreement,
        otherwise,
        doubts,
    } = negotiation.outcome
    else {
        panic!()
    };
    assert_eq!(
        (agreement.version, agreement.suite.as_str()),
        (Version::Tls13, "TLS_AES_256_GCM_SHA384")
    );
    let otherwise: Vec<Version> = otherwise
        .iter()
        .map(|agreement| agreement.version)
        .collect();
    assert_eq!(otherwise, [Version::Tls12]);
    assert_eq!(
        doubts.into_iter().collect::<Vec<_>>(),
        [Doubt::RemoteDesktopTls13]
    );
}

#[test]
fn windows_11_24h2_reaches_2025_by_tls_1_3() {
    let negotiation = with(&default_server("server-2025"), "win-11-24h2");
    let Outcome::Agreed {
        agreement,
        otherwise,
        doubts,
    } = negotiation.outcome
    else {
        panic!()
    };
    assert_eq!(
        (agreement.version, agreement.group),
        (Version::Tls13, Some(Group::X25519))
    );
    assert!(otherwise.is_empty() && doubts.is_empty());
}

#[test]
fn without_tls_1_2_and_sha_2016_has_nothing_for_todays_clients() {
    let mut settings = protocols(&[(Version::Tls12, ProtocolValues::off())]);
    settings.hashes = keys(&[("SHA", 0)]);
    let server = server("10-1607-2016", &settings);
    let mut clients = Client::mainstream();
    clients.extend(
        ["freerdp-3.27+", "freerdp-2.11-3.26", "ironrdp-rustls"]
            .map(|id| Client::by_id(id).unwrap()),
    );
    for client in clients {
        let outcome = negotiate(&server, &client).outcome;
        assert!(
            matches!(outcome, Outcome::None { .. }),
            "{}: {outcome:?}",
            client.id
        );
    }
}

#[test]
fn without_any_diffie_hellman_2019_has_nothing_for_rustls() {
    let key_exchanges = keys(&[("ECDH", 0), ("Diffie-Hellman", 0)]);
    let settings = SchannelSettings {
        key_exchanges,
        ..SchannelSettings::default()
    };
    let server = server("10-1809-2019", &settings);
    let failure = failure(&server, "ironrdp-rustls");
    assert_eq!(failure.obstacle, Obstacle::Suite);
    assert!(
        failure.explanation.contains("KeyExchangeAlgorithms\\ECDH"),
        "{}",
        failure.explanation
    );
    assert_eq!(
        agreed(&server, "freerdp-3.27+").suite,
        "TLS_RSA_WITH_AES_256_GCM_SHA384"
    );
}

#[test]
fn dhe_rsa_gcm_alone_is_not_enough_for_windows_11_22h2() {
    let server = server("server-2022", &policy(&GCM_DHE_RSA));
    assert_eq!(failure(&server, "win-11-22h2").obstacle, Obstacle::Suite);
    assert_eq!(agreed(&server, "win-10-1809-2019").suite, GCM_DHE_RSA[0]);
}

#[test]
fn a_policy_with_suffixes_leaves_2016_uncertain_of_its_ecdhe_and_sure_of_rsa() {
    let server = server(
        "10-1607-2016",
        &policy(&[
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256",
            "TLS_RSA_WITH_AES_256_CBC_SHA256",
        ]),
    );
    let Outcome::Agreed {
        agreement,
        otherwise,
        doubts,
    } = with(&server, "win-10-22h2").outcome
    else {
        panic!()
    };
    assert_eq!(agreement.suite, "TLS_RSA_WITH_AES_256_CBC_SHA256");
    assert_eq!(otherwise.len(), 1);
    assert!(doubts.contains(&Doubt::SuffixedName));
    let Outcome::Uncertain { doubts, .. } = with(&server, "ironrdp-rustls").outcome else {
        assert_eq!(failure(&server, "ironrdp-rustls").obstacle, Obstacle::Suite);
        return;
    };
    panic!("rustls has no CBC suite: {doubts:?}");
}

#[test]
fn names_with_suffixes_alone_leave_a_policy_uncertain() {
    let server = server(
        "10-1607-2016",
        &policy(&["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256"]),
    );
    assert!(matches!(server.list_verdict, ListVerdict::Uncertain { .. }));
    let Outcome::Uncertain { doubts, likely } = with(&server, "win-10-22h2").outcome else {
        panic!()
    };
    assert_eq!(
        doubts.into_iter().collect::<Vec<_>>(),
        [Doubt::SuffixedName]
    );
    assert!(matches!(likely, Some(Err(_))));
}

#[test]
fn disputed_defaults_never_decide_alone() {
    let tls_1_0_only: Vec<(Version, ProtocolValues)> = vec![
        (Version::Tls12, ProtocolValues::off()),
        (Version::Tls13, ProtocolValues::off()),
    ];
    let server = server("server-2025", &protocols(&tls_1_0_only));
    assert!(matches!(server.all_versions_off(), Settled::Open(_)));
    let Outcome::Uncertain { doubts, .. } = with(&server, "win-10-22h2").outcome else {
        panic!()
    };
    assert_eq!(
        doubts.into_iter().collect::<Vec<_>>(),
        [Doubt::LegacyVersionsByDefault]
    );
}

#[test]
fn enabled_1_in_algorithm_keys_is_a_suspect() {
    let settings = SchannelSettings {
        ciphers: keys(&[("AES 128/128", 1), ("AES 256/256", 1)]),
        hashes: keys(&[("SHA", 1), ("SHA256", 1), ("SHA384", 1), ("SHA512", 1)]),
        key_exchanges: keys(&[("PKCS", 1), ("ECDH", 1), ("Diffie-Hellman", 1)]),
        ..SchannelSettings::default()
    };
    let server = server("10-1809-2019", &settings);
    let negotiation = with(&server, "win-10-22h2");
    assert!(
        matches!(&negotiation.outcome, Outcome::Uncertain { doubts, .. }
        if doubts.contains(&Doubt::AlgorithmEnabledValue))
    );
    assert!(matches!(
        negotiation.fails_at(Obstacle::Suite),
        Settled::Open(_)
    ));
    assert!(matches!(
        server.algorithms_leave_nothing(),
        Settled::Open(_)
    ));
}

#[test]
fn switched_off_algorithms_are_told_from_a_bad_list() {
    let ciphers = keys(&[
        ("AES 128/128", 0),
        ("AES 256/256", 0),
        ("Triple DES 168", 0),
    ]);
    let server = server(
        "10-1809-2019",
        &SchannelSettings {
            ciphers,
            ..SchannelSettings::default()
        },
    );
    assert_eq!(server.algorithms_leave_nothing(), Settled::Yes);
    assert!(matches!(server.list_verdict, ListVerdict::Usable { .. }));
    assert_eq!(failure(&server, "win-11-24h2").obstacle, Obstacle::Suite);
}

#[test]
fn pkcs_off_ends_key_transport_and_leaves_rsa_certificates_open() {
    let settings = SchannelSettings {
        key_exchanges: keys(&[("PKCS", 0)]),
        ..SchannelSettings::default()
    };
    let server = server("10-1809-2019", &settings);
    let standing = |name: &str| {
        &server
            .suites
            .iter()
            .find(|standing| standing.name == name)
            .unwrap()
            .standing
    };
    assert!(matches!(
        standing("TLS_RSA_WITH_AES_128_CBC_SHA"),
        Standing::AlgorithmDisabled { .. }
    ));
    assert!(matches!(standing(GCM_ECDHE_RSA[0]), Standing::Uncertain(_)));
    assert!(matches!(
        with(&server, "win-10-22h2").outcome,
        Outcome::Uncertain { .. }
    ));
}

#[test]
fn a_signature_only_key_loses_key_transport() {
    let certificate = CertificateKind {
        capability: KeyCapability::SignOnly,
        ..CertificateKind::remote_desktop_default()
    };
    let server = server_with(
        "10-1809-2019",
        &policy(&["TLS_RSA_WITH_AES_256_GCM_SHA384"]),
        certificate,
    );
    assert_eq!(server.suites[0].standing, Standing::NeedsDecryptKey);
    assert!(matches!(server.list_verdict, ListVerdict::Usable { .. }));
    assert_eq!(failure(&server, "win-10-22h2").obstacle, Obstacle::Suite);
}

#[test]
fn fips_with_nist_curves_and_a_client_of_x25519_share_no_group() {
    let settings = SchannelSettings {
        fips: Setting::Present(1),
        policy_suites: policy(&GCM_ECDHE_RSA).policy_suites,
        ..SchannelSettings::default()
    };
    let mut client = Client::by_id("ironrdp-rustls").unwrap();
    client.groups.retain(|(group, _)| *group == Group::X25519);
    let outcome = negotiate(&server("10-1809-2019", &settings), &client).outcome;
    let Outcome::None { failure, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.obstacle, Obstacle::Group);
}

#[test]
fn a_sha_512_certificate_needs_its_signature_suite_under_tls_1_2() {
    let certificate = CertificateKind {
        signature: SignatureScheme::parse("RSA/SHA512"),
        issuer: Issuer::Other,
        ..CertificateKind::remote_desktop_default()
    };
    let names = ["RSA/SHA256", "RSA/SHA384", "RSA/SHA1", "ECDSA/SHA256"];
    let signature_suites = Setting::Present(names.map(str::to_owned).to_vec());
    let settings = SchannelSettings {
        signature_suites,
        ..SchannelSettings::default()
    };
    let server = server_with("8.1-2012r2", &settings, certificate.clone());
    assert_eq!(
        failure(&server, "win-10-22h2").obstacle,
        Obstacle::Signature
    );
    let self_signed = CertificateKind {
        issuer: Issuer::Itself,
        ..certificate.clone()
    };
    agreed(
        &server_with("8.1-2012r2", &settings, self_signed),
        "win-10-22h2",
    );
    agreed(
        &server_with("10-1607-2016", &SchannelSettings::default(), certificate),
        "win-10-22h2",
    );
}

#[test]
fn openssl_refuses_sha_1_in_the_key_exchange_of_tls_1_0() {
    let ecdhe_first = default_server("7-2008r2");
    assert_eq!(
        failure(&ecdhe_first, "freerdp-2.11-3.26").obstacle,
        Obstacle::Signature
    );
    let local = [
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA_P256",
    ];
    let local_suites = Setting::Present(local.map(str::to_owned).to_vec());
    let rsa_first = server(
        "7-2008r2",
        &SchannelSettings {
            local_suites,
            ..SchannelSettings::default()
        },
    );
    assert_eq!(agreed(&rsa_first, "freerdp-2.11-3.26").suite, local[0]);
}

#[test]
fn a_policy_from_before_tls_1_3_leaves_2022_at_tls_1_2() {
    let server = server("server-2022", &policy(&GCM_ECDHE_RSA));
    assert_eq!(agreed(&server, "win-11-24h2").version, Version::Tls12);
}

#[test]
fn all_versions_off_is_no_fault_of_the_list() {
    let off: Vec<(Version, ProtocolValues)> = Version::REMOTE_DESKTOP
        .map(|version| (version, ProtocolValues::off()))
        .to_vec();
    let server = server("server-2022", &protocols(&off));
    assert_eq!(server.all_versions_off(), Settled::Yes);
    assert!(matches!(server.list_verdict, ListVerdict::Usable { .. }));
    for client in Client::all() {
        let negotiation = negotiate(&server, &client);
        assert_eq!(
            negotiation.fails_at(Obstacle::Version),
            Settled::Yes,
            "{}",
            client.id
        );
    }
}

#[test]
fn what_is_published_nowhere_is_never_certain() {
    for id in [
        "macos-windows-app",
        "ios-windows-app",
        "android-windows-app",
        "web-client",
    ] {
        for windows in Generation::all() {
            let outcome = with(&default_server(&windows.id), id).outcome;
            assert!(
                matches!(outcome, Outcome::Uncertain { likely: None, .. }),
                "{id} and {}",
                windows.id
            );
        }
    }
}

#[test]
fn an_unknown_policy_is_an_assumption_and_an_unread_system_a_doubt() {
    let mut settings = SchannelSettings::default();
    settings.leave_out_software("SOFTWARE was not collected");
    let server = server("10-1809-2019", &settings);
    assert!(!server.policy_is_known());
    agreed(&server, "win-10-22h2");
    settings.leave_out_system("SYSTEM was not collected");
    let generation = Generation::by_id("10-1809-2019").map(Into::into);
    let server = ServerOffer::evaluate(
        &settings,
        generation,
        Some(CertificateKind::remote_desktop_default()),
    );
    assert!(matches!(
        with(&server, "win-10-22h2").outcome,
        Outcome::Uncertain { .. }
    ));
}

#[test]
fn without_build_and_lists_nothing_is_said() {
    let certificate = || Some(CertificateKind::remote_desktop_default());
    let server = ServerOffer::evaluate(&SchannelSettings::default(), None, certificate());
    assert_eq!(server.list_verdict, ListVerdict::NoList);
    assert!(matches!(
        with(&server, "win-10-22h2").outcome,
        Outcome::Uncertain { .. }
    ));
}

#[test]
fn without_the_certificate_its_type_is_open() {
    let generation = Generation::by_id("10-1809-2019").map(Into::into);
    let ecdsa_only = ServerOffer::evaluate(&policy(&GCM_ECDHE_ECDSA), generation, None);
    let Outcome::Uncertain { doubts, .. } = with(&ecdsa_only, "win-10-22h2").outcome else {
        panic!()
    };
    assert!(
        doubts
            .iter()
            .any(|doubt| matches!(doubt, Doubt::CertificateKey(_))),
        "{doubts:?}"
    );
    assert!(matches!(
        ecdsa_only.list_verdict,
        ListVerdict::Uncertain { .. }
    ));
    let both = ServerOffer::evaluate(&SchannelSettings::default(), generation, None);
    assert!(matches!(
        with(&both, "win-10-22h2").outcome,
        Outcome::Agreed { .. }
    ));
}

#[test]
fn every_default_windows_serves_every_mainstream_client_by_some_version() {
    for windows in Generation::all()
        .iter()
        .filter(|windows| windows.builds.0 >= 9200)
    {
        for client in Client::mainstream() {
            let outcome = negotiate(&default_server(&windows.id), &client).outcome;
            assert!(
                matches!(outcome, Outcome::Agreed { .. }),
                "{} and {}: {outcome:?}",
                windows.id,
                client.id
            );
        }
    }
}

#[test]
fn tls_1_3_names_on_windows_10_wait_for_a_protocol_it_has_not() {
    let names = ["TLS_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384"]
        .map(str::to_owned)
        .to_vec();
    let settings = SchannelSettings {
        local_suites: Setting::Present(names),
        ..SchannelSettings::default()
    };
    let server = server("10-1709", &settings);
    assert_eq!(server.suites[0].standing, Standing::NoEnabledVersion);
    assert_eq!(
        server.suites[0].reason,
        "waits for TLS 1.3, which is off (this build does not support it)"
    );
    assert_eq!(server.suites[1].standing, Standing::Offered);
}

#[test]
fn a_list_that_could_not_be_read_is_no_default() {
    let local_suites = Setting::Unknown("the hive is damaged there".into());
    let server = server(
        "10-1809-2019",
        &SchannelSettings {
            local_suites,
            ..SchannelSettings::default()
        },
    );
    let Outcome::Uncertain { doubts, likely } = with(&server, "win-10-22h2").outcome else {
        panic!()
    };
    assert!(
        doubts.iter().all(|doubt| matches!(doubt, Doubt::Unread(_))),
        "{doubts:?}"
    );
    assert!(matches!(likely, Some(Ok(_))));
}

#[test]
fn rustls_refuses_small_rsa_keys_and_windows_10_does_not() {
    let certificate = CertificateKind {
        key: PublicKey::Rsa { bits: 1024 },
        ..CertificateKind::remote_desktop_default()
    };
    let server = server_with("10-1809-2019", &SchannelSettings::default(), certificate);
    assert_eq!(
        failure(&server, "ironrdp-rustls").obstacle,
        Obstacle::Signature
    );
    agreed(&server, "win-10-22h2");
    agreed(&server, "freerdp-3.27+");
}

#[test]
fn a_client_is_judged_by_its_own_settings_in_the_client_role() {
    let protocols = BTreeMap::from([((Version::Tls12, Role::Client), ProtocolValues::off())]);
    let settings = SchannelSettings {
        protocols: Setting::Present(protocols),
        client_rsa_bits: Setting::Present(4096),
        ..SchannelSettings::default()
    };
    let generation = Generation::by_id("10-22h2").map(Into::into);
    let client = Client::from_settings("desk-4", "a desktop", &settings, generation);
    let outcome = negotiate(&default_server("8.1-2012r2"), &client).outcome;
    let Outcome::None { failure, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(failure.obstacle, Obstacle::Signature);
    assert!(
        failure.explanation.contains("from 4096 bits on"),
        "{}",
        failure.explanation
    );
}

proptest! {
    #![proptest_config(properties::cases(200))]

    #[test]
    fn nothing_is_offered_that_is_not_in_the_list_and_registered(
        picks in prop::collection::vec((0_usize..40, "[ A-Za-z_,\u{0}é]{0,4}"), 0..60),
        windows in 0_usize..26,
    ) {
        let windows = &Generation::all()[windows];
        let text: Vec<String> = picks
            .iter()
            .map(|(index, noise)| match windows.default_suites.get(*index) {
                Some(name) if noise.len() < 3 => name.clone(),
                Some(name) => format!("{noise}{name}"),
                None => noise.clone(),
            })
            .collect();
        let policy_suites = Setting::Present(PolicyList::Text(text.join(",")));
        let server = server(&windows.id, &SchannelSettings { policy_suites, ..SchannelSettings::default() });
        for standing in server.suites.iter().filter(|standing| standing.standing == Standing::Offered) {
            prop_assert!(text.join(",").split(',').any(|name| name == standing.name));
            prop_assert!(windows.default_suites.contains(&standing.name));
        }
        for client in Client::mainstream() {
            if let Outcome::Agreed { agreement, .. } = negotiate(&server, &client).outcome {
                prop_assert!(text.iter().any(|name| name.contains(&agreement.suite)));
            }
        }
    }
}
