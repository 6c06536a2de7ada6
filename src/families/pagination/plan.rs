//! What a pagination check would send for the selected rules.

use super::{
    PAGINATION,
    config::{Config, Write},
    probe::SHORT_WALK,
};
use crate::families::{Footprint, Permit, PlannedCheck, Selection};

/// The most requests that waiting for a listing to come to rest takes.
const SETTLING: u64 = 6 * SHORT_WALK;

/// What a check would do; no traffic.
pub(super) fn plan(config: &Config, selection: &Selection<'_>) -> PlannedCheck {
    let mut plan = PlannedCheck::default();
    let wanted =
        |id: &str| PAGINATION.rules.iter().any(|judged| judged.rule.id == id && (selection.wants)(judged.rule));
    let may_write = selection.permits(Permit::Write);
    for judged in PAGINATION.rules.iter().filter(|judged| (selection.wants)(judged.rule)) {
        let id = judged.rule.id;
        let needs_write = matches!(id, "PAG-006" | "PAG-007") && config.churn.is_some();
        plan.admit(id, [Permit::Read].into_iter().chain(needs_write.then_some(Permit::Write)), selection);
    }
    if plan.rules.is_empty() {
        return plan;
    }
    let pages = config.max_pages;
    let short = pages.min(SHORT_WALK);
    let mut step = |rules: &[&str], applies: bool, what: String, requests: u64| {
        if applies && rules.iter().any(|id| wanted(id)) {
            plan.steps.push((what, requests));
        }
    };
    let any: Vec<&str> = PAGINATION.rules.iter().map(|judged| judged.rule.id).collect();
    let counted = config.page.is_some() || config.offset.is_some();
    let sizes = config.other_sizes().len() as u64;
    step(&any, true, "walk the listing".into(), pages);
    let again: Vec<&str> = any.iter().copied().filter(|id| needs_two(id)).collect();
    step(&again, true, "walk it again, at the end too, or at once if the walks differ".into(), 2 * pages);
    step(&["PAG-001"], true, "list without paging parameters".into(), 1);
    step(
        &["PAG-002", "PAG-008", "PAG-010"],
        sizes > 0,
        if sizes == 1 { "walk with another page size".into() } else { format!("walk with {sizes} other page sizes") },
        sizes * short,
    );
    step(
        &["PAG-002"],
        config.page_size.is_some() && !counted,
        "change the page size in the middle of a walk".into(),
        4,
    );
    step(&["PAG-003"], config.page_size.is_some(), "ask for odd page sizes".into(), 7);
    let orders =
        config.sort.as_ref().filter(|sort| sort.parameter.is_some()).map_or(0, |sort| sort.orders.len() as u64);
    step(
        &["PAG-009"],
        orders > 0,
        format!("walk in {orders} declared orders, and ask for one that does not exist"),
        orders * short + 1,
    );
    step(&["PAG-011"], !counted && !config.single_use, "ask for two pages twice".into(), 6);
    step(&["PAG-012", "PAG-015"], true, "send cursors never issued".into(), 7);
    step(&["PAG-014"], !counted && !config.shared, "send a cursor as another client and as nobody".into(), 6);
    step(&["PAG-016"], true, "follow links".into(), 27);
    step(&["PAG-017"], counted, "ask for a page beyond the end".into(), 1);
    let filters = config.filters.len() as u64;
    step(
        &["PAG-018"],
        filters > 0,
        if filters == 1 { "walk with a filter".into() } else { format!("walk with {filters} filters") },
        filters * short,
    );
    step(&["PAG-013"], config.two_filters().is_some() && !counted, "send a cursor with another filter".into(), 2);
    step(&["PAG-018"], config.window.is_some(), "walk three windows of time".into(), 3 * short);
    if let Some(churn) = config.churn.as_ref().filter(|_| may_write) {
        let written = plan.wants_any(&["PAG-006", "PAG-007", "PAG-019"]);
        if written {
            let walks = 1 + u64::from(orders > 1) + u64::from(churn.delete.is_some()) * (1 + u64::from(orders > 1));
            plan.steps.push((
                "create rows, and walk while rows are created and deleted".into(),
                160 + walks * (SETTLING + 3 * SHORT_WALK),
            ));
            plan.writes = 160;
            plan.footprint = Footprint::Writes;
            let writers = [Some(&churn.insert), churn.insert_tied.as_ref(), churn.delete.as_ref()];
            plan.clients.extend(writers.into_iter().flatten().filter_map(|write: &Write| write.client.clone()));
        }
    }
    plan.clients.extend(config.client.clone());
    if plan.wants("PAG-014") {
        plan.clients.extend(config.other_client.clone());
    }
    plan.clients.sort();
    plan.clients.dedup();
    plan
}

fn needs_two(id: &str) -> bool {
    !matches!(
        id,
        "PAG-001" | "PAG-002" | "PAG-003" | "PAG-004" | "PAG-012" | "PAG-013" | "PAG-014" | "PAG-015" | "PAG-016"
    )
}
