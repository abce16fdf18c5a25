//! What one supplier has of a child, which is not always what is so: short forms, slips, old addresses, numbers it never asked for.

use crate::area::Area;
use crate::family::Child;
use crate::names::{mistyped, without_accents, Names};
use crate::place::Home;
use crate::random::Random;
use contactpoint_domain::OrganisationKind;
use jiff::civil::Date;

/// A child in one supplier's books.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) born: Date,
    pub(crate) home: &'a Home,
    pub(crate) nhs_number: Option<&'a str>,
    pub(crate) unique_pupil_number: Option<&'a str>,
    /// What differs, for truth.csv: one word, or nothing.
    pub(crate) difference: &'static str,
}

/// How many in 1,000 records have each difference that keeps equal names, birth date and postcode from agreeing; together about 87.
const SHORT_FORM: u64 = 60;
const MISTYPED: u64 = 14;
const SWAPPED_DATE: u64 = 4;
const OLD_ADDRESS: u64 = 30;
const MIDDLE_NAME: u64 = 12;

/// The child as the supplier at this position has it.
pub(crate) fn seen<'a>(area: &Area, names: &Names, child: &'a Child, position: usize) -> Seen<'a> {
    let kind = area.suppliers[position].kind;
    let mut random = Random::at(&[area.seed, 3, area.index, child.ordinal, position as u64]);
    let (nhs_per_mille, upn_per_mille) = numbers_held(kind);
    let nhs_number = (random.chance(nhs_per_mille) || child.told_alike && nhs_per_mille > 500).then_some(child.nhs_number.as_str());
    let taught = area.age(child.born) >= 4;
    let unique_pupil_number = (taught && random.chance(upn_per_mille)).then_some(child.unique_pupil_number.as_str());
    let (given, family) = (child.given.clone(), child.family.clone());
    let mut seen = Seen { given, family, born: child.born, home: &child.home, nhs_number, unique_pupil_number, difference: "" };
    if !child.told_alike {
        seen.differ(area, names, child, &mut random);
    }
    seen.as_printed(kind, &mut random);
    seen
}

/// How many in 1,000 records carry an NHS number, and a unique pupil number.
fn numbers_held(kind: OrganisationKind) -> (u64, u64) {
    match kind {
        OrganisationKind::School => (60, 970),
        OrganisationKind::Surgery => (990, 0),
        OrganisationKind::Council => (700, 700),
        OrganisationKind::YouthOffendingTeam => (0, 500),
        OrganisationKind::Police | OrganisationKind::Voluntary | OrganisationKind::DataCentre | OrganisationKind::Auditor => (0, 0),
    }
}

impl<'a> Seen<'a> {
    fn differ(&mut self, area: &Area, names: &Names, child: &'a Child, random: &mut Random) {
        if let Some(short) = names.nickname(&child.given).filter(|_| random.chance(SHORT_FORM)) {
            self.given = short.to_owned();
            self.difference = "short-form";
        } else if random.chance(MISTYPED) {
            self.mistype(random);
        } else if random.chance(SWAPPED_DATE) {
            self.swap_date(area);
        } else if random.chance(OLD_ADDRESS) {
            self.home = &child.former_home;
            self.difference = "old-address";
        } else if random.chance(MIDDLE_NAME) && child.middle != child.given {
            self.given = format!("{} {}", child.given, child.middle);
            self.difference = "middle-name";
        }
    }

    fn mistype(&mut self, random: &mut Random) {
        let name = if random.chance(500) { &mut self.given } else { &mut self.family };
        *name = mistyped(name, random);
        self.difference = "mistyped";
    }

    /// 4 March becomes 3 April, where that is another day and still a child's.
    fn swap_date(&mut self, area: &Area) {
        let swapped = Date::new(self.born.year(), self.born.day(), self.born.month());
        if let Some(swapped) = swapped.ok().filter(|date| *date != self.born && (area.eldest..=area.today).contains(date)) {
            self.born = swapped;
            self.difference = "swapped-date";
        }
    }

    /// Capitals, lost accents and hyphens: the name is the same one.
    fn as_printed(&mut self, kind: OrganisationKind, random: &mut Random) {
        let capitals = kind == OrganisationKind::Police || kind == OrganisationKind::Surgery && random.chance(300);
        if kind == OrganisationKind::Police || random.chance(250) {
            self.given = without_accents(&self.given);
            self.family = without_accents(&self.family);
        }
        if self.family.contains('-') && random.chance(80) {
            self.family = self.family.replace('-', " ");
        }
        if capitals {
            self.family = self.family.to_uppercase();
        }
        if kind == OrganisationKind::Police {
            self.given = self.given.to_uppercase();
        }
    }
}
