//! Which defects and variants are on: asked wherever the API can go wrong or be odd.

use super::{Defect, Options, Variant, paging::Style};

/// The defects and variants of one running API.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    defects: Vec<&'static Defect>,
    variants: Vec<&'static Variant>,
    style: Style,
}

impl Behaviour {
    pub(super) fn new(options: &Options) -> Self {
        let style = options.variants.iter().rev().find_map(|variant| Style::of(variant)).unwrap_or_default();
        Self { defects: options.defects.clone(), variants: options.variants.clone(), style }
    }

    /// Whether the API is wrong in this way.
    pub(super) fn has(&self, defect: Defect) -> bool {
        self.defects.iter().any(|active| active.name == defect.name)
    }

    /// Whether the API is odd in this way.
    pub(super) fn is(&self, variant: Variant) -> bool {
        self.variants.iter().any(|active| active.name == variant.name)
    }

    /// How positions, transactions and orders are paged.
    pub(super) fn style(&self) -> Style {
        self.style
    }
}
