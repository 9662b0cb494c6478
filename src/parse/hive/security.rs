//! Security descriptors of keys (`sk` cells). The list that links these cells is not followed, so it cannot run in circles.
//!
//! Source: "Windows registry file format specification" (M. Suhanov), section "Key security"; the descriptor itself:
//! MS-DTYP 2.4.6.

use super::cell::{Cells, NIL};
use super::flaw::{Flaw, Why};

/// Where the descriptor begins in the cell.
const HEADER_SIZE: usize = 20;

/// The control bit that says that owner, group and lists follow in the same bytes.
const SELF_RELATIVE: u8 = 0x80;

/// The self-relative security descriptor of the `sk` cell at `offset`; `None` when the key has none.
pub(super) fn descriptor(cells: Cells<'_>, offset: u32) -> Result<Option<Vec<u8>>, Flaw> {
    if offset == NIL {
        return Ok(None);
    }
    let cell = cells.at(offset)?;
    cell.expect("sk")?;
    let what = "the security descriptor";
    let length = usize::try_from(cell.u32(16, what)?).unwrap_or(usize::MAX);
    let descriptor = cell.slice(HEADER_SIZE, length, what)?;
    match descriptor {
        [1, _, _, control, _, ..] if length >= 20 && control & SELF_RELATIVE != 0 => {
            Ok(Some(descriptor.to_vec()))
        }
        _ => Err(cell.flaw(Why::Descriptor)),
    }
}
