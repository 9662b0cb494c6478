use super::*;

#[test]
fn the_rule_that_windows_ships_is_read_whole() {
    let rule = FirewallRule::parse(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=3389|App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|",
    )
    .unwrap();
    assert!(rule.active && rule.limits.are_none());
    assert_eq!(
        (rule.action, rule.direction, rule.protocol),
        (Action::Allow, Direction::In, Some(6))
    );
    assert_eq!(rule.covers_port(3389), Some(true));
    assert_eq!(rule.covers_port(33890), Some(false));
    assert!(rule.holds_in(Profile::Domain) && !rule.holds_in(Profile::Public));
    assert_eq!(rule.service.as_deref(), Some("termservice"));
}

#[test]
fn a_rule_without_ports_covers_all_and_ranges_cover_what_they_span() {
    let open = FirewallRule::parse("v2.0|Action=Allow|Active=TRUE|Dir=In|").unwrap();
    assert_eq!(open.covers_port(33890), Some(true));
    let range = FirewallRule::parse(
        "v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort2_10=3000-4000|LPort=RPC|",
    )
    .unwrap();
    assert_eq!(range.covers_port(3389), Some(true));
    assert_eq!(range.covers_port(4001), Some(false));
    let strange =
        FirewallRule::parse("v2.40|Action=Allow|Active=TRUE|Dir=In|LPort=SomethingNew|").unwrap();
    assert_eq!(strange.covers_port(3389), None);
}

#[test]
fn remote_addresses_are_read_in_every_form() {
    let rule = FirewallRule::parse(
        "v2.31|Action=Allow|Active=TRUE|Dir=In|RA4=10.0.0.0/255.0.0.0|RA4=192.168.4.0/24|RA4=172.16.0.9|RA4=1.2.3.4-1.2.3.9|RA4=LocalSubnet|RA6=fe80::/64|RA42=IntErnet|",
    )
    .unwrap();
    let hold =
        |index: usize, address: &str| rule.remote_addresses[index].hold(address.parse().unwrap());
    assert_eq!(hold(0, "10.200.1.1"), Some(true));
    assert_eq!(hold(0, "11.0.0.1"), Some(false));
    assert_eq!(hold(1, "192.168.4.255"), Some(true));
    assert_eq!(hold(2, "172.16.0.10"), Some(false));
    assert_eq!(hold(3, "1.2.3.9"), Some(true));
    assert_eq!(hold(4, "1.2.3.9"), None);
    assert_eq!(hold(5, "fe80::1"), Some(true));
    assert_eq!(hold(6, "8.8.8.8"), None);
}

#[test]
fn what_is_not_known_is_kept() {
    let rule = FirewallRule::parse(
        "v2.31|Action=Allow|Active=TRUE|Dir=In|IF={1}|Quux=7|TTK2_22=WFDPrint|",
    )
    .unwrap();
    assert_eq!(rule.limits.known, ["IF"]);
    assert_eq!(rule.limits.unknown, ["Quux"]);
    for text in [
        "",
        "Action=Allow|",
        "v2.31|Active=TRUE|",
        "v2.31|Action=Allow|nonsense|",
        "v2.31|Action=Allow|Profile=Moon|",
    ] {
        assert!(FirewallRule::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_connection_security_rule_says_what_it_asks_for_and_of_what() {
    let rule = ConnectionSecurityRule::parse(
        "v2.31|Action=SecureServer|Name=Isolation|Desc=|Protocol=6|EP1Port=3389|Active=TRUE|Auth1Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}|Auth2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE4}|Crypto2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE2}|",
    )
    .unwrap();
    assert_eq!(rule.demand, Demand::SecureServer);
    assert_eq!(covers(&rule.first_ports, 3389), Some(true));
    assert!(rule.active && rule.limits.are_none());
    let exempt =
        ConnectionSecurityRule::parse("v2.10|Action=DoNotSecure|EP2_4=10.0.0.1|Active=TRUE|")
            .unwrap();
    assert_eq!(exempt.limits.known, ["EP2_4"]);
}
