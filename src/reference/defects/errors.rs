//! Defects of errors; the hooks are in `problem/`.

use super::Defect;

pub(in crate::reference) const HTML_NOT_FOUND: Defect = Defect {
    name: "errors.html-not-found",
    rules: &["ERR-001"],
    summary: "whatever is not found is answered with an HTML page",
};
pub(in crate::reference) const EMPTY_BODY: Defect = Defect {
    name: "errors.empty-body",
    rules: &["ERR-001"],
    summary: "whatever is not found is answered with an empty body",
};
pub(in crate::reference) const SECOND_SHAPE: Defect = Defect {
    name: "errors.second-shape",
    rules: &["ERR-001"],
    summary: "bad parameters are answered in another envelope than all other errors",
};
pub(in crate::reference) const NO_CODE: Defect =
    Defect { name: "errors.no-code", rules: &["ERR-002"], summary: "errors carry no code and no type" };
pub(in crate::reference) const CODE_IS_STATUS: Defect = Defect {
    name: "errors.code-is-status",
    rules: &["ERR-002"],
    summary: "the code of an error merely repeats the HTTP status",
};
pub(in crate::reference) const NO_MESSAGE: Defect =
    Defect { name: "errors.no-message", rules: &["ERR-003"], summary: "errors carry no text for people" };
pub(in crate::reference) const UNEXPANDED_TEMPLATE: Defect = Defect {
    name: "errors.unexpanded-template",
    rules: &["ERR-003"],
    summary: "the text of an error is a template that was never filled in",
};
pub(in crate::reference) const NO_CORRELATION_ID: Defect = Defect {
    name: "errors.no-correlation-id",
    rules: &["ERR-004"],
    summary: "errors carry no correlation id, neither in the body nor in a header",
};
pub(in crate::reference) const REUSED_CORRELATION_ID: Defect = Defect {
    name: "errors.reused-correlation-id",
    rules: &["ERR-004"],
    summary: "all errors carry one and the same correlation id",
};
pub(in crate::reference) const BODY_HEADER_ID_DIFFER: Defect = Defect {
    name: "errors.body-header-id-differ",
    rules: &["ERR-004"],
    summary: "the correlation id of the body is not that of the header",
};
pub(in crate::reference) const CATCH_ALL_CODE: Defect =
    Defect { name: "errors.catch-all-code", rules: &["ERR-005"], summary: "every error has the same code" };
pub(in crate::reference) const RANDOM_CODE: Defect =
    Defect { name: "errors.random-code", rules: &["ERR-005"], summary: "the same fault has another code each time" };
pub(in crate::reference) const STATUS_MISMATCH: Defect = Defect {
    name: "errors.status-mismatch",
    rules: &["ERR-006"],
    summary: "the `status` in the body is not the HTTP status",
};
pub(in crate::reference) const TITLE_VARIES: Defect = Defect {
    name: "errors.title-varies",
    rules: &["ERR-006"],
    summary: "the title of one problem type differs from one occurrence to the next",
};
pub(in crate::reference) const STACK_TRACE: Defect = Defect {
    name: "errors.stack-trace",
    rules: &["ERR-007"],
    summary: "bad parameters and bad JSON are answered with a stack trace",
};
pub(in crate::reference) const SQL_FRAGMENT: Defect = Defect {
    name: "errors.sql-fragment",
    rules: &["ERR-007"],
    summary: "bad parameters and bad JSON are answered with the SQL that failed",
};
pub(in crate::reference) const INTERNAL_ADDRESS: Defect = Defect {
    name: "errors.internal-address",
    rules: &["ERR-007"],
    summary: "bad parameters and bad JSON are answered with a private address",
};
pub(in crate::reference) const ECHOES_CREDENTIAL: Defect = Defect {
    name: "errors.echoes-credential",
    rules: &["ERR-008"],
    summary: "an unknown bearer token is repeated in the answer",
};
pub(in crate::reference) const REFLECTS_MARKUP: Defect = Defect {
    name: "errors.reflects-markup",
    rules: &["ERR-008"],
    summary: "a parameter that holds markup is repeated unescaped in an HTML page",
};
pub(in crate::reference) const ECHOES_CARD_NUMBER: Defect = Defect {
    name: "errors.echoes-card-number",
    rules: &["ERR-008"],
    summary: "what was refused is repeated in full, card numbers included",
};
pub(in crate::reference) const NO_POINTER: Defect = Defect {
    name: "errors.no-pointer",
    rules: &["ERR-009"],
    summary: "a refused body is answered without saying which field is wrong",
};
