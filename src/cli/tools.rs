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
