//! Windows' access control: SIDs, security descriptors in binary and as text, and what a token may do.

mod abbreviation;
mod access;
mod descriptor;
mod sddl;
mod sid;

pub use access::{Answer, Granted, ObjectKind, granted};
pub use descriptor::{
    AccessMask, Ace, AceFlags, AceKind, Condition, Dacl, DescriptorError, Inheritance,
    SecurityDescriptor, Trustee,
};
pub use sddl::{SddlError, SddlProblem, looks_like_sddl, parse_sddl};
pub use sid::{NotASid, Sid};
