//! Every defect shows on the wire, the clean API shows none, and no defect shows another's behaviour by accident.

use std::collections::BTreeSet;

use super::{
    super::{DEFECTS, Defect},
    client::{Api, Got},
    error_defects, idempotency_defects, pagination_defects,
};

/// Whether the API behaves as this defect says.
async fn shows(name: &str, api: &Api, answers: &[Got]) -> bool {
    if name.starts_with("errors.") {
        error_defects::shows(name, api, answers).await
    } else if name.starts_with("idempotency.") {
        idempotency_defects::shows(name, api).await
    } else {
        pagination_defects::shows(name, api).await
    }
}

/// Families that are looked at as a whole elsewhere, each defect for itself and for all others, because that takes time.
const APART: [&str; 4] = ["rate.", "async.", "webhook.", "stream."];

fn is_apart(defect: &Defect) -> bool {
    APART.iter().any(|family| defect.name.starts_with(family))
}

#[test]
fn names_and_constants_agree() {
    let names: BTreeSet<_> = DEFECTS.iter().map(|defect| defect.name).collect();
    assert_eq!(names.len(), DEFECTS.len(), "every name is unique");
    let files = [
        include_str!("../defects/pagination.rs"),
        include_str!("../defects/errors.rs"),
        include_str!("../defects/idempotency.rs"),
        include_str!("../defects/rate.rs"),
        include_str!("../defects/async_operation.rs"),
        include_str!("../defects/webhook.rs"),
        include_str!("../defects/stream.rs"),
    ];
    let declared: usize = files.map(|text| text.matches("name:").count()).iter().sum();
    assert_eq!(declared, DEFECTS.len(), "every constant is listed");
    for defect in DEFECTS {
        let family = match defect.name.split('.').next() {
            Some("errors") => "ERR-",
            Some("idempotency") => "IDM-",
            Some("rate") => "RATE-",
            Some("async" | "webhook") => "ASY-",
            Some("stream") => "WS-",
            _ => "PAG-",
        };
        assert!(
            defect.rules.iter().all(|rule| rule.starts_with(family)) && !defect.rules.is_empty(),
            "{}",
            defect.name
        );
    }
}

#[tokio::test]
async fn every_defect_shows_and_the_clean_api_shows_none() {
    for defect in DEFECTS.iter().filter(|defect| !is_apart(defect)) {
        let (clean, wrong) = (Api::clean().await, Api::with(&[defect.name], &[]).await);
        let errors = error_defects::answers(&clean).await;
        assert!(!shows(defect.name, &clean, &errors).await, "clean: {}", defect.name);
        let errors = error_defects::answers(&wrong).await;
        assert!(shows(defect.name, &wrong, &errors).await, "{}", defect.name);
    }
}

/// Defects that cannot help showing others, too.
const COLLATERAL: &[(&str, &[&str])] = &[
    // A row left out at each boundary is a row more for each page that there is; and the page before starts after it.
    ("pagination.lost-row", &["pagination.size-dependent", "pagination.prev-link-wrong"]),
    // A row that is always repeated is also repeated after an insert.
    ("pagination.duplicate-row", &["pagination.insert-repeats"]),
    ("pagination.no-tie-breaker", &["pagination.size-dependent"]),
    ("pagination.plain-offset-cursor", &["pagination.offset-behind-cursor"]),
];

/// Looking for these changes rows, so each needs an API of its own.
const WRITERS: [&str; 5] =
    ["offset-behind-cursor", "anchor-lookup", "anchor-restart", "insert-repeats", "moving-pages"];

#[tokio::test]
async fn defects_show_nothing_else() {
    let mut found = Vec::new();
    // Those of idempotency have a test of their own, where they can share an API.
    let alone = |defect: &Defect| defect.name.starts_with("idempotency.") || is_apart(defect);
    for defect in DEFECTS.iter().filter(|defect| !alone(defect)) {
        let family = defect.name.split('.').next().expect("a family");
        let shared = Api::with(&[defect.name], &[]).await;
        let errors = error_defects::answers(&shared).await;
        let mut others = Vec::new();
        for other in DEFECTS.iter().filter(|other| other.name.starts_with(family) && *other != defect) {
            let seen = if WRITERS.iter().any(|writer| other.name.ends_with(writer)) {
                shows(other.name, &Api::with(&[defect.name], &[]).await, &errors).await
            } else {
                shows(other.name, &shared, &errors).await
            };
            if seen {
                others.push(other.name);
            }
        }
        if !others.is_empty() {
            found.push((defect.name, others));
        }
    }
    let expected: Vec<_> = COLLATERAL.iter().map(|(name, others)| (*name, others.to_vec())).collect();
    assert_eq!(found, expected);
}
