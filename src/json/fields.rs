//! A few values of a body, without a tree.

use super::{PageRead, PageReader, Path, Scalar, Wanted};

/// Where a reader of pages looks for rows; what is there does not matter.
const NOWHERE: &str = "$.no_rows_are_looked_for";

/// The value at each path, numbers as written; the error says where the text stops being JSON.
pub fn fields(body: &[u8], paths: &[Path]) -> Result<Vec<Option<Scalar>>, String> {
    let rows: Path = NOWHERE.parse()?;
    let reader = PageReader::new(Wanted { rows, fields: Vec::new(), page: paths.to_vec() });
    let PageRead { page, .. } = reader.read(body, &mut |_: &mut [Option<Scalar>]| {})?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_written() {
        let paths: Vec<Path> = ["$.a.b", "$.none", "$.list[1]"].iter().map(|p| p.parse().unwrap()).collect();
        let read = fields(br#"{"a": {"b": 0.10}, "list": [1, "x"]}"#, &paths).unwrap();
        assert_eq!(read[0], Some(Scalar::Number("0.10".into())));
        assert_eq!(read[1], None);
        assert_eq!(read[2], Some(Scalar::Text("x".into())));
        assert_eq!(fields(b"[1]", &paths[1..2]).unwrap(), [None]);
        assert!(fields(b"{", &paths).is_err());
    }
}
