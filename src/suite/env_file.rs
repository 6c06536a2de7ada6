//! Environment files: `NAME=VALUE`, one a line.

/// What is wrong with a line of an environment file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct EnvFileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong; never holds a value.
    pub message: String,
}

/// Reads an environment file: `NAME=VALUE` lines, `export` allowed, `#` begins a comment at the start of a line or
/// after a space; a value in double quotes knows `\n`, `\t`, `\"` and `\\`, one in single quotes is taken as it is.
pub fn parse_env_file(text: &str) -> Result<Vec<(String, String)>, Vec<EnvFileError>> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        match parse_line(line.trim()) {
            Ok(None) => {}
            Ok(Some(pair)) => values.push(pair),
            Err(message) => errors.push(EnvFileError { line: index + 1, message }),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

fn parse_line(line: &str) -> Result<Option<(String, String)>, String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.trim();
    if !is_name(name) {
        return Err("a name holds letters, digits and `_`, and does not begin with a digit".into());
    }
    let value = value.trim_start();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(&value[1..], quote)?,
        _ => value.split(" #").next().unwrap_or_default().trim_end().to_owned(),
    };
    Ok(Some((name.to_owned(), value)))
}

/// Whether a text can name an environment variable.
pub(super) fn is_name(text: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    starts && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn quoted(text: &str, quote: char) -> Result<String, String> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().ok_or("the quote is not closed on this line")? {
            c if c == quote => break,
            '\\' if quote == '"' => value.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(c @ ('"' | '\\' | '$')) => c,
                _ => return Err(r#"in double quotes a backslash stands before n, t, $, " or \ only"#.into()),
            }),
            c => value.push(c),
        }
    }
    let rest = chars.as_str().trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(value)
    } else {
        Err("nothing may follow the closing quote".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse_env_file(text).unwrap()
    }

    #[test]
    fn plain_and_quoted_values() {
        let text =
            "\u{feff}# secrets\n\nA=1\nexport B = two words # note\nC='a # $b'\nD=\"x\\n\\\"y\\\"\" # z\nE=\nF=a#b\r\n";
        let expected = [("A", "1"), ("B", "two words"), ("C", "a # $b"), ("D", "x\n\"y\""), ("E", ""), ("F", "a#b")];
        assert_eq!(pairs(text), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn every_bad_line_is_named_and_no_value_shown() {
        let errors = parse_env_file("A=1\nsecret\n9=x\nB=\"hush\nC='x' hush\nD=\"\\x\"").unwrap_err();
        assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        assert!(errors.iter().all(|e| !e.to_string().contains("hush")));
    }
}
