//! The two letters that SDDL writes for well-known SIDs (MS-DTYP section 2.5.1.1).

use super::descriptor::Trustee;
use super::sid::Sid;

/// Reads a SID in either form; `None` where it is none.
pub(super) fn trustee(text: &str) -> Option<Trustee> {
    if text.len() != 2 {
        return text.parse().ok().map(Trustee::Sid);
    }
    let builtin = |rid: u32| Trustee::Sid(Sid::nt(&[32, rid]));
    let nt = |number: u32| Trustee::Sid(Sid::nt(&[number]));
    let sid = |text: &str| text.parse().ok().map(Trustee::Sid);
    // The table of MS-DTYP section 2.5.1.1; the second half names accounts of a domain that the text does not tell.
    Some(match text.to_ascii_uppercase().as_str() {
        "WD" => sid("S-1-1-0")?,
        "CO" => sid("S-1-3-0")?,
        "CG" => sid("S-1-3-1")?,
        "OW" => sid("S-1-3-4")?,
        "NU" => nt(2),
        "IU" => nt(4),
        "SU" => nt(6),
        "AN" => nt(7),
        "ED" => nt(9),
        "PS" => nt(10),
        "AU" => nt(11),
        "RC" => nt(12),
        "SY" => nt(18),
        "LS" => nt(19),
        "NS" => nt(20),
        "WR" => nt(33),
        "UD" => sid("S-1-5-84-0-0-0-0-0")?,
        "BA" => builtin(544),
        "BU" => builtin(545),
        "BG" => builtin(546),
        "PU" => builtin(547),
        "AO" => builtin(548),
        "SO" => builtin(549),
        "PO" => builtin(550),
        "BO" => builtin(551),
        "RE" => builtin(552),
        "RU" => builtin(554),
        "RD" => builtin(555),
        "NO" => builtin(556),
        "MU" => builtin(558),
        "LU" => builtin(559),
        "IS" => builtin(568),
        "CY" => builtin(569),
        "ER" => builtin(573),
        "CD" => builtin(574),
        "RA" => builtin(575),
        "ES" => builtin(576),
        "MS" => builtin(577),
        "HA" => builtin(578),
        "AA" => builtin(579),
        "RM" => builtin(580),
        "HO" => builtin(584),
        "AC" => sid("S-1-15-2-1")?,
        "LW" => sid("S-1-16-4096")?,
        "ME" => sid("S-1-16-8192")?,
        "MP" => sid("S-1-16-8448")?,
        "HI" => sid("S-1-16-12288")?,
        "SI" => sid("S-1-16-16384")?,
        "AS" => sid("S-1-18-1")?,
        "SS" => sid("S-1-18-2")?,
        "LA" => Trustee::AccountRid(500),
        "LG" => Trustee::AccountRid(501),
        "RO" => Trustee::AccountRid(498),
        "DA" => Trustee::AccountRid(512),
        "DU" => Trustee::AccountRid(513),
        "DG" => Trustee::AccountRid(514),
        "DC" => Trustee::AccountRid(515),
        "DD" => Trustee::AccountRid(516),
        "CA" => Trustee::AccountRid(517),
        "SA" => Trustee::AccountRid(518),
        "EA" => Trustee::AccountRid(519),
        "PA" => Trustee::AccountRid(520),
        "CN" => Trustee::AccountRid(522),
        "AP" => Trustee::AccountRid(525),
        "KA" => Trustee::AccountRid(526),
        "EK" => Trustee::AccountRid(527),
        "RS" => Trustee::AccountRid(553),
        _ => return None,
    })
}
