//! The last look at a record: credentials that a target sent back, and that got into the words of a finding or of a
//! failed step, are replaced there too.

use crate::{
    exchange::Redactor,
    record::{Record, Stopped},
};

/// Replaces every known secret in whatever the record says in words. Its exchanges were redacted when they were made.
pub(super) fn redact(record: &mut Record, redactor: &Redactor) {
    let hide = |text: &mut String| {
        if let std::borrow::Cow::Owned(redacted) = redactor.redact(text) {
            *text = redacted;
        }
    };
    for finding in &mut record.findings {
        hide(&mut finding.message);
        hide(&mut finding.actual);
        finding.expected.iter_mut().for_each(hide);
        finding.details.iter_mut().for_each(hide);
        finding.drawing.iter_mut().for_each(hide);
    }
    record.not_judged.iter_mut().for_each(|not_judged| hide(&mut not_judged.why));
    record.unjudged.iter_mut().for_each(|unjudged| hide(&mut unjudged.why));
    record.notes.iter_mut().for_each(hide);
    match &mut record.stopped {
        Some(
            Stopped::Budget(why)
            | Stopped::Unreachable(why)
            | Stopped::Unavailable(why)
            | Stopped::LoginRefused(why)
            | Stopped::Setup(why),
        ) => hide(why),
        Some(Stopped::Interrupted) | None => {}
    }
}
