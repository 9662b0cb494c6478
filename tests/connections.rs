//! The table of attempts → outcomes: small scripts of events, and how people fare by them.
//!
//! A script is a row of groups, `DAYThh:mm CLIENT EVENT...`, separated by `|`. The day is that of March 2025 and stays until
//! another is named. Events of a group are 100 ms apart and share an activity id, unless the group begins with `~`; `+5m`,
//! `+30s` or `+2h` let time pass. The client `-` is none. `131u` is UDP, `226=CODE` and the like carry a code, `36874@4711`
//! a calling process in svchost.exe. In a text, `_` stands for a space.

#[path = "support/corpus.rs"]
mod corpus;
mod script;

use corpus::corpus;
use rdptriage::facts::known::Known;
use rdptriage::facts::subject::Subject;
use script::{Script, covers, end_of, facts, report};

/// Logs, script, end, options, expectation.
struct Row {
    name: &'static str,
    /// Whole from `01T00:00` on; `core?` is an export by query, `lsm!09:00-10:00` has a hole, `core<01T09:00` ends there.
    logs: &'static str,
    script: &'static str,
    end: &'static str,
    named: &'static str,
    expect: &'static str,
}

const ALL: &str = "core rcm lsm system";

macro_rules! rows {
    ($( $name:literal: $logs:expr, $end:literal $(, named $named:literal)?; $script:literal => $expect:literal )+) => {
        &[$( Row { name: $name, logs: $logs, script: $script, end: $end, named: concat!($($named)?), expect: $expect } ),+]
    };
}

#[rustfmt::skip]
const ROWS: &[Row] = rows! {
    // Healthy machines.
    "one person, in": ALL, "01T10:00";
        "01T09:00 10.0.0.5 131 261 65 153 1149 66 21 22"
        => "succeeding; in 10.0.0.5; last 01T09:00"
    "nobody on a machine without attempts": ALL, "03T00:00";
        ""
        => "silent"
    "healthy under a scan of guessed passwords": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 203.0.113.9 131 140 143 102 | 09:10 203.0.113.9 131 140 143 102
         | 09:20 203.0.113.9 131 140 143 102 | 09:30 198.51.100.7 131 140 143 | 09:40 10.0.0.5 131 153 1149 25"
        => "succeeding; in 10.0.0.5; last 01T09:40; strangers 2"
    "healthy under a scan of TLS, to the end": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 203.0.113.9 131 139=0x80090331 | 09:58 203.0.113.9 131 139=0x80090331"
        => "succeeding; in 10.0.0.5; last 01T08:00; strangers 1"
    "a guesser who closes TCP leaves 226 RDP_TCP, which is nothing": ALL, "01T10:00";
        "01T09:00 10.0.0.5 131 153 1149 21 | 09:30 203.0.113.9 131 226t=0x80070040"
        => "succeeding; in 10.0.0.5; last 01T09:00; strangers 1"
    "a mistyped password, then in": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 10.0.0.5 131 140 143 | 09:01 10.0.0.5 131 153 1149 25"
        => "succeeding; in 10.0.0.5; last 01T09:01"
    "two mistyped passwords at the end lock nobody out": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:50 10.0.0.5 131 140 | 09:52 10.0.0.5 131 140"
        => "succeeding; undecided 10.0.0.5; last 01T08:00"
    "a flapping client is in when its last attempt is": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 08:10 10.0.0.5 131 139=0x80090331 | 08:20 10.0.0.5 131 153 1149 25
         | 08:30 10.0.0.5 131 139=0x80090331 | 08:40 10.0.0.5 131 153 1149 25 | 09:40 10.0.0.5 131 153 1149 25"
        => "succeeding; in 10.0.0.5; last 01T09:40"
    "one death in TLS with others in afterwards is no lock-out": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 10.0.0.5 131 139=0x80090331 | 09:30 10.0.0.6 131 153 1149 21"
        => "succeeding; undecided 10.0.0.5; in 10.0.0.6; last 01T09:30"
    "an attempt under way at the end is no failure": ALL, "01T10:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 10.0.0.5 131 153 1149 25 | 09:59 10.0.0.5 +30s 131 65"
        => "succeeding; undecided 10.0.0.5; last 01T09:00"
    "the console is no client": ALL, "01T10:00";
        "01T09:00 - 21"
        => "silent"

    // Failing.
    "everybody dies in TLS": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 08:30 10.0.0.6 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331 102
         | 10:05 10.0.0.6 131 139=0x80090331 102 | 10:30 10.0.0.5 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5, 10.0.0.6; last 01T08:30; first 01T10:00; code 0x80090331"
    "the last one dies in TLS, once, and nobody gets in after": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 11:00 10.0.0.5 131 226=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T11:00; code 0x80090331"
    "nobody ever got in: everybody counts": ALL, "01T12:00";
        "01T10:00 10.0.0.5 131 139=0x80090331 | 10:20 10.0.0.5 131 139=0x80090331 | 10:30 10.0.0.6 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5, 10.0.0.6; first 01T10:00; code 0x80090331"
    "attempts that stop without a word for ten minutes": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 65 102 | 10:12 10.0.0.5 131 65 102"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00"
    "a password refused for a quarter of an hour": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 140 143=0x40 | 10:15 10.0.0.5 131 140 143=0x40"
        => "failing at tls; locked out 10.0.0.5; last 01T08:00; first 01T10:00"
    "authenticated, and no session comes": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 153 1149 | 10:15 10.0.0.5 131 153 1149"
        => "failing at credentials; locked out 10.0.0.5; last 01T08:00; first 01T10:00"
    "a scanner's TLS deaths add nothing to a failure": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 203.0.113.9 131 139=0x80090331 | 10:00 10.0.0.5 131 139=0x8009030d
         | 11:00 203.0.113.9 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x8009030D; strangers 1"
    "a scanner that completes TLS saves nobody": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331 | 11:00 203.0.113.9 131 153 140"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x80090331; strangers 1"
    "a locked-out client that got in while another already failed": ALL, "01T15:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 10.0.0.5 131 140 | 09:15 10.0.0.5 131 140 | 12:00 10.0.0.6 131 153 1149 21
         | 13:00 10.0.0.6 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5, 10.0.0.6; last 01T12:00; first 01T13:00; code 0x80090331"

    // Mixed.
    "some are locked out, others get in": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 08:30 10.0.0.6 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331
         | 10:20 10.0.0.5 131 139=0x80090331 | 11:00 10.0.0.6 131 153 1149 25"
        => "mixed at arrived; locked out 10.0.0.5; in 10.0.0.6; last 01T08:00; first 01T10:00; code 0x80090331"
    "a locked-out admin whom --client-address names": ALL, "01T12:00", named "192.0.2.44";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 192.0.2.44 131 139=0x80090331 | 10:20 192.0.2.44 131 139=0x80090331
         | 11:00 10.0.0.5 131 153 1149 25 | 11:10 203.0.113.9 131 140"
        => "mixed at arrived; locked out 192.0.2.44; in 10.0.0.5; first 01T10:00; code 0x80090331; strangers 1"
    "the same admin unnamed is a stranger": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 192.0.2.44 131 139=0x80090331 | 10:20 192.0.2.44 131 139=0x80090331
         | 11:00 10.0.0.5 131 153 1149 25 | 11:10 203.0.113.9 131 140"
        => "succeeding; in 10.0.0.5; last 01T11:00; strangers 2"
    "several users behind one address: one gets in, the client is not locked out": ALL, "01T12:00";
        "01T08:00 192.0.2.1 131 153 1149 21 | 10:00 192.0.2.1 131 140 | 10:10 192.0.2.1 131 153 1149 21 | 10:11 192.0.2.1 131 140
         | 11:30 192.0.2.1 131 153 1149 21"
        => "succeeding; in 192.0.2.1; last 01T11:30"
    "two at once behind one address are two attempts": ALL, "01T12:00";
        "01T10:59 192.0.2.1 131 140 143 | 10:59 192.0.2.1 131 +1s 153 1149 21"
        => "succeeding; in 192.0.2.1; last 01T10:59"

    // Dropping.
    "thrown out within minutes, then nobody comes back": ALL, "01T18:00";
        "01T08:00 10.0.0.5 131 153 1149 21 +2m 143=0x79 40=0 24 | 08:03 10.0.0.5 131 153 1149 25 +2m 143=0x79 40=0 24
         | 08:06 10.0.0.5 131 153 1149 25 +1m 142=0x2746 24"
        => "dropping; in 10.0.0.5; last 01T08:06"
    "thrown out, to the end": ALL, "01T08:20";
        "01T08:00 10.0.0.5 131 153 1149 21 +2m 143=0x79 40=0 24 | 08:03 10.0.0.5 131 153 1149 25 +2m 143=0x79 40=0 24
         | 08:06 10.0.0.5 131 153 1149 25 +1m 142=0x2746 24 | 08:08 10.0.0.5 131 153 1149 25 +2m 143=0x79 24"
        => "dropping; in 10.0.0.5; last 01T08:08"
    "short visits that end by a closed window are no drops": ALL, "01T08:20";
        "01T08:00 10.0.0.5 131 153 1149 21 +2m 143=0x40 40=11 24 | 08:03 10.0.0.5 131 153 1149 25 +2m 143=0x40 40=11 24
         | 08:06 10.0.0.5 131 153 1149 25 +1m 143=0x40 40=11 24 | 08:08 10.0.0.5 131 153 1149 25 +2m 143=0x40 40=11 24"
        => "succeeding; in 10.0.0.5; last 01T08:08"
    "drops that are over are over": ALL, "01T14:00";
        "01T08:00 10.0.0.5 131 153 1149 21 +2m 143=0x79 24 | 08:03 10.0.0.5 131 153 1149 25 +2m 143=0x79 24
         | 08:06 10.0.0.5 131 153 1149 25 +2m 143=0x79 24 | 08:10 10.0.0.5 131 153 1149 25 +1h 143=0x40 24
         | 10:00 10.0.0.5 131 153 1149 25 +1h 24 | 12:00 10.0.0.5 131 153 1149 25 +1h 24"
        => "succeeding; in 10.0.0.5; last 01T12:00"

    // Silent.
    "a silent weekend after two nights": ALL, "09T12:00";
        "01T09:00 10.0.0.5 131 153 1149 21 | 02T09:00 10.0.0.5 131 153 1149 25 | 03T09:00 10.0.0.5 131 153 1149 25"
        => "silent; in 10.0.0.5; last 03T09:00"
    "a weekend no longer than the one before": ALL, "10T08:00";
        "01T09:00 10.0.0.5 131 153 1149 21 | 03T09:00 10.0.0.5 131 153 1149 25 | 07T17:00 10.0.0.5 131 153 1149 25"
        => "succeeding; in 10.0.0.5; last 07T17:00"
    "locked out stays locked out when people give up": ALL, "09T12:00";
        "01T09:00 10.0.0.5 131 153 1149 21 | 02T09:00 10.0.0.5 131 139=0x80090331 | 02T09:20 10.0.0.5 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T09:00; first 02T09:00; code 0x80090331"

    // What was not collected.
    "only System: nothing records attempts": "system", "01T12:00";
        "01T10:00 - 36874@800 | 10:05 - 36874@800 | 10:10 - 36874@800"
        => "unseen; incident 01T12:00"
    "only Security: logons are no attempts": "security", "01T12:00";
        "01T08:00 10.0.0.5 4624/10 | 10:00 203.0.113.9 4625/10=0xC000006A"
        => "unseen; in 10.0.0.5; last 01T08:00; strangers 1; incident 01T12:00"
    "nothing at all": "", "01T12:00";
        ""
        => "unseen; incident 01T12:00"
    "no RdpCoreTS: the listener and the authentication tell": "rcm lsm system", "01T12:00";
        "01T08:00 10.0.0.5 261 1149 21 | 10:00 10.0.0.5 261 1149 25"
        => "succeeding; in 10.0.0.5; last 01T10:00"
    "no RdpCoreTS and nobody ever in": "rcm lsm system", "01T12:00";
        "01T08:00 - 261 | 10:00 - 261 | 11:00 - 261"
        => "failing at arrived; locked out unknown; first 01T08:00"
    "no RdpCoreTS: arrivals without an address after the last success": "rcm lsm system", "01T20:00";
        "01T08:00 10.0.0.5 261 1149 21 | 09:00 10.0.0.5 261 1149 25 | 14:00 - 261 | 15:00 - 261 | 19:00 - 261"
        => "unseen; in 10.0.0.5; last 01T09:00; strangers 1; incident 01T20:00"
    "no LocalSessionManager: authentication is getting in": "core rcm system", "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 | 11:00 10.0.0.5 131 153 1149"
        => "succeeding; in 10.0.0.5; last 01T11:00"
    "only RdpCoreTS: what dies there has failed": "core", "01T12:00";
        "01T08:00 10.0.0.5 131 153 66 | 10:00 10.0.0.5 131 139=0x80090331 | 10:20 10.0.0.5 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x80090331"
    "only RdpCoreTS: TLS negotiated and no word of failure locks nobody out": "core", "01T12:00";
        "01T08:00 10.0.0.5 131 153 65 | 10:00 10.0.0.5 131 153 65 | 11:30 10.0.0.5 131 153 65 | 11:40 203.0.113.9 131 140"
        => "succeeding; in 10.0.0.5; last 01T11:30; strangers 1"
    "an export by query proves no failure": "core? rcm? lsm?", "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331 | 10:20 10.0.0.5 131 139=0x80090331"
        => "unseen; locked out 10.0.0.5; last 01T08:00; code 0x80090331; incident 01T12:00"
    "a hole in both logs of entries may hide a success": "core rcm!10:30-11:00 lsm!10:30-11:00", "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331 | 10:20 10.0.0.5 131 139=0x80090331"
        => "unseen; locked out 10.0.0.5; last 01T08:00; code 0x80090331; incident 01T12:00"
    "a hole before the failure hides nothing of it": "core rcm!07:00-07:30 lsm!07:00-07:30", "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331 | 10:20 10.0.0.5 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x80090331"
    "RdpCoreTS stopped days ago, as the sessions show": "core<01T09:00 lsm", "05T12:00";
        "01T08:00 10.0.0.5 131 153 21 | 04T08:00 10.0.0.5 25 | 05T08:00 10.0.0.5 25"
        => "unseen; in 10.0.0.5; last 05T08:00; incident 05T12:00"

    // Other Windows generations, other shapes.
    "Server 2012 R2 writes no 153": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 65 66 1149 21 | 10:00 10.0.0.5 131 65 56=0x80090331 | 10:20 10.0.0.5 131 65 56=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x80090331"
    "Server 2008 R2: TermDD names the client": "rcm lsm system", "01T12:00";
        "01T08:00 10.0.0.5 261 1149 21 | 10:00 10.0.0.5 261 56=0x80090331 | 10:20 10.0.0.5 261 56=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x80090331"
    "a driver error of a living session is a drop, no lock-out": "rcm lsm system", "01T12:00";
        "01T08:00 10.0.0.5 261 1149 21 | 11:30 10.0.0.5 56=0xD00000B5"
        => "succeeding; in 10.0.0.5; last 01T08:00"
    "IPv6, with zone and port": ALL, "01T12:00";
        "01T08:00 fe80::1%4 131 153 1149 21 | 10:00 fe80::1%4 131 139=0x80090331 | 10:20 fe80::1 131 139=0x80090331"
        => "failing at arrived; locked out fe80::1; last 01T08:00; first 01T10:00; code 0x80090331"
    "an IPv4 address inside IPv6 is the same client": ALL, "01T12:00";
        "01T08:00 ::ffff:10.0.0.5 131 153 1149 21 | 11:00 10.0.0.5 131 153 1149 25"
        => "succeeding; in 10.0.0.5; last 01T11:00"
    "UDP belongs to the attempt that stands": ALL, "01T12:00";
        "01T10:00 10.0.0.5 131 153 1149 21 +2s 131u 131u | 11:30 10.0.0.5 131u | 11:31 10.0.0.5 131u"
        => "succeeding; in 10.0.0.5; last 01T10:00"
    "without activity ids: the latest arrival": ALL, "01T12:00";
        "~01T08:00 10.0.0.5 131 261 153 1149 21 | ~10:00 10.0.0.5 131 261 226=0x80090331 | ~10:01 203.0.113.9 131 261 140
         | ~10:20 10.0.0.5 131 261 226=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0x80090331; strangers 1"
    "an attributed Schannel failure is a death in TLS": ALL, "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 65 36874 | 10:02 10.0.0.5 131 65 36874"
        => "failing at arrived; locked out 10.0.0.5; last 01T08:00; first 01T10:00"
    "what speaks no TLS leaves 36888 (10, 1203), which is no death in TLS": ALL, "01T09:30";
        "01T08:00 10.0.0.5 131 153 1149 21 | 09:00 10.0.0.5 131 65 36888/10/1203 | 09:05 10.0.0.5 131 65 36888/10/1203"
        => "succeeding; undecided 10.0.0.5; last 01T08:00"
    "the security log names the code of a refusal": "core rcm lsm security", "01T12:00";
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 153 4625/3=0xC000005E 143 | 10:20 10.0.0.5 131 153 4625/3=0xC000005E"
        => "failing at tls; locked out 10.0.0.5; last 01T08:00; first 01T10:00; code 0xC000005E"
    "file shares that refuse a logon are no attempts": "core rcm lsm security", "01T10:00";
        "01T09:00 10.0.0.5 131 153 1149 21 | 09:20 10.0.0.7 4625/3=0xC000006A | 09:40 10.0.0.7 4625/3=0xC000006A"
        => "succeeding; in 10.0.0.5; last 01T09:00"
    "the clock was set back: what stands before it came first": ALL, "01T12:00";
        "09T08:00 10.0.0.5 131 153 1149 21 | 01T09:00 - 1=09T08:30 | 01T10:00 10.0.0.5 131 139=0x80090331
         | 01T10:20 10.0.0.5 131 139=0x80090331"
        => "failing at arrived; locked out 10.0.0.5; last 01T09:00; first 01T10:00; code 0x80090331"
};

#[test]
fn attempts_come_to_their_outcomes() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let script = Script::read(row.script, row.logs, row.end);
        let said = report(&script, row.named);
        if said != row.expect {
            wrong.push(format!(
                "{}\n  expected {}\n  found    {said}",
                row.name, row.expect
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ROWS.len(),
        wrong.join("\n")
    );
}

/// Logs, script, the kind and fields looked at, and their values.
struct FactRow {
    name: &'static str,
    logs: &'static str,
    script: &'static str,
    kind: &'static str,
    fields: &'static [&'static str],
    expect: &'static str,
}

macro_rules! fact_rows {
    ($( $name:literal: $logs:expr; $script:literal => $kind:literal [$($field:literal),+] $expect:literal )+) => {
        &[$( FactRow { name: $name, logs: $logs, script: $script, kind: $kind, fields: &[$($field),+], expect: $expect } ),+]
    };
}

#[rustfmt::skip]
const FACT_ROWS: &[FactRow] = fact_rows! {
    "only System: refusals that name svchost repeat to the end": "system";
        "01T10:00 - 36874@800 | 10:05 - 36874@800 | 10:10 - 36874@800"
        => "schannel.suite_refusals" ["attributed", "repeats_to_end", "telling"] "3 yes yes"
    "two refusals are no pattern": "system";
        "01T10:00 - 36874@800 | 10:05 - 36874@800"
        => "schannel.suite_refusals" ["attributed", "repeats_to_end"] "2 no"
    "a session afterwards speaks against refusals to the end": "system";
        "01T10:00 - 36874@800 | 10:05 - 36874@800 | 10:10 - 36874@800 | 11:00 - 7001/2"
        => "schannel.suite_refusals" ["repeats_to_end", "telling"] "no no"
    "whose refusals those are, System does not say": "system";
        "01T10:00 - 36874@800"
        => "schannel.failure" ["event", "role", "attributed", "affected", "overcome"] "36874 server yes ? ?"
    "a credential fault hits everybody": "system";
        "01T10:00 - 36870@800=0x8009030D"
        => "schannel.failure" ["event", "error", "attributed", "affected", "overcome"] "36870 0x8009030D yes yes ?"
    "unless somebody got a session afterwards": "system";
        "01T10:00 - 36870@800=0x8009030D | 11:00 - 7001/2"
        => "schannel.failure" ["attributed", "affected"] "yes no"
    "without a caller and a connection log nothing is attributed": "system";
        "01T10:00 - 36874 | 10:05 - 36874 | 10:10 - 36874"
        => "schannel.suite_refusals" ["attributed", "repeats_to_end", "telling"] "? ? ?"
    "one event beside an arrival may be chance": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 36874"
        => "schannel.failure" ["attributed", "affected"] "? no"
    "events beside no arrival are somebody else's": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 +10s 36874 | 10:20 10.0.0.5 131 +10s 36874"
        => "schannel.failure" ["attributed", "affected"] "no no | no no"
    "another process than the service's is somebody else": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 - 36874@4711 | 10:01 - 36874@332"
        => "schannel.failure" ["attributed"] "no | yes"
    "36887 and 36888 get their role from whose they are": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.6 131 36887/46@332"
        => "schannel.failure" ["role", "alert", "affected", "overcome"] "server 46 no no"
    "without that, nobody knows their role": "system";
        "01T10:00 - 36887/46@800"
        => "schannel.failure" ["role", "attributed"] "? ?"
    "the locked-out client's refusals": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 36874 | 10:20 10.0.0.5 131 36874 | 10:40 10.0.0.5 131 36874"
        => "schannel.suite_refusals" ["attributed", "repeats_to_end"] "3 yes"
    "a scanner's refusals while people work": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 203.0.113.9 131 36874 | 10:20 203.0.113.9 131 36874 | 10:40 203.0.113.9 131 36874"
        => "schannel.suite_refusals" ["attributed", "repeats_to_end"] "3 no"
    "and a success after them overcomes them": ALL;
        "01T09:00 203.0.113.9 131 36874 | 09:20 203.0.113.9 131 36874 | 10:00 10.0.0.5 131 153 1149 21"
        => "schannel.failure" ["attributed", "affected", "overcome"] "yes no yes | yes no yes"
    "who is locked out decides, strangers never": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 139=0x80090331 | 10:20 203.0.113.9 131 139=0x80090331"
        => "connection.security_error" ["event", "tls", "client", "affected"] "139 yes 10.0.0.5 yes | 139 yes 203.0.113.9 no"
    "the transport's own transitions tell nothing of TLS": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 226t=0x80070040 226=0x80090331"
        => "connection.security_error" ["transition", "tls"] "RDP_TCP no | RDP_SEC yes"
    "where no log names the client, whether it is locked out stays open": "rcm system";
        "01T08:00 10.0.0.5 261 1149 | 09:00 - 261 | 10:00 - 261 | 11:50 - 261"
        => "connection.attempt" ["client", "affected"] "10.0.0.5 ? | ? ? | ? ? | ? ?"
    "each stage passed is a fact": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 11:00 203.0.113.9 131 140"
        => "connection.passed" ["stage", "client", "stranger"]
           "arrived 10.0.0.5 no | tls 10.0.0.5 no | credentials 10.0.0.5 no | session 10.0.0.5 no | arrived 203.0.113.9 yes | tls 203.0.113.9 yes"
    "how attempts end": ALL;
        "01T08:00 10.0.0.5 131 153 1149 21 | 10:00 10.0.0.5 131 65 102 | 10:01 10.0.0.5 131 140 143=0x40 | 10:02 10.0.0.5 131 143=0x2746"
        => "connection.attempt" ["reached", "ended", "code"]
           "session - - | arrived silent - | tls credentials - | arrived transport 0x00002746"
    "a renewal that fails, and one that comes later": "system";
        "01T10:00 - 1058=Object_already_exists. | 11:00 - 1056=SERVER | 02T10:00 - 1058=0x80070070"
        => "certificate.renewal" ["event", "result", "status", "about_key", "superseded", "after_end"]
           "1058 failed object-exists yes yes no | 1056 created - no no no | 1058 failed disk-full no no yes"
    "probes for keys, and the listener's own": "security";
        "01T10:00 - 5061/probe=0x80090016 | 10:05 - 5061/TSSecKeySet1=0x80090016 | 10:10 - 5058/TSSecKeySet1=0 | 10:15 - 5061/TSSecKeySet1=0x80090016"
        => "key.operation" ["listener", "succeeded", "superseded"] "? no no | yes no yes | yes yes no | yes no no"
    "an expired certificate refused by a client": ALL;
        "01T10:00 10.0.0.5 131 36887/45@332 | 10:20 10.0.0.5 131 36887/46@332 | 11:00 - 1053"
        => "certificate.time_refused" ["event"] "36887 | 1053"
    "a session at a desktop, but not the console's first": "system";
        "01T10:00 - 7001/1 7001/3"
        => "host.session_began" ["session"] "3"
    "the clock set by more than a minute": "system";
        "01T10:00 - 1=02T10:00 1=01T10:01"
        => "clock.step" ["seconds", "crosses_validity"] "-86400 yes"
};

#[test]
fn events_become_facts() {
    let mut wrong = Vec::new();
    for row in FACT_ROWS {
        let script = Script::read(row.script, row.logs, "02T12:00");
        let said = facts(&script, row.kind, row.fields);
        if said != row.expect {
            wrong.push(format!(
                "{}\n  expected {}\n  found    {said}",
                row.name, row.expect
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        FACT_ROWS.len(),
        wrong.join("\n")
    );
}

/// Real logs of a machine under attack (Windows 10, 2018): dozens of addresses guess passwords, a few people get in.
#[test]
fn a_machine_under_attack_is_not_failing() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let prefix = "evtx/omerbenamram-samples_2-vss_0-Microsoft-Windows-";
    let logs = [
        "RemoteDesktopServices-RdpCoreTS%4Operational.evtx",
        "TerminalServices-RemoteConnectionManager%4Operational.evtx",
    ];
    let paths = logs.map(|log| std::path::Path::new(&corpus).join(format!("{prefix}{log}")));
    let script = Script::of_files(&paths);
    let said = report(&script, "");
    assert!(said.contains("174.127.93.2"), "{said}");
    assert!(!said.contains("locked out"), "{said}");
    let strangers = said
        .split("strangers ")
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    let strangers: usize = strangers.and_then(|count| count.parse().ok()).unwrap_or(0);
    assert!(strangers > 50, "{said}");
}

#[test]
fn a_whole_log_covers_to_the_end_and_a_lesser_one_does_not() {
    let work = "01T08:00 10.0.0.5 131 153 1149 21";
    let later_sessions = "01T08:00 10.0.0.5 131 153 21 | 04T08:00 10.0.0.5 25";
    for (name, logs, script, subject, from, to, expected) in [
        (
            "silence in a whole log",
            ALL,
            work,
            Subject::RdpCoreTsLog,
            "01T00:00",
            "09T12:00",
            true,
        ),
        (
            "before its oldest record",
            "core",
            work,
            Subject::RdpCoreTsLog,
            "01T00:00",
            "09T13:00",
            false,
        ),
        (
            "an export by query",
            "core?",
            work,
            Subject::RdpCoreTsLog,
            "01T00:00",
            "09T12:00",
            false,
        ),
        (
            "up to a hole",
            "lsm!09:00-10:00",
            work,
            Subject::Sessions,
            "01T00:00",
            "01T08:59",
            true,
        ),
        (
            "across a hole",
            "lsm!09:00-10:00",
            work,
            Subject::Sessions,
            "01T08:00",
            "09T12:00",
            false,
        ),
        (
            "another log fills it",
            "core!09:00-10:00 rcm",
            work,
            Subject::Arrivals,
            "01T08:00",
            "09T12:00",
            true,
        ),
        (
            "to its last record",
            "core lsm",
            later_sessions,
            Subject::RdpCoreTsLog,
            "01T00:00",
            "01T08:00",
            true,
        ),
        (
            "others show more",
            "core lsm",
            later_sessions,
            Subject::RdpCoreTsLog,
            "01T00:00",
            "09T12:00",
            false,
        ),
        (
            "a log that is not there",
            "core",
            work,
            Subject::LocalSessionManagerLog,
            "01T08:00",
            "01T09:00",
            false,
        ),
    ] {
        let script = Script::read(script, logs, "09T12:00");
        let found = covers(&script, &script.surroundings(), subject, from, to);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn what_is_not_logged_proves_nothing() {
    let script = Script::read("01T08:00 10.0.0.5 131 153 1149 21", ALL, "01T12:00");
    let all =
        |surroundings: &_, subject| covers(&script, surroundings, subject, "01T00:00", "01T12:00");
    let mut surroundings = script.surroundings();
    assert!(all(&surroundings, Subject::SchannelEvents));
    surroundings.logging.schannel_errors = Known::Is(false);
    assert!(!all(&surroundings, Subject::SchannelEvents));
    assert!(all(&surroundings, Subject::SystemLog));
    let channel = "microsoft-windows-remotedesktopservices-rdpcorets/operational";
    surroundings.logging.channels_off.insert(channel.to_owned());
    assert!(!all(&surroundings, Subject::RdpCoreTsLog));
}

#[test]
fn the_end_is_the_newest_record_by_the_clock_that_was_set_last() {
    for (script, expected) in [
        ("01T08:00 10.0.0.5 131 153 1149 21", "01T08:00"),
        (
            "09T08:00 10.0.0.5 131 1149 21 | 01T09:00 - 1=09T08:30 | 01T10:00 10.0.0.5 131",
            "01T10:00",
        ),
        (
            "09T08:00 10.0.0.5 131 1149 21 | 01T09:00 - 1=09T08:30 7001/1",
            "01T09:00",
        ),
    ] {
        assert_eq!(
            end_of(&Script::read(script, ALL, "20T00:00")).as_deref(),
            Some(expected),
            "{script}"
        );
    }
}
