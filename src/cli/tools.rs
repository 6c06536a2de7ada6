//! What editors and shells need: `schema`, `completions`, `man`.

use clap_complete::Shell;

use super::{command, exit::Exit, output::print};
use crate::{families::FAMILIES, suite};

/// `fincheck schema`.
pub(super) fn schema() -> anyhow::Result<Exit> {
    print(&format!("{:#}\n", suite::schema(FAMILIES)))?;
    Ok(Exit::Passed)
}

/// `fincheck completions`.
pub(super) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "fincheck", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Passed)
}

/// `fincheck man`.
pub(super) fn man() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command()).render(&mut page)?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_beside_the_suites_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/suites/fincheck.schema.json");
        let known = std::fs::read_to_string(path).unwrap_or_default();
        let fresh = format!("{:#}\n", suite::schema(FAMILIES));
        assert!(known == fresh, "suites/fincheck.schema.json is stale: fincheck schema > suites/fincheck.schema.json");
    }
}
