//! Addresses of clients as logs write them: with port, brackets, zone, or mapped into IPv6.

use std::net::IpAddr;

/// The address in a text; none for `LOCAL`, `-`, host names and the unspecified address (`::%16777216` is what tunnels leave).
#[must_use]
pub fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => host,
            _ => text,
        },
    };
    let host = host.split('%').next().unwrap_or(host);
    let address: IpAddr = host.parse().ok()?;
    let address = address.to_canonical();
    (!address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn one_client_is_one_address_however_it_is_written() {
        for text in [
            "10.0.0.5",
            "10.0.0.5:50222",
            "[::ffff:10.0.0.5]:50222",
            "::ffff:10.0.0.5",
        ] {
            assert_eq!(
                parse(text).map(|address| address.to_string()).as_deref(),
                Some("10.0.0.5")
            );
        }
        for text in ["fe80::1%4", "[fe80::1%4]:3389", "fe80::1"] {
            assert_eq!(
                parse(text).map(|address| address.to_string()).as_deref(),
                Some("fe80::1")
            );
        }
        for text in ["LOCAL", "LOKAL", "本地", "", "-", "::%16777216", "0.0.0.0"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
