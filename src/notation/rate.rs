//! Rates: `50/s`, `600/m`.

use std::{fmt, str::FromStr, time::Duration};

pub(super) const FORMAT: &str = "fincheck-rate";

/// A number of requests per unit of time as a suite writes it: `50/s`, `600/m`, `1000/h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub count: u32,
    /// In what time.
    pub per: Duration,
}

impl Rate {
    /// The time between two requests sent evenly at this rate.
    pub fn interval(self) -> Duration {
        self.per / self.count
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a rate; write requests per s, m or h, such as 50/s");
        let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
        let per = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            _ => return Err(wrong()),
        };
        let digits = count.bytes().all(|b| b.is_ascii_digit());
        let count: u32 = count.parse().map_err(|_| wrong())?;
        if count == 0 || !digits {
            return Err(wrong());
        }
        Ok(Self { count, per: Duration::from_secs(per) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "m",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

super::written_as_text!(Rate, "Rate", FORMAT, "Requests per s, m or h.", "50/s");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        let rate: Rate = "50/s".parse().unwrap();
        assert_eq!(rate.interval(), Duration::from_millis(20));
        assert_eq!("600/m".parse::<Rate>().unwrap().interval(), Duration::from_millis(100));
        assert_eq!("7/h".parse::<Rate>().unwrap().to_string(), "7/h");
        for bad in ["", "50", "0/s", "+5/s", "-1/s", "5/d", "1.5/s", "/s"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
