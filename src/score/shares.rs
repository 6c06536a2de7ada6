//! Exact sums of shared weights.

use std::collections::BTreeMap;

use super::Tenths;

/// Weights that passed and weights in all, kept apart by the number of checks that share them.
///
/// Thirds, sevenths and hundred-and-thirds have no common denominator that fits a machine word, so they are never
/// brought to one: the percentage is found by asking, for each tenth, on which side of it the sum lies.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<u32, Sum>);

#[derive(Debug, Default)]
struct Sum {
    passed: u64,
    all: u64,
}

impl Shares {
    /// Adds `weight / among`.
    pub(super) fn add(&mut self, weight: u32, among: u32, passed: bool) {
        let sum = self.0.entry(among.max(1)).or_default();
        sum.all += u64::from(weight);
        if passed {
            sum.passed += u64::from(weight);
        }
    }

    /// The largest tenth of a percent that what passed reaches; none if nothing weighs anything.
    pub(super) fn percentage(&self) -> Option<Tenths> {
        if self.0.values().all(|sum| sum.all == 0) {
            return None;
        }
        let reached = |tenths: u16| {
            let terms: Vec<_> = self
                .0
                .iter()
                .map(|(n, sum)| (1000 * i128::from(sum.passed) - i128::from(tenths) * i128::from(sum.all), *n))
                .collect();
            !is_negative(&terms)
        };
        (0..=1000).rev().find(|tenths| reached(*tenths)).map(Tenths::new)
    }
}

/// Whether the sum of fractions (numerator, denominator) is below zero, found by long division of all of them in
/// step, 32 binary digits at a time.
fn is_negative(terms: &[(i128, u32)]) -> bool {
    // Each remainder is less than one whole, so the sum lies in `whole..whole + bound`.
    let bound = i128::try_from(terms.len()).unwrap_or(i128::MAX);
    let mut whole: i128 = terms.iter().map(|(a, n)| a.div_euclid(i128::from(*n))).sum();
    let mut rests: Vec<_> = terms
        .iter()
        .map(|(a, n)| (a.rem_euclid(i128::from(*n)), i128::from(*n)))
        .filter(|(rest, _)| *rest > 0)
        .collect();
    // A sum that is not zero is at least one over the product of the denominators: so many digits must show it.
    let digits = (i128::BITS - bound.leading_zeros()) + terms.iter().map(|(_, n)| 32 - n.leading_zeros()).sum::<u32>();
    for _ in 0..=digits / 32 {
        if whole >= 0 {
            return false;
        }
        if whole + bound <= 0 {
            return true;
        }
        whole <<= 32;
        for (rest, n) in &mut rests {
            *rest <<= 32;
            whole += *rest / *n;
            *rest %= *n;
        }
    }
    whole + bound <= 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_sums_are_exact() {
        assert!(!is_negative(&[(1, 3), (1, 6), (-1, 2)]));
        assert!(is_negative(&[(1, 3), (1, 6), (-1, 2), (-1, 4_000_000_007)]));
        assert!(!is_negative(&[(-1, 3), (1, 3)]));
        assert!(is_negative(&[(-1, u32::MAX), (0, 1)]));
        assert!(!is_negative(&[]));
    }

    #[test]
    fn primes_without_a_common_machine_word_add_up_to_exactly_one_hundred() {
        let primes: Vec<u32> = (100..700).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).collect();
        assert_eq!(primes.len(), 100);
        let mut shares = Shares::default();
        for p in &primes {
            (0..*p).for_each(|_| shares.add(5, *p, true));
        }
        assert_eq!(shares.percentage(), Some(Tenths::FULL));
        shares.add(2, 699, false);
        assert_eq!(shares.percentage(), Some(Tenths::new(999)));
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_common_denominator_where_there_is_one(
            items in proptest::collection::vec((0_u32..4, 1_u32..12, proptest::bool::ANY), 0..40)
        ) {
            const COMMON: u64 = 27_720; // lcm(1..=11)
            let (mut passed, mut all, mut shares) = (0, 0, Shares::default());
            for (weight, among, pass) in items {
                let share = u64::from(weight) * COMMON / u64::from(among);
                all += share;
                passed += if pass { share } else { 0 };
                shares.add(weight, among, pass);
            }
            let expected = (passed * 1000).checked_div(all).map(|t| Tenths::new(u16::try_from(t).unwrap()));
            proptest::prop_assert_eq!(shares.percentage(), expected);
        }
    }
}
