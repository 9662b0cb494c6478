//! Where Windows keeps on its disk what people collect without folders.

/// The path of a collected file on the disk; none for what somebody exported.
pub fn place(path: &str) -> Option<String> {
    if path.starts_with("Windows/") || path.starts_with("ProgramData/") {
        return Some(path.to_owned());
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name).to_uppercase();
    if name.ends_with(".evtx") {
        Some(format!("Windows/System32/winevt/Logs/{name}"))
    } else if ["SYSTEM", "SOFTWARE"].contains(&stem.as_str()) {
        Some(format!("Windows/System32/config/{name}"))
    } else {
        None
    }
}
