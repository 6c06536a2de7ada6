//! Starts with preferences (RFC 7240).

use super::{
    super::evidence::{Preference, Start},
    flow::Flow,
};

/// A preference that no API knows.
const UNKNOWN: &str = "fincheck-unknown";
/// How many starts one preference takes, at most.
pub(in crate::families::async_operation) const STARTS: u64 = 3;

/// The preferences that are tried.
pub(in crate::families::async_operation) fn preferences(declared: &[String]) -> Vec<String> {
    let mut all = vec![UNKNOWN.to_owned(), "respond-async".to_owned()];
    all.extend(declared.iter().filter(|prefer| *prefer != "respond-async").cloned());
    all
}

/// Starts an operation with each preference; twice, with a plain start between, where the first answer raises doubts.
pub(super) async fn prefer(flow: Flow<'_>) -> Vec<Preference> {
    let mut seen = Vec::new();
    for sent in preferences(&flow.config.prefer) {
        if flow.session.stopping() {
            break;
        }
        let declared = flow.config.prefer.contains(&sent);
        let mut preference = Preference { sent, declared, ..Preference::default() };
        preference.starts.extend(start(flow, Some(&preference.sent)).await);
        if preference.starts.first().is_some_and(|start| preference.is_doubtful(start)) {
            preference.plain = start(flow, None).await;
            preference.starts.extend(start(flow, Some(&preference.sent)).await);
        }
        seen.push(preference);
    }
    seen
}

async fn start(flow: Flow<'_>, prefer: Option<&str>) -> Option<Start> {
    let call = &flow.config.start;
    let mut values = flow.session.values();
    values.insert("reference".into(), format!("fincheck-{:016x}", flow.session.fresh()));
    let purpose = if prefer.is_some() { "start an operation with a preference" } else { "start one without" };
    let mut request = call.build(call.who(flow.config.client.as_deref()), &values, purpose).ok()?;
    if let Some(prefer) = prefer {
        request.headers.set("prefer", prefer);
    }
    let reply = flow.session.send(request).await.ok()?;
    Some(flow.answer(&reply))
}
