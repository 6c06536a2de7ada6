//! A letter for a score.

use serde::Serialize;

use super::Tenths;

/// A letter for a score, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Grade {
    /// 95.0 and more.
    A,
    /// 85.0 and more.
    B,
    /// 70.0 and more.
    C,
    /// 50.0 and more.
    D,
    /// Less.
    F,
}

impl Grade {
    /// The grade of a score; a critical failure that nobody waived allows no better than D.
    pub fn of(score: Tenths, critical_failure: bool) -> Self {
        let earned = match score.get() {
            950.. => Self::A,
            850.. => Self::B,
            700.. => Self::C,
            500.. => Self::D,
            _ => Self::F,
        };
        if critical_failure { earned.max(Self::D) } else { earned }
    }

    /// The letter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_to_the_better_grade() {
        let grades = [950, 949, 850, 849, 700, 699, 500, 499].map(|t| Grade::of(Tenths::new(t), false).as_str());
        assert_eq!(grades, ["A", "B", "B", "C", "C", "D", "D", "F"]);
    }

    #[test]
    fn a_critical_failure_caps_the_grade_and_lifts_none() {
        assert_eq!(Grade::of(Tenths::new(990), true), Grade::D);
        assert_eq!(Grade::of(Tenths::new(100), true), Grade::F);
    }
}
