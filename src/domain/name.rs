//! Comparison keys of names: case, accent encoding and invisible characters do not matter.

use icu_casemap::CaseMapper;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::text::is_ignorable;

/// The version of [`key`]. Stores keep keys and recompute those of another version. Raise it whenever a key may change,
/// also after an upgrade of the Unicode data.
pub const EDITION: i64 = 2;

/// The key of a name: compatibility decomposition, full case folding, composition. The dot that folding leaves over an
/// `i` (İ, i̇) is dropped; other dots (ż) are part of letters. A run of white space counts as one space.
pub fn key(name: &str) -> String {
    if name.is_ascii() {
        return spaced(&name.to_ascii_lowercase());
    }
    let decompose = DecomposingNormalizerBorrowed::new_nfkd();
    let folded = CaseMapper::new().fold_string(&decompose.normalize(name)).into_owned();
    let plain = without_dots_over_i(&decompose.normalize(&folded));
    spaced(&ComposingNormalizerBorrowed::new_nfkc().normalize(&plain))
}

/// Drops ignorable characters, and U+0307 after the letter `i`.
fn without_dots_over_i(decomposed: &str) -> String {
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let mut base = None;
    decomposed
        .chars()
        .filter(|c| {
            if is_ignorable(*c) {
                return false;
            }
            if classes.get_u8(*c) == 0 {
                base = Some(*c);
            }
            !(*c == '\u{307}' && base == Some('i'))
        })
        .collect()
}

fn spaced(text: &str) -> String {
    let mut words = text.split_whitespace();
    let mut spaced = words.next().unwrap_or_default().to_owned();
    for word in words {
        spaced.push(' ');
        spaced.push_str(word);
    }
    spaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(&["İzmir", "izmir", "İZMİR", "IZMIR", "I\u{307}zmir", "i\u{307}zmir"])]
    #[case(&["Gießen", "GIESSEN", "GIEẞEN", "giessen"])]
    #[case(&["Zürich", "Zu\u{308}rich", "ZÜRICH", "zu\u{308}RICH"])]
    #[case(&["ΣΊΣΥΦΟΣ", "σίσυφος", "σίσυφοσ"])]
    #[case(&["ﬁnale", "FINALE"])]
    #[case(&["Ｌｉｓｂｏｎ", "lisbon", " Lisbon\u{a0} ", "Lis\u{200B}bon", "LIS\u{AD}BON"])]
    #[case(&["São  Paulo", "SÃO PAULO", "Sa\u{303}o\u{3000}Paulo"])]
    #[case(&["ｶﾞ", "ガ", "カ\u{3099}"])]
    fn spellings_of_one_name_are_equal(#[case] spellings: &[&str]) {
        for spelling in spellings {
            assert_eq!(key(spelling), key(spellings[0]), "{spelling}");
        }
    }

    #[rstest]
    #[case("Żary", "Zary")]
    #[case("Ė", "E")]
    #[case("ızmir", "izmir")]
    #[case("Zürich", "Zurich")]
    #[case("Nova Lisboa", "NovaLisboa")]
    fn different_names_stay_different(#[case] one: &str, #[case] other: &str) {
        assert_ne!(key(one), key(other));
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(name in "\\PC{0,12}") {
            let once = key(&name);
            prop_assert_eq!(key(&once), once);
        }
    }
}
