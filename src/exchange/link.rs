//! The `Link` header field (RFC 8288 §3).
//!
//! Written here because no maintained crate reads it: several links in one field, commas inside quotes and
//! inside `<>`, parameters with or without quotes, several relation types in one `rel`, empty elements.

/// One link of a `Link` field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The target as written: an absolute URI or a relative reference.
    pub target: String,
    /// Relation types, in lower case.
    pub rels: Vec<String>,
}

/// Reads every link of the given field values; what cannot be read is skipped.
pub fn parse_links<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Link> {
    values.into_iter().flat_map(split_outside_quotes).filter_map(|text| parse_link(&text)).collect()
}

/// The elements between commas that are neither quoted nor inside `<>`.
fn split_outside_quotes(value: &str) -> Vec<String> {
    split(value, ',')
}

fn split(value: &str, separator: char) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quoted, mut angled, mut escaped) = (false, false, false);
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if !angled => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            _ if c == separator && !quoted && !angled => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    parts
}

fn parse_link(text: &str) -> Option<Link> {
    let rest = text.trim().strip_prefix('<')?;
    let (target, parameters) = rest.split_once('>')?;
    let rels = split(parameters, ';').iter().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        // A second `rel` is ignored (RFC 8288 §3.3), which `find_map` does.
        name.trim().eq_ignore_ascii_case("rel").then(|| unquote(value.trim()))
    })?;
    let rels = rels.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    Some(Link { target: target.trim().to_owned(), rels })
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else { return value.to_owned() };
    let mut out = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rels(value: &str) -> Vec<(String, String)> {
        parse_links([value]).into_iter().map(|l| (l.target, l.rels.join(" "))).collect()
    }

    #[test]
    fn several_links_with_commas_in_targets_and_titles() {
        let value = r#"<https://a.example/x?ids=1,2>; rel="next last"; title="a, \"b\"; c", </y>; REL=Prev,, <z>"#;
        assert_eq!(
            rels(value),
            [("https://a.example/x?ids=1,2".into(), "next last".into()), ("/y".into(), "prev".into())]
        );
    }

    #[test]
    fn empty_and_broken_fields_give_nothing() {
        for value in ["", " , ", "<a", "a; rel=next", "<a>; title=rel", "<a>"] {
            assert_eq!(rels(value), [], "{value}");
        }
    }

    #[test]
    fn a_second_rel_is_ignored() {
        assert_eq!(rels("<a>; rel=next; rel=prev"), [("a".into(), "next".into())]);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(value in ".{0,200}") {
            let _ = parse_links([value.as_str()]);
        }
    }
}
