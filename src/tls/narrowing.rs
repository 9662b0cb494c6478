//! Which Windows a machine can be by its own lists, where nothing names its build: a SYSTEM hive alone does not.
//!
//! The provider's list of suites is Windows' own; neither policy nor hardening writes it. On hives of 8, 8.1, 10 1709 and 10 1903
//! it was measured to hold exactly what Microsoft's page for the build lists, and the provider's library to be `ncrypt.dll` up to
//! Windows 7 and `ncryptsslp.dll` since. A Windows whose list is that of no page (7 and 8.1 without later updates) is not told.

use std::collections::BTreeSet;

use super::generation::{Basis, Generation, GenerationMatch, Product};
use super::settings::{SchannelSettings, Setting};
use super::side::Side;
use super::standing::Fit;
use super::version::Role;

/// The first build whose provider has a library of its own: Windows 8.
const FIRST_WITH_OWN_LIBRARY: u32 = 9200;

/// The Windows that the provider's list and library and the product leave possible, where all of these come to the same with these
/// settings; none where they do not, or where nothing fits.
pub fn generation_by_lists(
    settings: &SchannelSettings,
    product: Product,
) -> Option<GenerationMatch> {
    let registered: BTreeSet<&str> = settings
        .provider_suites
        .present()?
        .iter()
        .map(String::as_str)
        .collect();
    let mut possible = Generation::all().iter().filter(|generation| {
        is_of(generation, product)
            && generation.registered() == registered
            && has_library(generation, &settings.provider_library)
    });
    let oldest = possible.next()?;
    let mut newest = oldest;
    for other in possible {
        if !alike(settings, oldest, other) {
            return None;
        }
        newest = other;
    }
    Some(GenerationMatch {
        generation: oldest,
        basis: Basis::Lists { newest },
    })
}

fn is_of(generation: &Generation, product: Product) -> bool {
    product == Product::Unknown
        || generation.product == Product::Unknown
        || generation.product == product
}

fn has_library(generation: &Generation, library: &Setting<String>) -> bool {
    let Some(library) = library.present() else {
        return true;
    };
    let own = library.to_ascii_lowercase().ends_with("ncryptsslp.dll");
    own == (generation.builds.0 >= FIRST_WITH_OWN_LIBRARY)
}

/// Whether both come to the same with these settings, as a server and as a client.
fn alike(
    settings: &SchannelSettings,
    one: &'static Generation,
    other: &'static Generation,
) -> bool {
    [Role::Server, Role::Client].into_iter().all(|role| {
        let side = |generation: &'static Generation| {
            let fit = match role {
                Role::Server => Fit::Server(None),
                Role::Client => Fit::Client,
            };
            Side::evaluate(settings, Some(generation.into()), role, fit)
        };
        side(one).offers_the_same(&side(other))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists_of(id: &str) -> SchannelSettings {
        let generation = Generation::by_id(id).expect("a Windows version");
        let names = generation.registered().into_iter().map(str::to_owned);
        SchannelSettings {
            provider_suites: Setting::Present(names.collect()),
            local_suites: Setting::Present(generation.default_suites.clone()),
            ..SchannelSettings::default()
        }
    }

    fn told(settings: &SchannelSettings, product: Product) -> Option<String> {
        generation_by_lists(settings, product).map(|found| found.title())
    }

    #[test]
    fn windows_10_is_told_as_far_as_it_matters() {
        let settings = lists_of("10-1709");
        assert_eq!(
            told(&settings, Product::Client).as_deref(),
            Some("Windows 10 1709 / Server 1709 to Windows 10 22H2")
        );
        // 22H2 has another default list: without the hive's own it is not told.
        let without = SchannelSettings {
            local_suites: Setting::Absent,
            ..settings
        };
        assert_eq!(told(&without, Product::Client), None);
    }

    #[test]
    fn versions_that_differ_in_their_defaults_are_not_told_apart_by_guessing() {
        // 2022, 23H2 and 2025 register the same suites; what Remote Desktop does with TLS 1.3 and 1.0 there differs.
        assert_eq!(told(&lists_of("server-2022"), Product::Server), None);
        // So do 7 and 8.1; the provider's library tells them apart.
        let mut settings = lists_of("8.1-2012r2");
        assert_eq!(told(&settings, Product::Server), None);
        settings.provider_library = Setting::Present("ncryptsslp.dll".to_owned());
        assert_eq!(
            told(&settings, Product::Server).as_deref(),
            Some("Windows 8.1 / Windows Server 2012 R2")
        );
        settings.provider_library = Setting::Present("ncrypt.dll".to_owned());
        assert_eq!(
            told(&settings, Product::Server).as_deref(),
            Some("Windows 7 / Windows Server 2008 R2")
        );
    }

    #[test]
    fn a_list_of_no_page_tells_nothing() {
        let mut settings = lists_of("10-1709");
        if let Setting::Present(names) = &mut settings.provider_suites {
            names.pop();
        }
        assert_eq!(told(&settings, Product::Client), None);
        assert_eq!(told(&SchannelSettings::default(), Product::Client), None);
    }
}
